// What a reader has done of a stepsy, kept on their own device, and the page that
// follows it: boxes to tick, keys, swipes, where to go on. Everything can be read
// without it.

const script = document.querySelector("script[data-reading]");
const { reading: id, reached, follow } = script.dataset;
const following = document.body.classList.contains("following");
const steps = [...document.querySelectorAll("[data-step]")];
const ids = steps.map((step) => step.dataset.step);
const today = new Date().toISOString().slice(0, 10);

// --- What is kept: { at, done: [ids], finished, told: {day, steps}, seen } ---

const place = "stepsies-reading";
const mostKept = 200;

function readAll() {
  try {
    const all = JSON.parse(localStorage.getItem(place));
    return all && typeof all === "object" && !Array.isArray(all) ? all : {};
  } catch {
    return {};
  }
}

function load() {
  const kept = readAll()[id] ?? {};
  const done = Array.isArray(kept.done) ? kept.done.filter((step) => ids.includes(step)) : [];
  const told = kept.told?.day === today && Array.isArray(kept.told.steps) ? kept.told.steps : [];
  return { at: ids.includes(kept.at) ? kept.at : "", done: new Set(done), finished: Boolean(kept.finished), told: new Set(told) };
}

function save() {
  const all = readAll();
  all[id] = { at: state.at, done: [...state.done], finished: state.finished, told: { day: today, steps: [...state.told] }, seen: Date.now() };
  const names = Object.keys(all).sort((a, b) => (all[b].seen ?? 0) - (all[a].seen ?? 0));
  for (const name of names.slice(mostKept)) delete all[name];
  try {
    localStorage.setItem(place, JSON.stringify(all));
  } catch {
    // Full or forbidden: the page works on, and forgets when it is closed.
  }
}

let state = load();

// --- What the author is told: which steps were reached, and the end. No name. ---

function tell(fields) {
  const body = new URLSearchParams(fields);
  fetch(reached, { method: "POST", body, keepalive: true }).catch(() => {});
}

function tellReached(step) {
  if (state.told.has(step)) return;
  state.told.add(step);
  tell({ step });
}

function finish() {
  if (state.finished) return;
  state.finished = true;
  tell({ done: "1" });
}

// --- Ticks, on both pages ---

const boxes = new Map();
for (const step of steps) {
  const box = step.querySelector(".tick input, .did input");
  if (!box) continue;
  boxes.set(step.dataset.step, box);
  box.closest("label").hidden = false;
  box.addEventListener("change", () => {
    const { step: name } = step.dataset;
    if (box.checked) state.done.add(name);
    else state.done.delete(name);
    if (box.checked) tellReached(name);
    if (ids.every((one) => state.done.has(one))) finish();
    save();
    show();
  });
}

function show() {
  for (const step of steps) {
    const done = state.done.has(step.dataset.step);
    step.classList.toggle("done", done);
    const box = boxes.get(step.dataset.step);
    if (box) box.checked = done;
  }
  showBar();
}

// The bar below the reading page says how far it went and leads to where it goes on.
function showBar() {
  const bar = document.querySelector("[data-progress]");
  if (!bar) return;
  const count = state.done.size;
  bar.querySelector("progress").value = count;
  if (count) bar.querySelector("[data-said]").textContent = `${count} of ${ids.length} done`;
  const go = bar.querySelector("[data-go]");
  const next = nextStep();
  const begun = count > 0 || state.at !== "";
  go.textContent = !begun ? "Follow step by step" : next < 0 ? "Follow it again" : `Go on with step ${next + 1}`;
  go.href = follow + (begun && next >= 0 ? `#step-${next + 1}` : "");
}

// nextStep is the index of where to go on: where the reader was, or the first step
// that is not done; -1 when all are.
function nextStep() {
  const at = ids.indexOf(state.at);
  if (at >= 0 && !state.done.has(state.at)) return at;
  return ids.findIndex((one) => !state.done.has(one));
}

show();
// Another tab, or the way back to a page that the browser kept.
addEventListener("storage", (event) => { if (event.key === place) { state = load(); show(); } });
addEventListener("pageshow", (event) => { if (event.persisted) { state = load(); show(); } });

