// Questions about the picture, for who writes its words. Answers are only ever set as text.

import { $, Failure, item, post } from "./api.js";
import { t } from "./i18n.js";

const MOST_TURNS = 5;
const WHY = { 404: "ask_gone", 429: "ask_spent", 503: "ask_away" };
export const answers = "asks" in document.body.dataset;

/** Let the editor `form` ask about `caption`; `insert(name, text)` puts an answer into a field. */
export function asking({ form, caption, language, insert }) {
  const box = $(".ask", form);
  const [question, button, said, list] = ["[name=question]", ".put", ".asked", ".answers"].map((each) => $(each, box));
  const history = [];
  let number = 0;
  box.hidden = !answers;

  const tell = (text, heard = false) => {
    said.textContent = text;
    said.classList.toggle("heard", heard);
  };

  async function put() {
    const wanted = question.value.trim();
    if (!wanted || button.disabled) return question.focus();
    button.disabled = true;
    tell(t("asking"));
    try {
      const { answer, answerable, language: spoken } = await post(`captions/${caption.id}/ask`, {
        question: wanted, lang: language() || undefined, history: history.slice(-MOST_TURNS),
      });
      if (answerable) history.push({ question: wanted, answer });
      list.append(turn(wanted, answer, spoken));
      tell(answer, true);
      question.value = "";
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      tell(WHY[error.status] ? t(WHY[error.status]) : error.message);
    } finally {
      button.disabled = false;
      if (form.isConnected && [button, document.body].includes(document.activeElement)) question.focus();
    }
  }

  function turn(wanted, answer, spoken) {
    const row = item("");
    const text = item(answer, "p");
    Object.assign(text, { className: "answer", lang: spoken ?? "", dir: "auto", id: `answer-${caption.id}-${number++}` });
    const asked = Object.assign(item(wanted, "p"), { className: "question", dir: "auto" });
    const uses = document.createElement("p");
    uses.className = "actions";
    for (const name of ["alt_text", "caption"]) {
      const use = Object.assign(item(t(`into_${name}`), "button"), { type: "button" });
      use.setAttribute("aria-describedby", text.id);
      use.addEventListener("click", () => insert(name, answer));
      uses.append(use);
    }
    row.append(asked, text, uses);
    return row;
  }

  button.addEventListener("click", put);
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    put();
  });
}
