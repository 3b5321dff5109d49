// The review page: captions as a list, edited in place. Text from captions is only ever set as text.

const $ = (selector, root = document) => root.querySelector(selector);
const [filters, list, more, empty] = ["#filters", "#captions", "#more", "#empty"].map((id) => $(id));
const JSON_TYPE = { "Content-Type": "application/json" };
const PATIENCE = 120_000, PAUSE = 700, GOOD_LENGTH = 125;
const REASONS = { image_changed: "compare the proposal", offline: "written without a model" };
const SOURCES = {
  model: "by the model", human: "by a person", embedded: "from the file", uploader: "by the uploader",
};

class Failure extends Error {
  constructor(status, answer) {
    super(answer.error ?? `The server answers ${status}. Try again.`);
    this.status = status;
    this.answer = answer;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Failure(0, { error: "The server cannot be reached. Is it running, and are you online?" });
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Failure(answer.status, body);
  return body;
}

const pause = (time) => new Promise((done) => setTimeout(done, time));

let silence;
function say(text) {
  clearTimeout(silence);
  $("#said").textContent = text;
  silence = setTimeout(() => ($("#said").textContent = ""), 10_000);
}

const fileName = (caption) => caption.name.slice(caption.name.lastIndexOf("/") + 1);

// --- one caption ---

function words(caption) {
  if (caption.status !== "captioned" && !caption.alt_text) return "No alt text yet";
  return caption.decorative ? "Decorative: the alt text is empty" : caption.alt_text;
}

const isDoubtful = ({ status, review }) => review?.needed || ["failed", "rejected"].includes(status);
const approval = ({ review }) => (review?.approved_by ? `approved by ${review.approved_by}` : "");

function fill(row, caption) {
  row.caption = caption;
  row.className = isDoubtful(caption) ? "doubtful" : "";
  const text = (selector, value) => ($(selector, row).textContent = value ?? "");
  const { review, proposal, language } = caption;
  text(".name", caption.bucket === "local" ? caption.name : caption.uri);
  $(".name", row).id = `name-${caption.id}`;
  text(".status", review?.needed ? "needs a look" : caption.status);
  $(".status", row).className = `status ${review?.needed ? "doubt" : caption.status}`;
  text(".source", [SOURCES[caption.source], language, approval(caption)].filter(Boolean).join(" · "));
  text(".alt", words(caption));
  $(".alt", row).classList.toggle("none", !caption.alt_text);
  text(".caption", caption.caption === caption.alt_text ? "" : caption.caption);
  text(".problem", caption.error?.message);
  text(".tags", caption.tags?.length ? `Tags: ${caption.tags.join(", ")}` : "");
  for (const selector of [".alt", ".caption"]) {
    if (language && caption.alt_text) $(selector, row).lang = language;
    else $(selector, row).removeAttribute("lang");
  }
  $(".reasons", row).replaceChildren(...(review?.reasons ?? []).map((reason) => {
    const item = document.createElement("li");
    item.textContent = REASONS[reason] ?? reason.replaceAll("_", " ");
    return item;
  }));
  $(".proposal", row).hidden = !proposal;
  text(".proposed", proposal?.decorative ? "Decorative: an empty alt text" : proposal?.alt_text);
  $(".proposed", row).lang = proposal?.language ?? language ?? "";
  $(".accept", row).hidden = !proposal;
  $(".approve", row).hidden =
    caption.status !== "captioned" || (review?.approved_by && !review.needed);
  const picture = $("img", row);
  if (picture.getAttribute("src") !== caption.image) picture.src = caption.image;
  picture.alt = caption.alt_text ?? "";
  picture.lang = language ?? "";
  $(".picture", row).href = caption.image;
  named($(".picture", row), picture.alt, caption);
}

function named(link, alt, caption) {
  if (alt) link.removeAttribute("aria-label");
  else link.setAttribute("aria-label", `Open ${fileName(caption)}`);
}

function made(caption) {
  const row = $("#row").content.firstElementChild.cloneNode(true);
  fill(row, caption);
  for (const button of row.querySelectorAll("button")) {
    button.setAttribute("aria-describedby", `name-${caption.id}`);
  }
  $("img", row).addEventListener("error", () => {
    $(".picture", row).classList.add("blank");
    named($(".picture", row), "", caption);
  });
  $(".edit", row).addEventListener("click", () => edit(row));
  $(".approve", row).addEventListener("click", () => decide(row, { approve: true }, "Approved"));
  $(".accept", row).addEventListener("click", () => decide(row, { accept: true }, "Accepted"));
  $(".again", row).addEventListener("click", () => recaption(row));
  return row;
}

function send(row, change, version = row.caption.version) {
  return ask(`captions/${row.caption.id}`, {
    method: "PATCH",
    headers: { ...JSON_TYPE, "If-Match": `"${version}"` },
    body: JSON.stringify(change),
  });
}

function settle(row, caption, done) {
  fill(row, caption);
  const but = caption.unlabelled ? ` The image's metadata is not written yet: ${caption.unlabelled}` : "";
  say(`${done}: ${fileName(caption)}.${but}`);
}

async function busy(row, act) {
  const buttons = [...row.querySelectorAll("button")];
  const focused = document.activeElement;
  for (const button of buttons) button.disabled = true;
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
  // A button that is disabled loses the focus.
  if (document.activeElement !== document.body) return;
  (row.contains(focused) && focused.checkVisibility() ? focused : $(".edit", row)).focus();
}

function decide(row, change, done) {
  return busy(row, async () => {
    try {
      settle(row, await send(row, change), done);
    } catch (error) {
      if (error.status !== 412) throw error;
      fill(row, error.answer);
      say(`${fileName(row.caption)} has changed meanwhile. Look again.`);
    }
  });
}

function recaption(row) {
  const { id, version } = row.caption;
  return busy(row, async () => {
    say(`Captioning ${fileName(row.caption)} anew …`);
    let caption = await ask(`captions/${id}/recaption`, { method: "POST", headers: JSON_TYPE, body: "{}" });
    const end = Date.now() + PATIENCE;
    while ((caption.version === version || caption.status === "pending") && Date.now() < end) {
      await pause(PAUSE);
      caption = await ask(`captions/${id}`);
    }
    settle(row, caption, caption.version === version ? "Asked for, without an answer yet" : "Captioned anew");
  });
}

// --- editing in place ---

const drafts = new Map();

function edit(row) {
  const { caption } = row;
  const form = $("#form").content.firstElementChild.cloneNode(true);
  const field = form.elements;
  field.alt_text.value = caption.alt_text ?? "";
  field.caption.value = caption.caption ?? "";
  field.decorative.checked = caption.decorative;
  field.language.value = caption.language ?? "";
  for (const name of ["alt_text", "caption"]) field[name].lang = caption.language ?? "";
  form.setAttribute("aria-label", `Words for ${fileName(caption)}`);
  const shown = [".alt", ".caption", ".words > .actions"].map((selector) => $(selector, row));
  const before = JSON.stringify(values(form, caption));
  drafts.set(row, () => JSON.stringify(values(form, caption)) !== before);

  const refresh = () => {
    field.alt_text.disabled = field.decorative.checked;
    const length = [...new Intl.Segmenter().segment(field.alt_text.value)].length;
    const long = length > GOOD_LENGTH ? `, ${length - GOOD_LENGTH} more than are good to listen to` : "";
    $(".count", form).textContent = field.decorative.checked ? "" : `${length} characters${long}`;
  };
  const close = () => {
    drafts.delete(row);
    form.remove();
    for (const element of shown) element.hidden = false;
    $(".edit", row).focus();
  };
  form.addEventListener("input", refresh);
  $(".cancel", form).addEventListener("click", close);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(row, form, close);
  });
  for (const element of shown) element.hidden = true;
  $(".marks", row).after(form);
  refresh();
  (field.alt_text.disabled ? field.decorative : field.alt_text).focus();
}

