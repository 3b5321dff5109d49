// Texts out of a file: first what would change, then the change.

import { $, Failure, ask, item, say } from "./api.js";
import { t } from "./i18n.js";

const SHOWN = 200;

export function importing(reload) {
  const dialog = $("#imported");
  const [file, said, button, table] = ["#import-file", "#import-said", "#import-do", "table"].map((each) => $(each, dialog));
  $("#import").addEventListener("click", () => {
    file.value = "";
    said.textContent = "";
    button.hidden = table.hidden = true;
    dialog.showModal();
  });

  const send = async (dry) => {
    const [chosen] = file.files;
    const type = /\.(jsonl|ndjson)$/i.test(chosen.name) ? "application/jsonl" : "text/csv";
    return ask(`import?dry_run=${dry}`, { method: "POST", headers: { "Content-Type": type }, body: chosen });
  };

  const tell = (answer) => {
    const { changes, errors } = answer;
    said.textContent = t("import_found", { count: changes.length, errors: errors.length });
    const rows = [
      ...changes.map((each) => [each.uri, each.before?.alt_text ?? "", each.conflict ?? each.after.alt_text ?? "", Boolean(each.conflict)]),
      ...errors.map((each) => [each.uri || t("line", { line: each.line }), "", each.error, true]),
    ];
    $("tbody", table).replaceChildren(...rows.slice(0, SHOWN).map(([uri, now, then, wrong]) => {
      const row = document.createElement("tr");
      row.append(item(uri, "th"), item(now, "td"), item(then, "td"));
      row.firstChild.scope = "row";
      row.lastChild.className = wrong ? "wrong" : "";
      return row;
    }));
    table.hidden = !rows.length;
  };

  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    button.hidden = true;
    try {
      const answer = await send(true);
      tell(answer);
      const count = answer.changes.filter((each) => !each.conflict).length;
      button.hidden = !count;
      button.textContent = t("import_do", { count });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      said.textContent = error.message;
      file.value = ""; // so that the same one can be chosen again
    }
  });
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const answer = await send(false);
      tell(answer);
      button.hidden = true;
      said.textContent = t("import_done", { count: answer.applied });
      say(said.textContent);
      reload();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      said.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}
