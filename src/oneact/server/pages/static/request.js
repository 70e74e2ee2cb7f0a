import { ask, post, sign, when } from "./passkey.js";
import { localise } from "./times.js";

const page = document.querySelector("article.request");
const decision = document.getElementById("decision");
const outcome = document.getElementById("outcome");
const log = document.getElementById("log");
const listening = document.getElementById("listening");
const countdown = document.getElementById("countdown");
const message = document.getElementById("message");
const open = page.dataset.open.split(" ").filter(Boolean);
const ends = Date.now() + 1000 * Number(countdown?.dataset.left);
let version = page.dataset.version;
let shown = "";
let own = false; // whether the decision was made on this page

const rest = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

function decided() {
  own = true;
  if (outcome.hidden) show("<p class=says>One moment…</p>"); // the outcome itself may have been here before the answer
}

function show(html) {
  if (html === shown) return;
  const first = outcome.hidden;
  shown = html;
  outcome.innerHTML = html; // rendered and escaped by the server
  localise(outcome);
  const before = document.querySelectorAll("#now, [data-deny]"); // what only matters before the decision
  for (const gone of [decision, ...before]) gone?.remove();
  outcome.hidden = false;
  if (first) outcome.focus();
}

when(document.getElementById("approve"), "click", async () => {
  await sign("requests/begin", { requests: open }, "requests/approve", { requests: open });
  decided();
});

async function deny(requests, block) {
  await post("requests/deny", { requests, message: message.value, block });
  decided();
}

when(document.getElementById("deny"), "click", () => deny(open, false));
when(document.getElementById("block"), "click", () => deny(open, true));
for (const button of document.querySelectorAll("[data-deny]")) {
  when(button, "click", async () => {
    await post("requests/deny", { requests: [button.dataset.deny] });
    location.reload();
  });
}

function tick() {
  const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
  countdown.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  countdown.classList.toggle("soon", left < 60);
  if (left && countdown.isConnected) setTimeout(tick, 1000);
}
if (countdown) tick();

async function follow() {
  for (let pause = 0; ; await rest(pause)) {
    try {
      const known = pause ? "" : version; // after an outage it answers at once
      const found = await ask(`requests/${page.dataset.first}/wait?version=${encodeURIComponent(known)}`);
      if (found.version !== version) {
        log.innerHTML = found.log; // the same
        localise(log);
      }
      version = found.version;
      if (listening) listening.textContent = listening.dataset[found.listening ? "yes" : "no"];
      if (found.open.length === 0) show(found.html);
      else if (!own && found.open.length !== open.length) return location.reload();
      if (found.last) return undefined;
      pause = 0;
    } catch {
      pause = Math.min(30, 2 * pause + 1);
    }
  }
}
follow();
