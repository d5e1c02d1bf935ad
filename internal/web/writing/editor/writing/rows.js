// The steps as rows: adding, moving, removing, and bringing back.
import { form, part, rows } from "./form.js";
import { dismiss, say, show } from "./messages.js";

const template = document.querySelector("#new-step");
const maxSteps = Number(form.dataset.maxSteps);
let made = 0;

// addRow makes a row for a step at the end, or before another row.
export function addRow(step = { id: 0, title: "", content: "" }, before = null) {
  const row = template.content.firstElementChild.cloneNode(true);
  made++;
  for (const e of row.querySelectorAll("[id]")) e.id = `new-${made}-${e.id}`;
  for (const e of row.querySelectorAll("[for]")) e.htmlFor = `new-${made}-${e.htmlFor}`;
  part(row, "step_id").value = step.id;
  part(row, "step_title").value = step.title;
  part(row, "step_content").value = step.content;
  rows.insertBefore(row, before);
  number();
  row.dispatchEvent(new Event("row", { bubbles: true }));
  return row;
}

// fill puts a reading of the form back into it.
export function fill(t) {
  const f = form.elements;
  Object.assign(f.title, { value: t.title });
  Object.assign(f.description, { value: t.description });
  Object.assign(f.category, { value: t.category });
  Object.assign(f.slug, { value: t.slug });
  f.featured.checked = t.featured;
  rows.replaceChildren();
  for (const step of t.steps) addRow(step);
}

// number tells rows and their buttons where they stand.
export function number() {
  const all = [...rows.children];
  all.forEach((row, i) => {
    row.querySelector(".row-name").textContent = `Step ${i + 1}`;
    for (const [what, label] of [["up", `Move step ${i + 1} up`], ["down", `Move step ${i + 1} down`], ["remove", `Remove step ${i + 1}`]]) {
      const b = button(row, what);
      b.value = `${what}-${i}`;
      b.setAttribute("aria-label", label);
    }
    button(row, "up").disabled = i === 0;
    button(row, "down").disabled = i === all.length - 1;
  });
}

const button = (row, what) => row.querySelector(`button[value^="${what}-"]`);

// act does what a button beside the steps says.
export function act(what, row) {
  switch (what) {
    case "add":
      if (rows.children.length >= maxSteps) {
        show("full", `A stepsy has at most ${maxSteps} steps.`, "warn");
        return;
      }
      part(addRow(), "step_title").focus();
      return;
    case "up":
      row.previousElementSibling?.before(row);
      break;
    case "down":
      row.nextElementSibling?.after(row);
      break;
    case "remove":
      remove(row);
      return;
  }
  number();
  const pressed = button(row, what);
  (pressed.disabled ? button(row, what === "up" ? "down" : "up") : pressed).focus();
  row.scrollIntoView({ block: "nearest" });
  tellPlace(row);
}

// tellPlace says where a row has come to stand, to those who cannot see it.
export function tellPlace(row) {
  say(`Now step ${[...rows.children].indexOf(row) + 1} of ${rows.children.length}.`);
}

let removed = [];

function remove(row) {
  for (const field of row.querySelectorAll(".rich")) field.sync?.();
  const next = row.nextElementSibling;
  const name = part(row, "step_title").value.trim() || row.querySelector(".row-name").textContent;
  const step = { id: Number(part(row, "step_id").value), title: part(row, "step_title").value, content: part(row, "step_content").value };
  removed.push(step);
  dismiss("full");
  row.remove();
  number();
  (next ?? rows.lastElementChild)?.querySelector("input[type=text]").focus();
  if (!rows.children.length) form.querySelector("#add-step").focus();
  if (!step.title.trim() && !step.content) return;
  show("removed", `“${name}” is removed.`, "", [["Bring it back", () => {
    dismiss("removed");
    removed = removed.filter((s) => s !== step);
    part(addRow(step, next?.isConnected ? next : null), "step_title").focus();
    form.dispatchEvent(new Event("change"));
  }]]);
}

// forgetRemoved is told that the removal is stored: a step that comes back is a new one.
export function forgetRemoved() {
  for (const step of removed) step.id = 0;
}
