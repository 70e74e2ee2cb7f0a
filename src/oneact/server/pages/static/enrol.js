import { answer, create, sign, when } from "./passkey.js";

const own = document.getElementById("own");
let made;

const make = async (button) => {
  made = await create("enrol/begin", {}, "enrol/created");
  button.parentElement.hidden = true;
  own.hidden = false;
  own.focus();
};

when(document.getElementById("make"), "click", make);
when(document.getElementById("anew"), "click", make);

// What was just made can be signed at once; after a reload, or a gesture that failed, the server builds it anew.
when(document.getElementById("sign"), "click", async () => {
  const begun = made;
  made = undefined;
  if (begun) await answer(begun, "enrol/finish");
  else await sign("enrol/sign", {}, "enrol/finish");
  location.assign(document.getElementById("enrol").dataset.next);
});
