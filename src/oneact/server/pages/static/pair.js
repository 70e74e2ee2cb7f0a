import { at, sign, when } from "./passkey.js";

for (const form of document.querySelectorAll("form.confirm")) {
  when(form, "submit", async () => {
    const body = { device: form.dataset.device, name: form.elements.name.value };
    await sign("pair/begin", body, "pair/finish");
    location.assign(at("agents"));
  });
}