function values(form, caption) {
  const field = form.elements;
  const change = { caption: field.caption.value, decorative: field.decorative.checked };
  if (!change.decorative) change.alt_text = field.alt_text.value;
  const language = field.language.value.trim();
  if (language && language !== caption.language) change.language = language;
  return change;
}

async function save(row, form, close) {
  const change = values(form, row.caption);
  $(".wrong", form).textContent = "";
  await busy(row, async () => {
    try {
      const saved = await send(row, change);
      close();
      settle(row, saved, "Saved");
    } catch (error) {
      if (error.status !== 412) {
        $(".wrong", form).textContent = error.message;
        return;
      }
      const theirs = error.answer;
      const choice = await choose(theirs, change);
      if (choice === "theirs") {
        close();
        settle(row, theirs, "Theirs stands");
      } else if (choice === "yours") {
        row.caption = theirs;
        await save(row, form, close);
      } else form.elements.alt_text.focus();
    }
  });
}

function choose(theirs, change) {
  const dialog = $("#conflict");
  const yours = { alt_text: "", ...change, status: "captioned" };
  for (const [side, version] of [["theirs", theirs], ["yours", yours]]) {
    $(`.${side}-alt`, dialog).textContent = words(version);
    $(`.${side}-caption`, dialog).textContent = version.caption ?? "";
  }
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue), { once: true });
  });
}

