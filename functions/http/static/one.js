// One picture large, its text, why it is here, and what is decided about it.

import { $, Failure, ask, item, say } from "./api.js";
import * as actions from "./actions.js";
import { difference, fileName, fill, languageName, thumbnail } from "./caption.js";
import { open as edit } from "./edit.js";
import { t } from "./i18n.js";

const KEYS = { a: "approve", e: "edit", d: "decorative", r: "again", j: "forth", k: "back", Escape: "leave" };
const AHEAD = 10, PAGE = 50;

export class OneByOne {
  /** `changed`, `moved` and `left` are told of what happens; `wanted` says which captions. */
  constructor({ root, wanted, changed, total, moved, left }) {
    Object.assign(this, { root, wanted, changed, total, moved, left });
    this.queue = [];
  }

  /** `skipped` captions came before the queue. */
  begin(caption, queue, next, skipped) {
    this.skipped = skipped;
    this.queue = queue.some((each) => each.id === caption.id) ? queue : [caption, ...queue];
    this.next = next;
    this.show(this.queue.findIndex((each) => each.id === caption.id));
  }

  get caption() {
    return this.queue[this.index];
  }

  show(index, tag = "") {
    this.index = index;
    this.tag = tag;
    const { caption } = this;
    const article = $("#large").content.firstElementChild.cloneNode(true);
    this.root.replaceChildren(article);
    fill(article, caption);
    this.moved(caption);
    this.place();
    $(".why", article).hidden = !caption.review?.reasons?.length;
    this.picture(article, caption);
    this.languages(article, caption);
    this.facts(article, caption);
    $(".original", article).href = caption.image;
    $(".back", article).disabled = index === 0;
    for (const name of Object.values(KEYS)) {
      $(`.${name}`, article).addEventListener("click", () => this.act(name));
    }
    $(".accept", article).addEventListener("click", () => this.act("accept"));
    $(".anew", article).addEventListener("click", () => this.act("anew"));
    $(".past", article).addEventListener("toggle", (event) => this.past(event.target), { once: true });
    $(".name", article).focus({ preventScroll: true });
    article.scrollIntoView({ block: "start" });
    this.ahead();
  }

  /** Say where in the queue this is, as soon as its length is known. */
  place() {
    const place = $(".place", this.root);
    if (!place) return;
    place.textContent = this.total()
      ? t("place", { number: this.skipped + this.index + 1, count: Math.max(this.total(), this.skipped + this.queue.length) }) : "";
  }

  picture(article, caption) {
    const picture = $(".stage img", article);
    picture.alt = "";
    picture.addEventListener("error", () => {
      picture.hidden = true;
      $(".unseen", article).hidden = false;
      // What nobody has seen is not approved by a key.
      $(".approve", article).disabled = true;
    });
    picture.src = thumbnail(caption, 1024);
  }

  languages(article, caption) {
    const tags = [caption.language, ...Object.keys(caption.translations ?? {})].filter(Boolean);
    const tabs = $(".languages", article);
    tabs.hidden = tags.length < 2;
    const panel = $(".text", article);
    panel.id = "panel";
    tabs.replaceChildren(...tags.map((tag, number) => {
      const tab = item(languageName(tag), "button");
      const current = tag === (this.tag || caption.language);
      Object.assign(tab, { type: "button", id: `tab-${tag}`, tabIndex: current ? 0 : -1 });
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", current);
      tab.setAttribute("aria-controls", "panel");
      tab.addEventListener("click", () => this.turn(tag));
      tab.addEventListener("keydown", (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (by) this.turn(tags[(number + by + tags.length) % tags.length]);
      });
      return tab;
    }));
    if (!tabs.hidden) panel.setAttribute("aria-labelledby", `tab-${this.tag || caption.language}`);
    const other = this.tag && this.tag !== caption.language && caption.translations?.[this.tag];
    if (!other) return;
    const proposed = caption.proposal?.translations?.[this.tag];
    $(".proposal", article).hidden = !proposed;
    if (proposed) difference($(".proposed", article), other, { ...proposed, language: this.tag });
    for (const name of ["alt", "caption"]) {
      const element = $(`.${name}`, panel);
      element.lang = this.tag;
      element.classList.remove("none");
      element.textContent = other[name === "alt" ? "alt_text" : "caption"] ?? "";
    }
    $(".outdated", panel).hidden = !other.outdated;
    $(".whose", panel).textContent = other.source ? t(`by_${other.source}`) : "";
  }

  turn(tag) {
    this.show(this.index, tag);
    $(`#tab-${CSS.escape(tag)}`, this.root)?.focus();
  }

