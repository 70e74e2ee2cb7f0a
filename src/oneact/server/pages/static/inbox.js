import { ask } from "./passkey.js";
import { localise } from "./times.js";

const inbox = document.getElementById("inbox");
const told = document.getElementById("told");
const title = document.title;
let version = inbox.dataset.version;
let pause = 0;

const count = (number) => (document.title = number ? `(${number}) ${title}` : title);
const rest = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

count(Number(inbox.dataset.count));
for (;;) {
  try {
    const known = pause ? "" : version; // after an outage it answers at once
    const found = await ask("inbox/wait?version=" + encodeURIComponent(known));
    if (found.version !== version) {
      version = found.version;
      const held = inbox.contains(document.activeElement) && document.activeElement.href;
      inbox.innerHTML = found.html; // rendered and escaped by the server
      [...inbox.querySelectorAll("a")].find((link) => link.href === held)?.focus();
      told.textContent = found.says;
      localise(inbox);
      count(found.count);
    }
    pause = 0;
  } catch {
    pause = Math.min(30, 2 * pause + 1);
  }
  await rest(pause);
}
