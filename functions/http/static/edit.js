// The editor, in the list and in the large view. A draft outlives the page.

import { $, Failure, change, say } from "./api.js";
import { asking } from "./ask.js";
import { fileName, words } from "./caption.js";
import { kept, t } from "./i18n.js";

const GOOD_LENGTH = 125;
const key = (caption, tag) => `draft:${caption.id}:${tag}`;

/** What of a caption is edited: its main text, or its text in another language. */
function part(caption, tag) {
  const main = tag === caption.language || !tag;
  return main ? caption : { ...caption.translations?.[tag], language: tag, decorative: false };
}

/**
 * Open the editor in `place`. `settle(caption, message, undoable)` is called when it was saved,
 * `close()` whenever it has gone.
 */
export function open({ place, caption, tag = "", settle, close }) {
  const form = $("#form").content.firstElementChild.cloneNode(true);
  const field = form.elements;
  const main = !tag || tag === caption.language;
  const text = part(caption, tag);
  let current = caption;

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
  for (const name of ["alt_text", "caption", "long_description"]) field[name].lang = text.language ?? "";
  form.setAttribute("aria-label", t("words_for", { name: fileName(caption) }));

  const draft = parsed(kept.get(key(caption, tag)));
  if (draft && JSON.stringify(draft) !== before) {
    put(draft);
    $(".kept", form).hidden = false;
  }
  $(".discard", form).addEventListener("click", () => {
    put(text);
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
    form.remove();
    close();
  };

  async function save() {
    $(".wrong", form).textContent = "";
    const wanted = asked(taken(), current, tag, main);
    for (const each of form.querySelectorAll("button")) each.disabled = true;
    try {
      const saved = await change(current, wanted);
      forget();
      leave();
      settle(saved, t("saved", { name: fileName(saved) }));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.status !== 412) {
        $(".wrong", form).textContent = error.message;
        return;
      }
      const theirs = error.answer;
      const choice = await choose(theirs, taken());
      if (choice === "theirs") {
        forget();
        leave();
        settle(theirs, t("theirs_stands", { name: fileName(theirs) }));
      } else if (choice === "yours") {
        current = theirs;
        await save();
      } else field.alt_text.focus();
    } finally {
      for (const each of form.querySelectorAll("button")) each.disabled = false;
    }
  }

  form.addEventListener("input", () => {
    refresh();
    const now = JSON.stringify(taken());
    if (now === before) forget();
    else kept.set(key(caption, tag), now);
  });
  $(".cancel", form).addEventListener("click", () => (forget(), leave()));
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === "Escape" && !event.isComposing) leave();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
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
  for (const [side, version] of [["theirs", theirs], ["yours", { ...yours, status: "captioned" }]]) {
    $(`.${side}-alt`, dialog).textContent = words(version);
    $(`.${side}-caption`, dialog).textContent = version.caption ?? "";
  }
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue), { once: true });
  });
}
