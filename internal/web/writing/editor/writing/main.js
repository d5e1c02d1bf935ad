// The page on which a stepsy is written. Without this script all of it works by sending
// the form; with it steps move in place, drafts save themselves and nothing that was
// typed is lost.
import { commitSlug, form, rows, same, typed } from "./form.js";
import { act, fill } from "./rows.js";
import { startDragging } from "./drag.js";
import { changed, flush, save, start } from "./saving.js";
import { publish } from "./publishing.js";
import { offerKept } from "./kept.js";
import { show } from "./messages.js";

let mount = null;

// enrich gives a row rich text, once it is known how.
function enrich(row) {
  const field = row.querySelector(".rich");
  if (!mount || field.dataset.rich) return;
  field.dataset.rich = "yes";
  mount(field, changed);
}

// Editors are made when their step comes near: a stepsy may have 200.
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    near.unobserve(entry.target);
    enrich(entry.target);
  }
}, { rootMargin: "600px" });

const watch = (row) => near.observe(row);

import(form.dataset.richtext).then((module) => {
  mount = module.mount;
  for (const row of rows.children) watch(row);
}, () => {
  for (const area of form.querySelectorAll(".rich textarea")) area.classList.add("source");
  show("richtext", "The rich-text editor could not be loaded, so steps are shown as HTML. Reload the page to try again.", "warn");
});
rows.addEventListener("row", (event) => watch(event.target));

form.addEventListener("input", changed);
form.addEventListener("change", changed);

form.addEventListener("submit", (event) => {
  const button = event.submitter;
  const [what] = (button?.value ?? "save").split("-");
  if (what === "preview" || what === "compare") {
    flush();
    return;
  }
  if (what === "publish") {
    publish(event);
    return;
  }
  event.preventDefault();
  if (what === "save") {
    save(true);
    return;
  }
  act(what, button.closest(".row"));
  changed();
});

// What hands do by themselves in every other program.
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  commitSlug(); // no field is left by a key
  save(true);
});

startDragging(changed);
start();
offerKept((entry) => {
  fill(entry.typed);
  form.elements.version.value = entry.typed.version;
  changed();
}, (entry) => same(entry.typed, typed()));

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // what it shows may be old
});
