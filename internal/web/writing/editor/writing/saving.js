// Saving: drafts a moment after something was typed, what is published when asked.
// One save is under way at a time, and each names the version that it changes, so that
// what was saved elsewhere is never written over unseen.
import { form, isDraft, part, rows, same, slugIs, typed } from "./form.js";
import { forgetRemoved } from "./rows.js";
import { forget, keep } from "./kept.js";
import { clearFirst, dismiss, show, stand } from "./messages.js";
import { clearProblems, markProblems } from "./problems.js";

const pause = 1500; // ms without typing before a draft is saved
const patience = 10_000; // ms of typing without a pause before it is saved all the same
const timeout = 30_000; // ms that a save may take
const longestWait = 60_000; // ms between tries while there is no connection
const maxFarewell = 60_000; // bytes that a browser sends for a page that is left (Fetch, keepalive)

let saved = null; // what is stored, as far as this page knows; null: nothing of what it shows
let stopped = false; // until a conflict is resolved, or for good
let due = 0; // when the draft is saved at the latest
let timer, keepTimer;
let failures = 0;
let unanswered = ""; // what the last try was when it came to nothing: "quiet", "asked", or ""

export function start() {
  if (!("unsaved" in form.dataset)) saved = typed();
  else changed();
}

export const isSaved = () => saved !== null && same(saved, typed());

// changed is told that something may have been typed.
export function changed() {
  clearTimeout(keepTimer);
  keepTimer = setTimeout(keepTyped, 300);
  if (isDraft && !stopped) {
    due ||= Date.now() + patience;
    wait(Math.min(pause, due - Date.now()));
  } else if (!isDraft) {
    stand(isSaved() ? "Nothing to save" : "Not saved yet");
  }
}

// flush keeps what is typed on this device at once.
export const flush = () => keepTyped();

function keepTyped() {
  clearTimeout(keepTimer);
  const now = typed();
  if (saved !== null && same(saved, now)) forget();
  else keep(now);
}

function wait(ms) {
  clearTimeout(timer);
  timer = setTimeout(() => save(false), Math.max(0, ms));
}

let running = null;
let wanted = ""; // "quiet", or "asked" by someone

// save stores what is typed, after the save that is under way. It tells whether what was
// typed when the last one began is stored.
export function save(asked) {
  wanted = asked || wanted === "asked" ? "asked" : "quiet";
  running ??= (async () => {
    let stored = false;
    try {
      while (wanted) {
        const asks = wanted === "asked";
        wanted = "";
        stored = await once(asks);
      }
      return stored;
    } finally {
      running = null;
    }
  })();
  return running;
}

async function once(asked) {
  clearTimeout(timer);
  due = 0;
  unanswered = "";
  const sent = typed();
  const sentRows = [...rows.children];
  if (stopped && !asked) return false;
  if (saved !== null && same(saved, sent)) {
    clearProblems();
    forget();
    if (asked) stand("Nothing had changed");
    return true;
  }
  keep(sent);
  const nameless = asked ? "" : untitled(sent);
  if (nameless) {
    stand(`Not saved yet: ${nameless} has no title`);
    return false;
  }
  stand("Saving…");
  const body = new Blob([JSON.stringify({ ...sent, quiet: !asked })]);
  let response, answer;
  try {
    response = await fetch(form.dataset.save, {
      method: "POST", headers: { "Content-Type": "application/json" }, body,
      keepalive: body.size < maxFarewell, redirect: "manual", signal: AbortSignal.timeout(timeout),
    });
    answer = response.type === "opaqueredirect" ? {} : await response.json();
  } catch {
    later(asked, "There is no connection.");
    return false;
  }
  if (response.type === "opaqueredirect") signedOut(asked);
  else if (response.ok) done(sent, sentRows, answer);
  else if (response.status === 409) conflict();
  else if (response.status === 422) unfit(asked, sentRows, answer.problems);
  else if (response.status >= 500) later(asked, answer.error);
  else giveUp(answer.error);
  return response.ok;
}

// untitled names what has no title yet, for which there is no need to ask the server.
function untitled(t) {
  if (!t.title.trim()) return "the stepsy";
  const i = t.steps.findIndex((s) => !s.title.trim() && (s.id || s.content));
  return i < 0 ? "" : `step ${i + 1}`;
}

function done(sent, sentRows, answer) {
  failures = 0;
  stopped = false;
  form.elements.version.value = answer.version;
  sentRows.forEach((row, i) => {
    if (answer.steps?.[i]) part(row, "step_id").value = answer.steps[i];
  });
  forgetRemoved();
  forgetGone(sentRows, answer.steps);
  saved = { ...sent, slug: answer.slug };
  slugIs(answer.slug);
  clearProblems();
  clearFirst();
  for (const name of ["conflict", "signed-out", "given-up"]) dismiss(name);
  if (same(saved, typed())) {
    forget();
    stand(`Saved at ${clock()}`);
  } else {
    changed();
  }
}

// forgetGone makes new steps of those that came back while their removal was on its way.
function forgetGone(sentRows, stored = []) {
  for (const row of rows.children) {
    const id = part(row, "step_id");
    if (!sentRows.includes(row) && !stored.includes(Number(id.value))) id.value = 0;
  }
}

const clock = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function conflict() {
  stopped = true;
  stand("Not saved: there are two versions");
  const look = document.createElement("button");
  Object.assign(look, { name: "do", value: "compare", className: "btn", textContent: "Look at both" });
  look.setAttribute("form", form.id);
  show("conflict", "This stepsy was changed elsewhere since you opened it, in another tab or by a program. What you typed is kept; nothing is written over.", "warn", [look]);
}

function unfit(asked, sentRows, problems = {}) {
  const first = markProblems(problems, sentRows, asked);
  stand(`Not saved yet: ${first}`);
}

// later tries again, less and less often, and says so.
function later(asked, why) {
  unanswered = asked ? "asked" : "quiet";
  const seconds = Math.min(longestWait, 5000 * 2 ** failures++) / 1000;
  stand(`Not saved. ${why} What you typed is kept on this device.`);
  if (isDraft || asked) {
    clearTimeout(timer);
    timer = setTimeout(() => save(asked), seconds * 1000);
  }
}

// Whoever comes back, with a connection or from signing in, finds it saved.
function back() {
  if (unanswered && !stopped && document.visibilityState === "visible") save(unanswered === "asked");
}
for (const name of ["online", "focus"]) addEventListener(name, back);
document.addEventListener("visibilitychange", back);

function signedOut(asked) {
  unanswered = asked ? "asked" : "quiet";
  stand("Not saved: you are signed out");
  const link = document.createElement("a");
  Object.assign(link, { href: "/sign-in", target: "_blank", className: "btn", textContent: "Sign in in another tab" });
  show("signed-out", "You are signed out. What you typed is kept on this device. Sign in, and it is saved when you come back here.", "warn", [link]);
}

function giveUp(why) {
  stopped = true;
  stand("Not saved");
  show("given-up", `${why ?? "It could not be saved."} What you typed is kept on this device.`, "bad");
}

// A draft is saved when its page is left, as far as a browser lets that happen.
addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden") return;
  keepTyped();
  if (isDraft && !stopped && !isSaved()) save(false);
});
