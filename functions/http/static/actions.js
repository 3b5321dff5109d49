// What can be done to a caption besides editing, and how each is taken back.

import { Failure, ask, change, confirm, pause, post } from "./api.js";
import { fileName, isApproved, outdated } from "./caption.js";
import { t } from "./i18n.js";

const PATIENCE = 120_000, PAUSE = 700, WORDS = ["alt_text", "caption", "long_description"];

/** Approve; resolves to the caption, and to what takes it back. */
export async function approve(caption) {
  return { after: await change(caption, { approve: true }), said: t("approved", { name: fileName(caption) }) };
}

export async function accept(caption) {
  return { after: await change(caption, { accept: true }), said: t("accepted", { name: fileName(caption) }) };
}

export async function decorative(caption) {
  return { after: await change(caption, { decorative: true }), said: t("now_decorative", { name: fileName(caption) }) };
}

/** How `after` becomes what `before` was: its text, and whether it was approved. */
export function undoing(before, after, settle) {
  // As it was last left: what is taken back in part is taken back wholly by another try.
  let { version } = after;
  return async () => {
    let current = await ask(`captions/${after.id}`);
    if (current.version !== version) throw new Failure(412, { error: t("changed_since", { name: fileName(after) }) });
    if (!sameText(before, current)) {
      const { past } = await ask(`captions/${after.id}/history`);
      const wanted = past.findLast((each) => sameText(each, before));
      if (!wanted) throw new Failure(404, { error: t("no_history") });
      current = await post(`captions/${after.id}/restore`, { at: wanted.at }, version);
      ({ version } = current);
    }
    if (!isApproved(before)) {
      const { needed = false, reasons = [] } = before.review ?? {};
      current = await change(current, { approve: false, reasons: needed ? reasons : [] });
    }
    settle(current);
    return t("undone", { name: fileName(after) });
  };
}

/** Whether `other` says what `one` does, in all languages but what a model has added since. */
export function sameText(one, other) {
  const same = (here, there, names) => names.every((name) => (here?.[name] || "") === (there?.[name] || ""));
  const written = Object.entries(other.translations ?? {}).filter(([, text]) => text.source === "human");
  const tags = [...Object.keys(one.translations ?? {}), ...written.map(([tag]) => tag)];
  return same(one, other, [...WORDS, "decorative", "language"])
    && tags.every((tag) => same(one.translations?.[tag], other.translations?.[tag], WORDS));
}

/** Ask for another caption and wait for it; null if a person did not want it after all. */
export async function again(caption, tell) {
  if (isApproved(caption) || caption.source === "human") {
    const yes = await confirm({
      title: t("again_title"), text: t("again_text", { name: fileName(caption) }), yes: t("again"),
    });
    if (!yes) return null;
  }
  tell(t("captioning", { name: fileName(caption) }));
  let after = await post(`captions/${caption.id}/recaption`, {});
  const end = Date.now() + PATIENCE;
  while ((after.version === caption.version || after.status === "pending") && Date.now() < end) {
    await pause(PAUSE);
    after = await ask(`captions/${caption.id}`);
  }
  const done = after.version === caption.version ? "asked" : "captioned_anew";
  return { after, said: t(done, { name: fileName(caption) }) };
}

/** Have a model translate anew what is outdated, and wait for it. What people wrote stays. */
export async function anew(caption, tell) {
  tell(t("translating", { name: fileName(caption) }));
  let after = await post(`captions/${caption.id}/translate`, {});
  const end = Date.now() + PATIENCE;
  while (outdated(after).length && Date.now() < end) {
    await pause(PAUSE);
    after = await ask(`captions/${caption.id}`);
  }
  const done = outdated(after).length ? "asked" : "translated";
  return { after, said: t(done, { name: fileName(caption) }), undoable: false };
}
