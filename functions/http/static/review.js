// The review page: which captions, as a list, and what is done to many of them at once.

import { $, Failure, ask, confirm, item, post, say, undo } from "./api.js";
import * as actions from "./actions.js";
import { fileName, fill, thumbnail, words } from "./caption.js";
import { open as edit } from "./edit.js";
import { LOCALES, kept, known, load as loadWords, locale, plain, t } from "./i18n.js";
import { importing } from "./import.js";
import { OneByOne } from "./one.js";
import { uploading } from "./uploads.js";

const PAGE = 50, TYPING = 300, MOST_AT_ONCE = 500, AT_ONCE = 8, LOOKING = 4000;
const [filters, list, empty] = ["#filters", "#captions", "#empty"].map((id) => $(id));
const local = "uploads" in document.body.dataset;
// The list is asked for meanwhile.
const ready = loadWords();

// --- which captions: the address says it, so that back and forward and links work ---

function wanted() {
  const form = Object.fromEntries([...new FormData(filters)].filter(([, value]) => value.trim()));
  const { show, by, order, ...rest } = form;
  const review = { review: "needed", ...(order && { order }) };
  const state = show === "review" ? review : show ? { status: show } : {};
  return { form, path: by && rest.q ? "search" : "captions", parameters: { ...rest, ...state } };
}

function address(more = {}) {
  const query = new URLSearchParams({ ...wanted().form, ...view(), ...more });
  return query.size ? `?${query}` : location.pathname;
}

const view = () => (list.classList.contains("grid") ? { view: "grid" } : {});
const at = (name) => new URLSearchParams(location.search).get(name) ?? "";
/** Which page of the list it is; those before it are the state of the address. */
const here = () => (at("cursor") ? { cursor: at("cursor"), from: at("from") } : {});

function fromAddress() {
  const parameters = new URLSearchParams(location.search);
  for (const field of filters.elements) {
    if (!field.name) continue;
    field.value = parameters.get(field.name) ?? "";
    if (field.selectedIndex === -1) field.value = "";
  }
  const further = [...$("#further").querySelectorAll("[name]")];
  if (further.some((each) => each.value)) $("#further").open = true;
  grid(parameters.get("view") === "grid");
}

function grid(on) {
  list.classList.toggle("grid", on);
  $("#view").setAttribute("aria-pressed", on);
}

// --- the list ---

const skipped = () => Number(at("from")) || 0;
const needed = ({ review }) => Number(review?.needed ?? false);

/** The list anew, and its totals: much may have changed. */
function reload() {
  counts = {};
  return load();
}

let latest = 0, next = null, counts = {}, newest;
const chosen = new Map();

async function load(cursor = at("cursor")) {
  const mine = ++latest;
  const { form, path, parameters } = wanted();
  $("#order").hidden = !parameters.review;
  list.setAttribute("aria-busy", "true");
  try {
    const query = new URLSearchParams({ ...parameters, limit: PAGE, ...(cursor && { cursor }) });
    const [page] = await Promise.all([ask(`${path}?${query}`), ready]);
    if (mine !== latest) return;
    filled(page.captions);
    next = page.next;
    found(form, page.by);
    count(parameters, path === "search" ? page.captions.length : null);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await ready;
    if (mine !== latest) return;
    if (cursor && error.status === 400) {
      // A page of another order, or of long ago: the first one is there.
      history.replaceState(null, "", address());
      return load("");
    }
    list.replaceChildren();
    next = null;
    $("#found").textContent = t("cannot_be_shown");
    tellEmpty(error.message, true);
  } finally {
    list.removeAttribute("aria-busy");
    $("#before").hidden = !at("cursor");
    $("#after").hidden = !next;
    selected();
  }
}

