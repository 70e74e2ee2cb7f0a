// The way to the server, and the two passkey ceremonies. Every request goes to our own origin.
const base = new URL("..", import.meta.url);
const problem = document.getElementById("problem");

export const at = (path) => new URL(path, base).href;

export async function ask(path) {
  const answer = await fetch(at(path), { cache: "no-store", credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error("The server did not answer. Reload the page.");
  return answer.json();
}

export async function post(path, body) {
  const answer = await fetch(at(path), {
    method: "POST",
    headers: { "Content-Type": "application/json", "OneAct-Page": "1" },
    body: JSON.stringify(body),
    cache: "no-store",
    credentials: "same-origin",
  });
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const text = value.error_description || "The server could not be reached.";
    throw new Error(text);
  }
  return value;
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

export const sign = async (path, body, finish, more) => answer(await post(path, body), finish, more);

export async function create(path, body, finish) {
  const { gesture, options } = await post(path, body);
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
      (element.closest("form, .decide, .actions, .of, p") ?? element).before(problem);
      problem.hidden = false;
      problem.scrollIntoView({ block: "nearest" });
    } finally {
      buttons.forEach((button) => (button.disabled = false));
      if (document.activeElement === document.body) held.focus();
    }
  });
}