function hasDraft() {
  const row = [...drafts.keys()].find((each) => each.isConnected && drafts.get(each)());
  if (row) $("textarea", row).focus();
  return Boolean(row);
}

addEventListener("beforeunload", (event) => {
  if (hasDraft()) event.preventDefault();
});

// --- the list ---

function wanted() {
  const form = Object.fromEntries([...new FormData(filters)].filter(([, value]) => value.trim()));
  const { show, by, ...rest } = form;
  const state = show === "review" ? { review: "needed" } : show ? { status: show } : {};
  return { form, path: by && rest.q ? "search" : "captions", parameters: { ...rest, ...state } };
}

let latest = 0;
let next = null;
async function load(cursor) {
  const mine = ++latest;
  const { form, path, parameters } = wanted();
  more.disabled = true;
  try {
    const query = new URLSearchParams(cursor ? { ...parameters, cursor } : parameters);
    const page = await ask(`${path}?${query}`);
    if (mine !== latest) return;
    const rows = page.captions.map(made);
    if (cursor) list.append(...rows);
    else list.replaceChildren(...rows);
    next = page.next;
    counted(form, page.by);
    if (cursor) $(".edit", rows[0] ?? list)?.focus();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (mine !== latest) return;
    if (cursor) return say(error.message);
    list.replaceChildren();
    next = null;
    tell(error.message, true);
  } finally {
    more.disabled = false;
    more.hidden = !next;
  }
}

function tell(text, broken = false) {
  $("#found").textContent = broken ? "Captions cannot be shown" : text;
  empty.hidden = !broken && list.childElementCount > 0;
  empty.className = broken ? "broken" : "";
  if (broken) empty.textContent = text;
}

function counted(form, by) {
  const number = list.childElementCount;
  const fallback = form.by && form.q && by === "words" ? ", found by words: no model places meanings now" : "";
  tell(`${number} ${number === 1 ? "caption" : "captions"}${next ? ", and there are more" : ""}${fallback}`);
  if (number) return;
  const here = "uploads" in document.body.dataset;
  const first = here ? "No captions yet. Drop a picture here to see one." : "No captions yet. Upload an image to the bucket to see one.";
  empty.textContent = Object.keys(form).length ? "Nothing matches. Take out a filter to see more." : first;
}

function fromAddress() {
  const parameters = new URLSearchParams(location.search);
  for (const field of filters.elements) {
    if (field.name) field.value = parameters.get(field.name) ?? "";
  }
}

filters.addEventListener("submit", (event) => {
  event.preventDefault();
  if (hasDraft()) return say("Save or cancel this first.");
  const query = new URLSearchParams(wanted().form).toString();
  history.pushState(null, "", query ? `?${query}` : location.pathname);
  load();
});
more.addEventListener("click", () => load(next));
addEventListener("popstate", () => (fromAddress(), load()));

// --- pictures into the folder, where the server takes them ---

async function upload(file) {
  const item = document.createElement("li");
  const tellItem = (text) => (item.textContent = `${file.name}: ${text}`);
  $("#progress").append(item);
  tellItem("sending …");
  try {
    const { id, name } = await ask(`uploads/${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
    tellItem(name === file.name ? "captioning …" : `captioning, as ${name} …`);
    const caption = await captioned(id, name, tellItem);
    item.remove();
    [...list.children].find((row) => row.caption.id === id)?.remove();
    list.prepend(made(caption));
    counted({});
    say(`${name}: ${caption.error?.message ?? words(caption)}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    tellItem(error.message);
  }
}

async function captioned(id, name, tellItem) {
  const query = new URLSearchParams({ bucket: "local", prefix: name, limit: "20" });
  for (const end = Date.now() + PATIENCE; Date.now() < end; await pause(PAUSE)) {
    const { captions } = await ask(`captions?${query}`);
    const caption = captions.find((each) => each.id === id);
    if (caption && caption.status !== "pending") return caption;
    if (caption?.error) tellItem(`waiting: ${caption.error.message}`);
  }
  throw new Failure(0, { error: "no caption yet; look at what `captions serve` says" });
}

if ("uploads" in document.body.dataset) {
  $("#uploads").hidden = false;
  const take = async (files) => {
    for (const file of files) await upload(file);
  };
  $("#files").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  const over = (is) => document.body.classList.toggle("over", is);
  addEventListener("dragover", (event) => (event.preventDefault(), over(true)));
  addEventListener("dragleave", (event) => event.relatedTarget || over(false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    take([...event.dataTransfer.files]);
  });
}

fromAddress();
load();
