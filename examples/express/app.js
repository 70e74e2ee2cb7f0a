import { randomUUID } from "node:crypto";
import http from "node:http";
import { setTimeout } from "node:timers/promises";
import express from "express";

const port = Number(process.env.PORT ?? 3000);
const socketPath = process.env.ONEACT_SIDECAR_UNIX ?? "var/oneact.sock";
const sessions = new Map(); // stands for the sign-in that you have
const bookings = new Map(); // stands for your database

// What you promise for an act. The parameters are not checked yet, and their defaults are not filled in.
const quote = ({ bags = 0 }) => ({ price: { amount: `${312 + 30 * bags}.00`, currency: "USD" } });

// Your work: it runs only with a verified approval, once. What is to be done stands in `act`, never in the request.
async function book(act) {
  bookings.set(act.txn, act.account);
  return [201, { reference: `${act.parameters.to}-${act.txn.slice(-6)}`, price: act.terms.price.amount }];
}

async function cancel(act) {
  return [200, { cancelled: act.parameters.reference, refund: act.parameters.refund }];
}

const actions = { book_flight: { run: book, terms: quote }, cancel_flight: { run: cancel } };

function sidecar(path, call) {
  const headers = { "Content-Type": "application/json" };
  return new Promise((resolve, reject) => {
    const asked = http.request({ socketPath, path, method: "POST", headers }, async (answer) => {
      const text = (await answer.setEncoding("utf8").toArray().catch(() => [])).join("");
      if (answer.statusCode === 200 && text) resolve(JSON.parse(text));
      else reject(new Error(`sidecar ${path}: ${answer.statusCode} ${text}`));
    });
    asked.on("error", reject).end(JSON.stringify(call));
  });
}

async function ended(call, tries = 5) {
  try {
    return await sidecar("/receipt", call);
  } catch (error) {
    if (tries === 1) return console.error(error) ?? {};
  }
  await setTimeout(1000); // a sidecar that has just been started anew takes it too
  return ended(call, tries - 1);
}

const request = (req) => ({ method: req.method, url: req.originalUrl, headers: req.headersDistinct, client: req.ip });

function relay(res, { answer, notices = [] }) {
  for (const { account, event } of notices) console.log(`tell ${account}: ${event}`); // at a known address
  res.writeHead(answer.status, answer.headers).end(answer.body);
}

async function guarded(req, res, action, given, path = {}) {
  const known = Object.hasOwn(actions, action) ? actions[action] : {};
  const call = { ...request(req), action, path, parameters: req.body ?? "", terms: known.terms?.(given) };
  const found = await sidecar(req.headersDistinct.authorization ? "/verify" : "/offer", call);
  if (found.answer) return relay(res, found);
  const { ticket, execute } = found;
  const done = await known.run(execute).catch((error) => console.error(error)); // nobody knows what was done
  const [status, body] = done ? [done[0], Buffer.from(JSON.stringify(done[1]))] : [null, null];
  const told = await ended(done ? { ticket, status, ...answered(body) } : { ticket, status });
  if (!done) return relay(res, { answer: told.answer ?? { status: 500 } });
  res.writeHead(status, { "Content-Type": "application/json", ...told.headers }).end(body);
}

const answered = (body) => ({ content_type: "application/json", body_base64: body.toString("base64") });
const read = (text) => { try { return JSON.parse(text) ?? {}; } catch { return {}; } }; // the sidecar refuses it
const app = express();
const text = express.text({ type: () => true, limit: "64kb" });
app.post("/bookings", text, (req, res) => guarded(req, res, "book_flight", read(req.body)));
app.delete("/bookings/:reference", text, (req, res) => guarded(req, res, "cancel_flight", {}, { ...req.params }));
app.get("/bookings", async (req, res) => { // a read: it changes nothing
  const { reading, ...found } = await sidecar("/read", { ...request(req), read: "bookings" });
  if (!reading) return relay(res, found);
  res.json([...bookings].filter(([, account]) => account === reading.account).map(([txn]) => txn));
});
app.post("/oneact/act", text, (req, res) => {
  const { action, parameters } = read(req.body);
  return guarded(req, res, String(action), parameters ?? {});
});

const octets = express.raw({ type: () => true, limit: "128kb" });
app.all(["/oneact/*rest", "/.well-known/oauth-protected-resource{/*rest}"], octets, async (req, res) => {
  const account = sessions.get(/(?:^|; )air=([^;]*)/.exec(req.headers.cookie ?? "")?.[1]) ?? null;
  const body = req.body?.toString("base64") ?? "";
  relay(res, await sidecar("/page", { ...request(req), account, body_base64: body }));
});

app.get("/login", (req, res) => { // a real one asks for more than a name
  const [id, session] = [String(req.query.name ?? "ada"), randomUUID()];
  sessions.set(session, { id, label: id, auth_time: Math.floor(Date.now() / 1000) });
  res.cookie("air", session, { httpOnly: true, sameSite: "lax" }).redirect(303, "/oneact/link");
});

const unavailable = { error: "temporarily_unavailable", reason: "store_unavailable", check: 11,
  error_description: "The service cannot decide now; nothing was executed." };
app.use((error, req, res, next) => { // no sidecar, no yes
  console.error(error);
  if (!error.status) return res.status(503).json(unavailable);
  const reason = { 413: "request_too_large", 415: "media_type" }[error.status] ?? "request_malformed";
  res.status(error.status).json({ error: "invalid_request", reason });
});
app.listen(port, "127.0.0.1", () => console.log(`listening on http://localhost:${port}`));