  facts(article, caption) {
    const rows = {
      visible_text: caption.visible_text,
      long_description: caption.long_description,
      tags: caption.tags?.join(", "),
      similarity: caption.similarity?.toFixed(2),
      size: caption.width ? `${caption.width} × ${caption.height}` : "",
      model: caption.model_version || caption.model,
    };
    $(".facts", article).replaceChildren(...Object.entries(rows).filter(([, value]) => value).flatMap(
      ([name, value]) => [item(t(`fact_${name}`), "dt"), Object.assign(item(value, "dd"), { dir: "auto" })]));
  }

  async past(details) {
    const list = $("ol", details);
    try {
      const { past } = await ask(`captions/${this.caption.id}/history`);
      list.replaceChildren(...past.toReversed().map((each) => {
        const when = each.at ? new Date(each.at).toLocaleString() : "";
        const who = each.by || (each.source ? t(`by_${each.source}`) : "");
        return item([when, who, each.decorative ? t("decorative_words") : each.alt_text].filter(Boolean).join(" · "));
      }));
      if (!past.length) list.replaceChildren(item(t("no_history")));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      list.replaceChildren(item(error.message));
    }
  }

  /** Have the next pictures and the next page loaded before they are looked at. */
  async ahead() {
    for (const each of this.queue.slice(this.index + 1, this.index + 3)) new Image().src = thumbnail(each, 1024);
    if (!this.next || this.loading || this.queue.length - this.index > AHEAD) return;
    this.loading = true;
    const { path, parameters } = this.wanted();
    try {
      const page = await ask(`${path}?${new URLSearchParams({ ...parameters, limit: PAGE, cursor: this.next })}`);
      const there = new Set(this.queue.map((each) => each.id));
      this.queue.push(...page.captions.filter((each) => !there.has(each.id)));
      this.next = page.next;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      say(error.message);
    } finally {
      this.loading = false;
    }
  }

  key(event) {
    const name = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    const button = name && $(`.${name}`, this.root);
    if (!button?.checkVisibility() || button.disabled) return;
    // Who holds a key down looks at pictures, and decides on one.
    if (event.repeat && !["forth", "back"].includes(name)) return;
    event.preventDefault();
    this.act(name);
  }

  forth(said) {
    if (this.index + 1 < this.queue.length) return this.show(this.index + 1);
    if (said) this.leave(said);
    else say(t("last"));
  }

  leave() {
    const { caption } = this;
    this.root.replaceChildren();
    this.left(caption);
  }

  async act(name) {
    if (name === "leave") return this.leave();
    if (name === "forth") return this.forth();
    if (name === "back") return this.index ? this.show(this.index - 1) : undefined;
    if (name === "edit") return this.edit();
    const { index, caption: before } = this;
    // Who waits for a model may look at others meanwhile.
    const article = this.root.firstElementChild;
    const buttons = [...article.querySelectorAll(".deciding button, .anew")].filter((each) => !each.disabled);
    for (const each of buttons) each.disabled = true;
    try {
      const done = await actions[name](before, say);
      if (!done) return;
      this.settle(index, before, done.after, done.said, done.undoable);
      if (!article.isConnected) return;
      if (name === "approve" || name === "decorative") this.forth(done.said);
      else this.show(index, name === "anew" ? this.tag : "");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.status === 412) {
        this.queue[index] = error.caption;
        if (article.isConnected) this.show(index);
        say(t("look_again", { name: fileName(before) }));
      } else say(error.message);
    } finally {
      for (const each of buttons) each.disabled = false;
    }
  }

  edit() {
    const { index, caption: before } = this;
    const panel = $(".text", this.root);
    // Decisions are about the words that are shown.
    const article = this.root.firstElementChild;
    article.classList.add("editing");
    edit({
      caption: before,
      tag: this.tag,
      place: (form) => panel.after(form),
      settle: (after, said, replaced) => {
        this.settle(index, before, after, said, Boolean(replaced), replaced);
        if (article.isConnected) this.show(index, this.tag);
      },
      close: () => {
        article.classList.remove("editing");
        if (article.isConnected) $(".edit", article).focus();
      },
    });
  }

  settle(index, before, after, said, undoable = true, replaced = before) {
    this.queue[index] = after;
    this.changed(before, after);
    say(said, undoable && actions.undoing(replaced, after, (caption) => {
      this.queue[index] = caption;
      this.changed(after, caption);
      if (!this.root.hidden) this.show(index, index === this.index ? this.tag : "");
    }));
  }
}
