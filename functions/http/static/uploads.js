// Pictures into the folder, where the server takes them: a queue, some at a time.

import { $, Failure, ask, item, pause } from "./api.js";
import { words } from "./caption.js";
import { t } from "./i18n.js";

const AT_ONCE = 3, PATIENCE = 120_000, PAUSE = 700;
const waiting = [];
let running = 0, done = 0, all = 0, failed = 0, changed = () => {};

export function uploading(reload) {
  changed = reload;
  $("#uploads").hidden = false;
  $("#files").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  const over = (is) => document.body.classList.toggle("over", is);
  // Text is dragged into fields.
  const brings = ({ dataTransfer }) => dataTransfer.types.includes("Files");
  addEventListener("dragover", (event) => brings(event) && (event.preventDefault(), over(true)));
  addEventListener("dragleave", (event) => event.relatedTarget || over(false));
  addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    over(false);
    take([...event.dataTransfer.files]);
  });
  addEventListener("beforeunload", (event) => {
    if (running || waiting.length) event.preventDefault();
  });
}

function take(files) {
  if (!running && !waiting.length) [done, all, failed] = [0, 0, 0];
  all += files.length;
  waiting.push(...files);
  for (let free = AT_ONCE - running; free > 0 && waiting.length; free--) work();
  tell();
}

function tell() {
  const busy = running || waiting.length;
  $("#queue").textContent = busy ? t("sending", { done, count: all }) : all ? t("sent", { done: done - failed, count: all }) : "";
}

async function work() {
  running++;
  for (let file; (file = waiting.shift()); ) {
    await one(file);
    done++;
    tell();
  }
  running--;
  tell();
}

async function one(file, line = item("")) {
  const note = (text) => (line.textContent = `${file.name}: ${text}`);
  $("#progress").append(line);
  note(t("file_sending"));
  try {
    const { id, name } = await ask(`uploads/${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
    note(name === file.name ? t("file_captioning") : t("file_captioning_as", { name }));
    const caption = await captioned(id, name, note);
    line.remove();
    changed();
    $("#said").textContent = `${name}: ${caption.error?.message ?? words(caption)}`;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failed++;
    note(error.message);
    const again = item(t("retry"), "button");
    again.type = "button";
    again.addEventListener("click", () => {
      line.remove();
      take([file]);
    });
    line.append(" ", again);
  }
}

async function captioned(id, name, note) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await pause(PAUSE)) {
    const caption = await ask(`captions/${id}`).catch((error) => {
      if (error.status === 404) return null;
      throw error;
    });
    if (caption && caption.status !== "pending") return caption;
    if (caption?.error) note(t("file_waiting", { why: caption.error.message }));
  }
  throw new Failure(0, { error: t("no_caption_yet") });
}