/** The rows anew; who writes in one goes on, with the draft that is kept. */
function filled(captions) {
  const written = [...list.children].filter((row) => $(".editor", row)).map(({ id }) => id);
  const focused = document.activeElement;
  list.replaceChildren(...captions.map(made));
  for (const row of list.children) if (written.includes(row.id)) editRow(row);
  if (focused.isConnected) focused.focus();
}

function tellEmpty(text, broken = false) {
  empty.hidden = list.childElementCount > 0;
  empty.className = broken ? "broken" : "";
  empty.textContent = text;
}

function found(form, by) {
  const some = Object.keys(form).length;
  tellEmpty(some ? t("nothing_matches") : t(local ? "none_here" : "none_yet"));
  const fallback = form.by && form.q && by === "words" ? ` ${t("by_words")}` : "";
  $("#found").textContent = `${t("shown", { count: list.childElementCount })}${fallback}`;
}

/** Totals, apart from the list, which does not wait for them: counted once, and not a page. */
async function count({ order, ...parameters }, exact) {
  const mine = latest, known = counts;
  const filters = `${new URLSearchParams(parameters)}`;
  if (known.filters !== filters) known.matching = 0;
  try {
    const wanted = { "": ["all"], "review=needed": ["left"] }[filters];
    const asked = [
      known.all === undefined && ask("counts?fields=all,review_needed"),
      exact === null && !wanted && known.filters !== filters && ask(`counts?fields=all&${filters}`),
    ];
    const [totals, some] = await Promise.all(asked);
    if (totals) Object.assign(known, { all: totals.all ?? 0, left: totals.review_needed ?? 0 });
    if (mine !== latest) return;
    if (exact !== null || wanted) known.matching = exact ?? known[wanted];
    else if (some) known.matching = some.all;
    known.filters = exact === null ? filters : undefined;
    left(0);
    const begin = skipped();
    const end = begin + list.childElementCount;
    const range = counts.matching && end > begin ? t("range", { begin: begin + 1, end, count: counts.matching }) : "";
    $("#range").textContent = range;
    if (range && counts.matching > list.childElementCount) $("#found").textContent = range;
    one.place();
    selected();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

function made(caption) {
  const row = $("#row").content.firstElementChild.cloneNode(true);
  row.caption = caption;
  row.id = `caption-${caption.id}`;
  refill(row, caption);
  const picture = $(".picture img", row);
  picture.addEventListener("error", () => $(".picture", row).classList.add("blank"));
  $(".open", row).addEventListener("click", () => show(row.caption));
  $(".edit", row).addEventListener("click", () => editRow(row));
  for (const act of ["approve", "accept"]) {
    $(`.${act}`, row).addEventListener("click", () => decide(row, actions[act]));
  }
  $(".anew", row).addEventListener("click", () => decide(row, (caption) => actions.anew(caption, say)));
  $(".again", row).addEventListener("click", () => decide(row, (caption) => actions.again(caption, say)));
  $(".selected", row).addEventListener("change", (event) => {
    if (event.target.checked) chosen.set(row.caption.id, row.caption);
    else chosen.delete(row.caption.id);
    selected();
  });
  return row;
}

function refill(row, caption) {
  row.caption = caption;
  fill(row, caption);
  const name = fileName(caption);
  $(".name", row).id = `name-${caption.id}`;
  for (const each of row.querySelectorAll(".actions button")) each.setAttribute("aria-describedby", `name-${caption.id}`);
  $(".selected", row).checked = chosen.has(caption.id);
  $(".selected", row).setAttribute("aria-label", t("select", { name }));
  $(".open", row).setAttribute("aria-label", t("open", { name }));
  const picture = $(".picture img", row);
  const source = thumbnail(caption, 240);
  if (picture.getAttribute("src") !== source) {
    picture.srcset = `${source} 1x, ${thumbnail(caption, 480)} 2x`;
    picture.src = source;
  }
}

/** Show what has come of a row, with a way back; a row that no filter wants any more goes. */
function settle(row, after, said, undoable = true, replaced = row.caption) {
  const before = row.caption;
  refill(row, after);
  const but = after.unlabelled ? ` ${t("unlabelled", { why: after.unlabelled })}` : "";
  const back = undoable && actions.undoing(replaced, after, (caption) => {
    if (row.isConnected) refill(row, caption);
    else load();
  });
  say(`${said}${but}`, back || undefined);
  left(needed(after) - needed(before));
  if (at("show") === "review" && !after.review?.needed) gone(row);
}

function gone(row) {
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  if (!neighbour) return load();
  const button = [".approve", ".edit"].map((each) => $(each, neighbour)).find((each) => !each.hidden);
  button.focus();
}

/** Some more or fewer are left to be reviewed. */
function left(by) {
  counts.left = Math.max(0, (counts.left ?? 0) + by);
  if (counts.filters === "review=needed") counts.matching = counts.left;
  $("#left").textContent = t("left", { left: counts.left, all: counts.all ?? 0 });
  $("#share").value = counts.all ? 1 - counts.left / counts.all : 0;
}

async function decide(row, act) {
  const focused = document.activeElement;
  const buttons = [...row.querySelectorAll("button")];
  for (const each of buttons) each.disabled = true;
  try {
    const done = await act(row.caption);
    if (done) settle(row, done.after, done.said, done.undoable);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status === 412) {
      refill(row, error.caption);
      say(t("look_again", { name: fileName(row.caption) }));
    } else say(error.message);
  } finally {
    for (const each of buttons) each.disabled = false;
  }
  if (!row.isConnected || document.activeElement !== document.body) return;
  (focused.checkVisibility() ? focused : $(".edit", row)).focus();
}

function editRow(row) {
  const hidden = [".alt", ".caption", ".words > .actions"].map((each) => $(each, row));
  for (const each of hidden) each.hidden = true;
  edit({
    caption: row.caption,
    place: (form) => $(".marks", row).after(form),
    settle: (after, said, replaced) => settle(row, after, said, Boolean(replaced), replaced),
    close: () => {
      for (const each of hidden) each.hidden = false;
      if (row.isConnected) $(".edit", row).focus();
    },
  });
}

// --- many at once ---

/** What of a caption is needed to decide on it, and to take that back: there may be thousands. */
function picked({ id, version, name, status, alt_text, caption, long_description, decorative, language, translations, review }) {
  return { id, version, name, status, alt_text, caption, long_description, decorative, language, translations, review };
}

function selected() {
  $("#selection").hidden = chosen.size === 0;
  $("#chosen").textContent = t("chosen", { count: chosen.size });
  const rows = [...list.children];
  $("#page-selected").checked = rows.length > 0 && rows.every((row) => chosen.has(row.caption.id));
  const all = $("#selection .all-matching");
  all.hidden = !counts.matching || counts.matching <= chosen.size;
  all.textContent = t("select_all", { count: counts.matching ?? 0 });
}

$("#page-selected").addEventListener("change", ({ target }) => {
  for (const row of list.children) {
    if (target.checked) chosen.set(row.caption.id, row.caption);
    else chosen.delete(row.caption.id);
    $(".selected", row).checked = target.checked;
  }
  selected();
});

$("#selection .none").addEventListener("click", () => {
  chosen.clear();
  for (const row of list.children) $(".selected", row).checked = false;
  selected();
  list.focus();
});

$("#selection .all-matching").addEventListener("click", async ({ target }) => {
  target.disabled = true;
  try {
    const { path, parameters } = wanted();
    let cursor = "";
    do {
      const page = await ask(`${path}?${new URLSearchParams({ ...parameters, limit: 100, ...(cursor && { cursor }) })}`);
      for (const each of page.captions) chosen.set(each.id, picked(each));
      $("#chosen").textContent = t("chosen", { count: chosen.size });
      cursor = page.next;
    } while (cursor);
    for (const row of list.children) $(".selected", row).checked = chosen.has(row.caption.id);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(error.message);
  } finally {
    target.disabled = false;
    selected();
  }
});

for (const button of document.querySelectorAll("#selection [data-act]")) {
  button.addEventListener("click", () => many(button.dataset.act));
}

async function many(act) {
  const captions = [...chosen.values()];
  const some = captions.slice(0, 8).map((each) => `${fileName(each)}: ${words(each)}`);
  if (captions.length > some.length) some.push(t("and_more", { count: captions.length - some.length }));
  const yes = await confirm({
    title: t(`many_${act}`, { count: captions.length }), text: t(`many_${act}_text`), list: some, yes: t("do_it"),
  });
  if (!yes) return;
  const results = {};
  for (let start = 0; start < captions.length; start += MOST_AT_ONCE / 10) {
    say(t("working", { done: start, count: captions.length }));
    const some = captions.slice(start, start + MOST_AT_ONCE / 10);
    const ids = some.map((each) => each.id);
    const versions = Object.fromEntries(some.map((each) => [each.id, each.version]));
    try {
      Object.assign(results, (await post("./captions:batch", { ids, versions, [act]: true })).captions);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      for (const id of ids) results[id] = { done: false, error: error.message };
    }
  }
  const done = captions.filter((each) => results[each.id].done);
  const failed = captions.filter((each) => !results[each.id].done);
  for (const each of done) chosen.delete(each.id);
  await reload();
  const back = act === "recaption" || !done.length ? undefined : () => allBack(done, results);
  say(t("many_done", { done: done.length, count: captions.length }), back);
  if (failed.length) {
    await confirm({
      title: t("many_failed", { count: failed.length }), text: "",
      list: failed.map((each) => `${fileName(each)}: ${results[each.id].error}`), yes: t("close"),
    });
  }
}

async function allBack(captions, results) {
  let count = 0;
  const waiting = [...captions];
  const some = async () => {
    for (let before; (before = waiting.shift()); ) {
      try {
        await actions.undoing(before, { ...before, version: results[before.id].version }, () => {})();
        count++;
        say(t("working", { done: count, count: captions.length }));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  reload();
  return t("many_undone", { done: count, count: captions.length });
}

// --- one by one ---

const one = new OneByOne({
  root: $("#one"),
  wanted: () => wanted(),
  changed: (before, after) => {
    left(needed(after) - needed(before));
    const row = document.getElementById(`caption-${after.id}`);
    if (row) refill(row, after);
  },
  total: () => counts.matching,
  moved: (caption) => history.replaceState(history.state, "", address({ ...here(), caption: caption.id })),
  left: (caption) => {
    history.replaceState(history.state, "", address(here()));
    visible(false);
    load().then(() => {
      const row = caption && document.getElementById(`caption-${caption.id}`);
      (row ? $(".open", row) : $("#start")).focus();
    });
  },
});

function begin(caption) {
  one.begin(caption, [...list.children].map((row) => row.caption), next, skipped());
}

function visible(large) {
  $("#one").hidden = !large;
  $("#many").hidden = large;
  document.body.classList.toggle("large", large);
}

function show(caption) {
  history.pushState(history.state, "", address({ ...here(), caption: caption.id }));
  visible(true);
  begin(caption);
}

$("#start").addEventListener("click", async () => {
  if (!filters.elements.show.value) filters.elements.show.value = "review";
  history.pushState(null, "", address());
  await load("");
  const first = list.firstElementChild;
  if (first) show(first.caption);
  else say(t("nothing_to_review"));
});

// --- what a person does to the page ---

function go(page = {}, before = []) {
  history.pushState(before, "", address(page));
  return load(page.cursor ?? "");
}

async function turn(page, before) {
  if (list.hasAttribute("aria-busy")) return;
  await go(page, before);
  list.focus();
  list.scrollIntoView();
}

let typing;
filters.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => go(), TYPING);
});
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  go();
});
filters.addEventListener("reset", () => setTimeout(() => go()));
$("#after").addEventListener("click", () => {
  turn({ cursor: next, from: skipped() + list.childElementCount }, [...(history.state ?? []), here()]);
});
// Who comes by a link has no page before it: the first one is there.
$("#before").addEventListener("click", () => turn(history.state?.at(-1), history.state?.slice(0, -1)));
$("#view").addEventListener("click", () => {
  grid(!list.classList.contains("grid"));
  history.replaceState(history.state, "", address(here()));
});
$("#undo").addEventListener("click", undo);
$("#export").addEventListener("click", (event) => {
  const { parameters } = wanted();
  event.currentTarget.href = `export.csv?${new URLSearchParams(parameters)}`;
});
addEventListener("popstate", arrive);
addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!$("#single-keys").checked) return;
  if (event.key === "?") return $("#keys").showModal();
  if (event.key.toLowerCase() === "z") return undo();
  if (!$("#one").hidden) one.key(event);
});
document.addEventListener("click", (event) => {
  if (event.target.closest(".help")) $("#keys").showModal();
  if (!event.target.closest(".menu, dialog")) $(".menu").open = false;
});
$(".menu").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  $(".menu").open = false;
  $(".menu summary").focus();
});
$("#single-keys").checked = kept.get("captions.keys") !== "off";
$("#single-keys").addEventListener("change", ({ target }) => {
  kept.set("captions.keys", target.checked ? "on" : "off");
});

