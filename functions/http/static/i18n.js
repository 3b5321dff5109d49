// The page's own words, a file a language. English stands in the page, too.

export const LOCALES = { en: "English", de: "Deutsch", fr: "Français", es: "Español" };
const KEPT = "captions.locale";
export const DRAFT = "draft:";
// What the browser does not keep: it is full, or forbids it.
const unkept = new Map();
/** What the browser keeps for the next visit; the page keeps it meanwhile in any case. */
export const kept = {
  get: (key) => unkept.get(key) ?? tried(() => localStorage.getItem(key)),
  set: (key, value) => {
    kept.forget(key);
    if (!tried(() => (localStorage.setItem(key, value), true))) unkept.set(key, value);
  },
  forget: (key) => {
    unkept.delete(key);
    tried(() => localStorage.removeItem(key));
  },
};
addEventListener("beforeunload", (event) => {
  if ([...unkept.keys()].some((key) => key.startsWith(DRAFT))) event.preventDefault();
});
function tried(act) {
  try {
    return act();
  } catch {
    return null;
  }
}
let words = {};
export let locale = "en";

function wanted() {
  const asked = [kept.get(KEPT), ...navigator.languages];
  return asked.map((tag) => tag?.slice(0, 2)).find((tag) => tag in LOCALES) ?? "en";
}

export async function load(chosen) {
  if (chosen) kept.set(KEPT, chosen);
  locale = chosen ?? wanted();
  words = await (await fetch(`locales/${locale}.json`)).json();
  document.documentElement.lang = locale;
  document.title = t("title");
  translate(document);
  for (const template of document.querySelectorAll("template")) translate(template.content);
}

function translate(root) {
  for (const each of root.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  for (const each of root.querySelectorAll("[data-t-label]")) each.setAttribute("aria-label", t(each.dataset.tLabel));
  for (const each of root.querySelectorAll("[data-t-placeholder]")) each.placeholder = t(each.dataset.tPlaceholder);
}

/** The text of a key, its {names} filled in; `count` chooses among plural forms. */
export function t(key, values = {}) {
  let text = words[key] ?? key;
  if (typeof text === "object") text = text[new Intl.PluralRules(locale).select(values.count)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(locale) : (value ?? "");
  });
}

/** The plain words for a code such as a review's reason, or a rule's. */
export function plain(prefix, code) {
  return words[`${prefix}_${code}`] ?? words[`rule_${code}`] ?? code.replaceAll("_", " ");
}

export function known(prefix) {
  return Object.keys(words).filter((key) => key.startsWith(`${prefix}_`)).map((key) => key.slice(prefix.length + 1));
}
