// What the server is asked, and what a person is told of it.

import { t } from "./i18n.js";

export const $ = (selector, root = document) => root.querySelector(selector);
export const JSON_TYPE = { "Content-Type": "application/json" };
export const pause = (time) => new Promise((done) => setTimeout(done, time));

export class Failure extends Error {
  constructor(status, answer) {
    super();
    Object.assign(this, { status, answer });
  }

  /** In the page's language, once that is loaded; what the server says is in English. */
  get message() {
    return this.answer.error ?? t(WORDS[this.status] ?? "answers", { status: this.status });
  }

  /** The caption as it is now, where it has changed since a person saw it. */
  get caption() {
    const { error, ...caption } = this.answer;
    return caption;
  }
}

const WORDS = { 0: "unreachable", 401: "signed_out", 403: "forbidden", 429: "busy", 502: "busy", 503: "busy", 504: "busy" };

export async function ask(path, options = {}) {
  let answer;
  try {
    // A proxy that signs people in answers such a request by 401, and not by its own page.
    const headers = { ...options.headers, "X-Requested-With": "XMLHttpRequest" };
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Failure(0, {});
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Failure(answer.status === 412 && !body?.id ? 502 : answer.status, body ?? {});
  if (!body) throw new Failure(401, {});
  return body;
}

/** With a version only where that is still what stands there. */
export function post(path, body, version) {
  const headers = { ...JSON_TYPE, ...(version && { "If-Match": `"${version}"` }) };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

export function change(caption, wanted, version = caption.version) {
  return ask(`captions/${caption.id}`, {
    method: "PATCH",
    headers: { ...JSON_TYPE, "If-Match": `"${version}"` },
    body: JSON.stringify(wanted),
  });
}

const SHOWN = 12_000;
// After these, what was to be taken back is no longer there.
const FINAL = [404, 412, 422];
let silence, takingBack = false;
const undos = [];
export function say(text, undo) {
  clearTimeout(silence);
  $("#said").textContent = text;
  if (undo) undos.push(undo);
  const focused = document.activeElement === $("#undo");
  $("#undo").hidden = !undo;
  if (focused && !undo) ($("#one .name") ?? $("#captions")).focus({ preventScroll: true });
  silence = setTimeout(hush, SHOWN);
}

function hush() {
  // Not from under somebody's hand.
  if ($("#toast").matches(":hover, :focus-within")) return (silence = setTimeout(hush, SHOWN));
  $("#said").textContent = "";
  $("#undo").hidden = true;
}

/** Take back the latest thing that can be; what it was is said. */
export async function undo() {
  if (takingBack) return;
  const latest = undos.pop();
  if (!latest) return say(t("nothing_to_undo"));
  takingBack = true;
  try {
    say(await latest());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(error.message, FINAL.includes(error.status) ? undefined : latest);
  } finally {
    takingBack = false;
  }
}

/** Ask for a decision; resolves to whether it is yes. */
export function confirm({ title, text, list = [], yes }) {
  const dialog = $("#ask");
  $("#ask-title").textContent = title;
  $("#ask-text").textContent = text;
  $("#ask-list").replaceChildren(...list.map((each) => item(each)));
  $("#ask-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}

export function item(text, name = "li") {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
