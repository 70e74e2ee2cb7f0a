import { post, sign, when } from "./passkey.js";

const link = document.getElementById("link");
const asked = { client_id: link?.dataset.client, request_uri: link?.dataset.request };

when(document.getElementById("accept"), "click", async () => {
  location.assign((await sign("link/begin", asked, "link/finish")).location);
});

when(document.getElementById("decline"), "click", async () => {
  location.assign((await post("link/deny", asked)).location);
});

for (const button of document.querySelectorAll("[data-update]")) {
  when(button, "click", async () => {
    await sign("services/begin", { link: button.dataset.update }, "services/finish");
    location.reload();
  });
}
