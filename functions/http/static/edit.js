// The editor, in the list and in the large view. A draft outlives the page.

import { $, Failure, change, say } from "./api.js";
import { asking } from "./ask.js";
import { fileName, words } from "./caption.js";
import { DRAFT, kept, t } from "./i18n.js";

const GOOD_LENGTH = 125;
const WORDS = ["alt_text", "caption", "long_description"];
const key = (caption, tag) => `${DRAFT}${caption.id}:${tag}`;

/** What of a caption is edited: its main text, or its text in another language. */
function part(caption, tag) {
  const main = tag === caption.language || !tag;
  return main ? caption : { ...caption.translations?.[tag], language: tag, decorative: false };
}

/**
 * Open the editor in `place`. `settle(caption, message, before)` is called when it was saved in
 * place of `before`, or without that when somebody else's words stand; `close()` whenever it has gone.
 */
export function open({ place, caption, tag = "", settle, close }) {
  const form = $("#form").content.firstElementChild.cloneNode(true);
  const field = form.elements;
  const main = !tag || tag === caption.language;
  const text = part(caption, tag);
  // The version that a person saw: another one is shown to them before theirs takes its place.
  let { version } = caption;
  let saving = false;

  const put = (values) => {
    field.alt_text.value = values.alt_text ?? "";
    field.caption.value = values.caption ?? "";
    field.long_description.value = values.long_description ?? "";
    $(".long", form).open = Boolean(values.long_description);
    field.decorative.checked = Boolean(values.decorative);
    field.language.value = values.language ?? "";
  };
  const taken = () => ({
    alt_text: field.alt_text.value,
    caption: field.caption.value,
    long_description: field.long_description.value,
    decorative: field.decorative.checked,
    language: field.language.value.trim(),
  });
  put(text);
  const before = JSON.stringify(taken());
  field.decorative.closest("label").hidden = !main;
  field.language.closest("label").hidden = !main;
  for (const name of WORDS) field[name].lang = text.language ?? "";
  form.setAttribute("aria-label", t("words_for", { name: fileName(caption) }));

  const draft = parsed(kept.get(key(caption, tag)));
  if (draft?.text && JSON.stringify(draft.text) !== before) {
    put(draft.text);
    version = draft.version;
    $(".kept", form).hidden = false;
  }
  $(".discard", form).addEventListener("click", () => {
    put(text);
    version = caption.version;
    forget();
    $(".kept", form).hidden = true;
    refresh();
    field.alt_text.focus();
  });
  const forget = () => kept.forget(key(caption, tag));

  const refresh = () => {
    field.alt_text.disabled = field.decorative.checked;
    const length = [...new Intl.Segmenter().segment(field.alt_text.value)].length;
    const long = length > GOOD_LENGTH ? ` ${t("too_long", { count: length - GOOD_LENGTH })}` : "";
    $(".count", form).textContent = field.decorative.checked ? "" : `${t("characters", { count: length })}${long}`;
  };
  asking({
    form,
    caption,
    language: () => (main ? field.language.value.trim() : tag),
    insert: (name, answer) => {
      if (name === "alt_text") field.decorative.checked = false;
      field[name].value = `${field[name].value.trimEnd()} ${answer}`.trimStart();
      field[name].dispatchEvent(new Event("input", { bubbles: true }));
      field[name].focus();
    },
  });
  const leave = () => {
    if (!form.isConnected) return;
    form.remove();
    close();
  };

  const done = (after, said, replaced) => {
    forget();
    leave();
    settle(after, t(said, { name: fileName(after) }), replaced);
  };

  /** What is written while the server is at it would be saved by nobody. */
  function busy(is) {
    saving = is;
    for (const each of form.querySelectorAll("button")) each.disabled = is;
    for (const name of [...WORDS, "language"]) field[name].readOnly = is;
  }

  async function save(known = caption) {
    $(".wrong", form).textContent = "";
    busy(true);
    try {
      done(await change(known, asked(taken(), known, tag, main), version), "saved", known);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.status !== 412) return tell(error.message);
      const theirs = error.caption;
      // The answer to an earlier try was lost.
      if (says(part(theirs, tag), taken())) return done(theirs, "saved", known);
      const choice = await choose(part(theirs, tag), taken());
      if (choice === "theirs") return done(theirs, "theirs_stands");
      if (choice !== "yours") return field.alt_text.focus();
      ({ version } = theirs);
      await save(theirs);
    } finally {
      busy(false);
      if (form.isConnected && document.activeElement === document.body) $(".save", form).focus();
    }
  }

  const tell = (text) => (form.isConnected ? ($(".wrong", form).textContent = text) : say(text));

  form.addEventListener("input", () => {
    refresh();
    const now = JSON.stringify(taken());
    if (now === before) forget();
    else kept.set(key(caption, tag), JSON.stringify({ version, text: taken() }));
  });
  $(".cancel", form).addEventListener("click", () => (forget(), leave()));
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === "Escape" && !event.isComposing) {
      leave();
      if (kept.get(key(caption, tag))) say(t("draft_kept"));
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!saving) save();
  });
  place(form);
  refresh();
  (field.alt_text.disabled ? field.decorative : field.alt_text).focus();
}

function parsed(draft) {
  try {
    return JSON.parse(draft);
  } catch {
    return null;
  }
}

/** Whether a text that is stored says what a draft does. */
function says(text, draft) {
  const flat = (words = "") => words.replace(/\s+/g, " ").trim();
  const kind = Boolean(text.decorative) === draft.decorative && (!draft.language || draft.language === text.language);
  return kind && WORDS.every((name) => (name === "alt_text" && draft.decorative) || flat(text[name]) === flat(draft[name]));
}

function asked(values, caption, tag, main) {
  const { alt_text, caption: said, long_description } = values;
  if (!main) return { translations: { [tag]: { alt_text, caption: said, long_description } } };
  const wanted = { caption: said, decorative: values.decorative };
  if (long_description !== (caption.long_description ?? "")) wanted.long_description = long_description;
  if (!values.decorative) wanted.alt_text = values.alt_text;
  if (values.language && values.language !== caption.language) wanted.language = values.language;
  return wanted;
}

function choose(theirs, yours) {
  const dialog = $("#conflict");
  for (const [side, text] of Object.entries({ theirs, yours })) {
    $(`.${side}-alt`, dialog).textContent = words({ status: "captioned", ...text });
    $(`.${side}-caption`, dialog).textContent = [text.caption, text.long_description].filter(Boolean).join("\n\n");
  }
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue), { once: true });
  });
}
