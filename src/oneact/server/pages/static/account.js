import { at, create, fresh, post, sign, when } from "./passkey.js";

const go = (element) => location.assign(element.dataset.next);

when(document.getElementById("signin"), "click", async (button) => {
  await sign("signin/begin", {}, "signin/finish");
  go(button);
});

when(document.getElementById("signup"), "submit", async (form) => {
  await create("signup/begin", { name: form.elements.name.value }, "signup/finish");
  go(form);
});

when(document.getElementById("addkey"), "submit", async (form) => {
  const name = form.elements.name.value;
  await fresh(() => create("passkeys/begin", { name }, "passkeys/finish"));
  location.reload();
});

for (const button of document.querySelectorAll("[data-remove]")) {
  when(button, "click", async () => {
    const { not_reached: missed } = await fresh(() => post("passkeys/remove", { id: button.dataset.remove }));
    if (missed) location.assign(at("services?not_reached=" + missed));
    else location.reload();
  });
}
