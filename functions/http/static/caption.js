// One caption as it is shown: in the list and large. Text from captions is only ever set as text.

import { $, item } from "./api.js";
import { locale, plain, t } from "./i18n.js";

export const fileName = (caption) => caption.name.slice(caption.name.lastIndexOf("/") + 1);
export const isDoubtful = ({ status, review }) => review?.needed || ["failed", "rejected"].includes(status);
export const isApproved = ({ review }) => Boolean(review?.approved_by && !review.needed);
export const canApprove = (caption) => caption.status === "captioned" && !isApproved(caption);

/** The languages whose text a model wrote before the main one was changed. */
export function outdated({ translations }) {
  return Object.entries(translations ?? {}).filter(([, text]) => text?.outdated).map(([tag]) => tag);
}

/** A language by its name in the page's, with its tag. */
export function languageName(tag) {
  try {
    const name = new Intl.DisplayNames(locale, { type: "language", fallback: "none" }).of(tag);
    return name ? `${name} (${tag})` : tag;
  } catch {
    return tag;
  }
}

/** What stands where the image cannot be seen. */
export function words(caption) {
  if (caption.status !== "captioned" && !caption.alt_text) return t("no_alt");
  return caption.decorative ? t("decorative_words") : caption.alt_text;
}

/** What it is and how long, where it is no still image: "Video, 1 min 5 s". */
function media({ media, duration_seconds: seconds }) {
  if (!["animation", "video"].includes(media)) return "";
  const unit = (number, name) => new Intl.NumberFormat(document.documentElement.lang,
    { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: seconds < 10 ? 1 : 0 }).format(number);
  const length = !seconds ? "" : seconds < 60 ? unit(seconds, "second")
    : [unit(Math.floor(seconds / 60), "minute"), Math.round(seconds % 60) ? unit(Math.round(seconds % 60), "second") : ""].filter(Boolean).join(" ");
  return [t(`media_${media}`), length].filter(Boolean).join(", ");
}

function approval({ review }) {
  return review?.approved_by ? t("approved_by", { who: review.approved_by }) : "";
}

export function thumbnail(caption, size) {
  return `${caption.thumbnail}&size=${size}`;
}

/** Fill what the list's rows and the large view have in common. */
export function fill(root, caption) {
  const text = (selector, value) => ($(selector, root).textContent = value ?? "");
  const { review, proposal, language } = caption;
  root.classList.toggle("doubtful", isDoubtful(caption));
  text(".name", caption.bucket === "local" ? caption.name : caption.uri);
  text(".status", review?.needed ? t("needs_a_look") : t(caption.status));
  $(".status", root).className = `status ${review?.needed ? "doubt" : caption.status}`;
  const source = caption.source ? t(`by_${caption.source}`) : "";
  text(".source", [media(caption), source, language, approval(caption)].filter(Boolean).join(" · "));
  spoken($(".alt", root), words(caption), caption.alt_text ? language : "");
  $(".alt", root).classList.toggle("none", !caption.alt_text);
  spoken($(".caption", root), caption.caption === caption.alt_text ? "" : caption.caption, language);
  $(".problem", root).replaceChildren(...(caption.error ? problem(caption.error) : []));
  $(".renewal", root).hidden = !caption.renewal;
  $(".reasons", root).replaceChildren(...(review?.reasons ?? []).map((each) => item(plain("reason", each))));
  const old = caption.decorative ? [] : outdated(caption);
  $(".stale", root).hidden = !old.length;
  text(".which", old.length ? t("outdated_languages", { languages: old.map(languageName).join(", ") }) : "");
  $(".proposal", root).hidden = !proposal;
  if (proposal) difference($(".proposed", root), caption, proposal);
  $(".accept", root).hidden = !proposal;
  $(".approve", root).hidden = !canApprove(caption);
}

/** What went wrong: in the page's language, and what the server says of it in English. */
function problem({ reason, message }) {
  const detail = item(message ?? "", "span");
  detail.lang = "en";
  return [reason ? `${plain("error", reason)}: ` : "", detail];
}

function spoken(element, text, language) {
  element.textContent = text ?? "";
  if (language) element.lang = language;
  else element.removeAttribute("lang");
}

/** The proposal, with what it adds and what it leaves out marked. */
export function difference(element, caption, proposal) {
  element.lang = proposal.language ?? caption.language ?? "";
  if (proposal.decorative) {
    element.textContent = t("decorative_words");
    return;
  }
  const split = (text) => (text ?? "").split(/(?<=\s)/).filter(Boolean);
  element.replaceChildren(...merged(split(caption.alt_text), split(proposal.alt_text)));
}

/** Longest common subsequence of two lists of words, as text, `ins` and `del`. */
function merged(before, after) {
  const length = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      length[i][j] = before[i] === after[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const parts = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) [parts.push(["", after[j]]), i++, j++];
    else if (j < after.length && (i === before.length || length[i][j + 1] >= length[i + 1][j])) parts.push(["ins", after[j++]]);
    else parts.push(["del", before[i++]]);
  }
  const runs = [];
  for (const [kind, word] of parts) {
    if (runs.at(-1)?.kind === kind) runs.at(-1).text += word;
    else runs.push({ kind, text: word });
  }
  return runs.map(({ kind, text }) => (kind ? item(text, kind) : document.createTextNode(text)));
}
