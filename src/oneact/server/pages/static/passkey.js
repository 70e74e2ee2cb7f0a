// The way to the server, and the two passkey ceremonies. Every request goes to our own origin.
const base = new URL("..", import.meta.url);
const problem = document.getElementById("problem");

export const at = (path) => new URL(path, base).href;

// The server is stopped, or the network is gone: what a first step has not reached has not happened, of a last one
// nobody knows.
class Unreached extends Error {}
const NOTHING = "The server cannot be reached. Nothing was approved or changed. Try again when it is back.";
const UNKNOWN = "The server does not answer. It is not known whether it has taken this. Reload this page when it is back.";

const told = { cache: "no-store", credentials: "same-origin" };
const lost = () => ({ ok: false, json: async () => ({}) });

export async function ask(path) {
  const answer = await fetch(at(path), told);
  if (!answer.ok || answer.redirected) throw new Error("The server did not answer. Reload the page.");
  if (problem.dataset.unreached) problem.hidden = true;
  return answer.json();
}

export async function post(path, body, unreached = UNKNOWN) {
  const headers = { "Content-Type": "application/json", "OneAct-Page": "1" };
  const answer = await fetch(at(path), { method: "POST", headers, body: JSON.stringify(body), ...told }).catch(lost);
  const value = await answer.json().catch(() => ({}));
  if (answer.ok) return value;
  throw value.error_description ? new Error(value.error_description) : new Unreached(unreached);
}

// At another name of this server, 127.0.0.1 say, the browser refuses, in words that help nobody.
async function belonging(host, gesture) {
  try {
    return await gesture;
  } catch (error) {
    if (error.name !== "SecurityError") throw error;
    throw new Error(`Passkeys work at ${host} and not at ${location.hostname}: open this page there.`);
  }
}

// What is signed was built by the server; this page only carries it to the passkey and back.
export async function answer({ gesture, options }, finish, more = {}) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await belonging(publicKey.rpId, navigator.credentials.get({ publicKey }));
  return post(finish, { ...more, gesture, credential: credential.toJSON() });
}

export const sign = async (path, body, finish, more) => answer(await post(path, body, NOTHING), finish, more);

export async function create(path, body, finish) {
  const { gesture, options } = await post(path, body, NOTHING);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await belonging(publicKey.rp.id, navigator.credentials.create({ publicKey }));
  return post(finish, { gesture, credential: credential.toJSON() });
}

// Runs `action` when `element` is used; meanwhile nothing on the page can be pressed twice. What went wrong is said
// before the place where it was pressed, and who uses the keyboard is still there.
export function when(element, event, action) {
  for (const button of element?.querySelectorAll("button") ?? []) button.disabled = false;
  if (element) element.disabled = false; // the server sends it disabled: before this script is there it does nothing
  element?.addEventListener(event, async (happened) => {
    happened.preventDefault();
    const held = document.activeElement;
    const buttons = [...document.querySelectorAll("main button")].filter((button) => !button.disabled);
    buttons.forEach((button) => (button.disabled = true));
    problem.hidden = true;
    try {
      await action(element);
    } catch (error) {
      const closed = error.name === "NotAllowedError" || error.name === "AbortError";
      problem.textContent = closed ? "The passkey was not used. Nothing has happened." : error.message;
      problem.dataset.unreached = error instanceof Unreached ? "yes" : "";
      (element.closest("form, .decide, .actions, .of, p") ?? element).before(problem);
      problem.hidden = false;
      problem.scrollIntoView({ block: "nearest" });
    } finally {
      buttons.forEach((button) => (button.disabled = false));
      if (document.activeElement === document.body) held.focus();
    }
  });
}
