import { post, sign, when } from "./passkey.js";

const page = document.querySelector("article.request");
const asked = { session: page.dataset.session };

when(document.getElementById("approve"), "click", async () => {
  await sign("reads/begin", asked, "reads/approve");
  location.reload();
});

when(document.getElementById("deny"), "click", async () => {
  await post("reads/deny", { ...asked, message: document.getElementById("message").value });
  location.reload();
});