async function arrive() {
  fromAddress();
  const id = at("caption");
  visible(Boolean(id));
  await load();
  if (!id) return;
  try {
    begin(await ask(`captions/${id}`));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(error.message);
    visible(false);
  }
}

function choices() {
  $("#locale").replaceChildren(...Object.entries(LOCALES).map(([tag, name]) => {
    const option = item(name, "option");
    option.value = tag;
    option.lang = tag;
    option.selected = tag === locale;
    return option;
  }));
  const reasons = filters.elements.reason;
  const chosen = reasons.value;
  const options = known("reason").map((code) => {
    const option = item(plain("reason", code), "option");
    option.value = code;
    return option;
  });
  options.sort((one, other) => one.text.localeCompare(other.text, locale));
  reasons.replaceChildren(reasons.options[0], ...options);
  reasons.value = chosen;
}
$("#locale").addEventListener("change", async ({ target }) => {
  await loadWords(target.value);
  choices();
  await arrive();
});

/** Whether something has changed that the list does not show. */
async function outdated() {
  const { parameters, path } = wanted();
  if (path === "search") return false;
  const query = new URLSearchParams({ ...parameters, order: "newest", limit: 1 });
  const [first] = (await ask(`${path}?${query}`)).captions;
  const sorted = parameters.review && !parameters.order;
  const row = sorted ? document.getElementById(`caption-${first?.id}`) : list.firstElementChild;
  const shown = row?.caption.id === first?.id && row?.caption.version === first?.version;
  const told = sorted && newest === first?.version;
  newest = first?.version;
  return !shown && !told;
}

/** In a folder, what appears by itself is shown by itself, unless somebody is at work on the list. */
async function look() {
  const idle = !document.hidden && $("#one").hidden && !at("cursor") && !$(".editor") && !chosen.size;
  if (idle && !document.querySelector("dialog[open]")) {
    try {
      if (await outdated()) {
        const focused = document.activeElement?.closest("#captions > li")?.id;
        await reload();
        if (focused) document.getElementById(focused)?.querySelector(".edit").focus();
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
  setTimeout(look, LOOKING);
}

ready.then(choices);
importing(reload);
if (local) {
  // Not from under somebody's hand: what is new is looked for when nobody writes.
  uploading(() => $(".editor") ?? reload());
  setTimeout(look, LOOKING);
}
await arrive();