// --- Copy for code, and pictures in large ---

for (const pre of document.querySelectorAll(".prose pre")) {
  const frame = document.createElement("div");
  frame.className = "code";
  pre.replaceWith(frame);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy this code");
  button.addEventListener("click", () => copy(pre, button));
  frame.append(pre, button);
}

async function copy(source, button) {
  try {
    await navigator.clipboard.writeText(source.textContent.replace(/\n$/, ""));
  } catch {
    getSelection().selectAllChildren(source);
    if (!document.execCommand("copy")) return; // it is selected: the rest is Ctrl+C
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.enlarge");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const dialog = document.createElement("dialog");
  dialog.className = "picture";
  dialog.setAttribute("aria-label", "Picture");
  const picture = document.createElement("img");
  picture.src = link.href;
  picture.alt = link.querySelector("img")?.alt ?? "";
  const form = document.createElement("form");
  form.method = "dialog";
  const close = document.createElement("button");
  close.className = "btn";
  close.textContent = "Close";
  form.append(close);
  dialog.append(picture, form);
  dialog.addEventListener("click", (click) => { if (click.target === dialog || click.target === picture) dialog.close(); });
  dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
  document.body.append(dialog);
  dialog.showModal();
});

// --- One step at a time ---

if (following && ids.length) startFollowing();

function startFollowing() {
  const stops = [...steps, document.getElementById("done")];
  let shown = -1;

  const indexOf = (hash) => Math.max(0, stops.findIndex((stop) => `#${stop.id}` === hash || `#${stop.querySelector("h1").id}` === hash));

  function arrive(moved) {
    const to = indexOf(location.hash);
    document.body.classList.toggle("forward", moved && to > shown);
    document.body.classList.toggle("back", moved && to < shown);
    shown = to;
    if (to < ids.length) {
      state.at = ids[to];
      tellReached(ids[to]);
      if (to === ids.length - 1) finish();
    }
    save();
    show();
    if (!moved) return;
    scrollTo(0, 0);
    stops[to].querySelector("h1").focus({ preventScroll: true });
  }

  const go = (to) => {
    if (to >= 0 && to < stops.length) location.hash = stops[to].id;
  };

  // Where the reader is: a key may come before the browser says that the last one led on.
  const here = () => indexOf(location.hash);

  // Going on from a step says that it is done.
  const next = () => {
    const at = here();
    if (at < ids.length) state.done.add(ids[at]);
    go(at + 1);
  };

  document.querySelector("main").addEventListener("click", (event) => {
    if (event.target.closest("a[rel=next]")) state.done.add(ids[here()]);
    if (!event.target.closest("[data-again]")) return;
    state.done.clear();
  });
  document.querySelector(".thumbs form").addEventListener("submit", (event) => {
    event.preventDefault();
    finish();
    next();
  });

  addEventListener("hashchange", () => arrive(true));
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    if (event.target.closest?.("input[type=radio], textarea, select, dialog, pre")) return;
    if (event.key === "ArrowRight") next();
    else if (event.key === "ArrowLeft") go(here() - 1);
  });

  // A swipe is mostly sideways, with one finger, and not on what scrolls sideways.
  let from = null;
  addEventListener("touchstart", (event) => {
    const wide = event.target.closest?.("pre, table, dialog");
    from = event.touches.length === 1 && !(wide && wide.scrollWidth > wide.clientWidth) ? event.touches[0] : null;
  }, { passive: true });
  addEventListener("touchend", (event) => {
    const to = event.changedTouches[0];
    if (!from || event.touches.length || !getSelection().isCollapsed) return;
    const x = to.clientX - from.clientX, y = to.clientY - from.clientY;
    from = null;
    if (Math.abs(x) < 60 || Math.abs(x) < 2 * Math.abs(y)) return;
    if (x < 0) next();
    else go(here() - 1);
  }, { passive: true });

  // Whoever comes back without saying where goes on where they were.
  if (!location.hash && state.at && ids.indexOf(state.at) > 0 && !ids.every((one) => state.done.has(one))) {
    location.replace(`#step-${ids.indexOf(state.at) + 1}`);
  }
  arrive(false);
}
