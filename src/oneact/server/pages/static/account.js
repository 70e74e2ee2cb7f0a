import { answer, at, create, sign, when } from "./passkey.js";

const go = (element) => location.assign(element.dataset.next);

when(document.getElementById("signin"), "click", async (button) => {
  await sign("signin/begin", {}, "signin/finish");
  go(button);
});

when(document.getElementById("signup"), "submit", async (form) => {
  await create("signup/begin", { name: form.elements.name.value }, "signup/finish");
  go(form);
});

// A new passkey counts for nothing until one that the account had before has signed it.
const vouch = document.getElementById("vouch");
let made;

when(document.getElementById("addkey"), "submit", async (form) => {
  made = await create("passkeys/begin", { name: form.elements.name.value }, "passkeys/created");
  document.getElementById("newname").textContent = form.elements.name.value;
  form.hidden = true;
  vouch.hidden = false;
  vouch.focus();
});

when(document.getElementById("vouchkey"), "click", async () => {
  await answer(made, "passkeys/finish");
  location.reload();
});

for (const button of document.querySelectorAll("[data-remove]")) {
  when(button, "click", async () => {
    const asked = { id: button.dataset.remove };
    const { not_reached: missed } = await sign("passkeys/remove/begin", asked, "passkeys/remove/finish");
    if (missed) location.assign(at("services?not_reached=" + missed));
    else location.reload();
  });
}
