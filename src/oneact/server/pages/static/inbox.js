import { ask } from "./passkey.js";
import { localise } from "./times.js";

const inbox = document.getElementById("inbox");
const title = document.title;
let version = inbox.dataset.version;
let pause = 0;

const count = (number) => (document.title = number ? `(${number}) ${title}` : title);
const rest = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

count(Number(inbox.dataset.count));
for (;;) {
  try {
    const found = await ask("inbox/wait?version=" + encodeURIComponent(version));
    if (found.version !== version) {
      version = found.version;
      inbox.innerHTML = found.html; // rendered and escaped by the server
      localise(inbox);
      count(found.count);
    }
    pause = 0;
  } catch {
    pause = Math.min(30, 2 * pause + 1);
  }
  await rest(pause);
}
