// What does not fit, said beside its field.
import { form, part, rows } from "./form.js";

// markProblems marks fields if loud is set, and returns the first problem as part of a
// sentence. Problems of steps are counted in the rows that were sent.
export function markProblems(problems, sentRows, loud) {
  clearProblems();
  let first = "", firstField = null;
  for (const [name, sentence] of Object.entries(problems)) {
    const [field, place] = find(name, sentRows);
    first ||= `${place}: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
    if (!loud || !field?.isConnected) continue;
    firstField ??= field;
    mark(field, sentence);
  }
  firstField?.focus();
  return first || "something does not fit";
}

function find(name, sentRows) {
  const step = /^steps\[(\d+)\]\.(\w+)$/.exec(name);
  if (step) {
    const row = sentRows[Number(step[1])];
    const place = `step ${[...rows.children].indexOf(row) + 1}, ${step[2]}`;
    return [row && part(row, step[2] === "content" ? "step_content" : "step_title"), place];
  }
  return [form.elements[name], name === "slug" ? "address" : name];
}

function mark(field, sentence) {
  const box = field.closest(".field");
  const problem = document.createElement("p");
  Object.assign(problem, { className: "problem", id: field.id + "-problem", textContent: sentence });
  box.classList.add("wrong");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", problem.id);
  box.append(problem);
}

export function clearProblems() {
  for (const box of form.querySelectorAll(".wrong")) {
    box.classList.remove("wrong");
    box.querySelector(".problem")?.remove();
    for (const field of box.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
  }
}
