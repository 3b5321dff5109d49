// What the server is asked, and what a person is told of it.

import { t } from "./i18n.js";

export const $ = (selector, root = document) => root.querySelector(selector);
export const JSON_TYPE = { "Content-Type": "application/json" };
export const pause = (time) => new Promise((done) => setTimeout(done, time));

export class Failure extends Error {
  constructor(status, answer) {
    super(answer.error ?? t("answers", { status }));
    this.status = status;
    this.answer = answer;
  }
}

export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Failure(0, { error: t("unreachable") });
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Failure(answer.status, body);
  return body;
}

export function post(path, body) {
  return ask(path, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });
}

export function change(caption, wanted, version = caption.version) {
  return ask(`captions/${caption.id}`, {
    method: "PATCH",
    headers: { ...JSON_TYPE, "If-Match": `"${version}"` },
    body: JSON.stringify(wanted),
  });
}

let silence;
const undos = [];
export function say(text, undo) {
  clearTimeout(silence);
  $("#said").textContent = text;
  if (undo) undos.push(undo);
  $("#undo").hidden = !undo;
  silence = setTimeout(() => {
    $("#said").textContent = "";
    $("#undo").hidden = true;
  }, 12_000);
}

/** Take back the latest thing that can be; what it was is said. */
export async function undo() {
  const latest = undos.pop();
  if (!latest) return say(t("nothing_to_undo"));
  try {
    say(await latest());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(error.message);
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
