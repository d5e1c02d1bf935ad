// What is typed and not stored yet, kept on this device. Each page keeps its own; what
// a page left behind when it was closed is offered to the next one.
import { form } from "./form.js";
import { dismiss, show } from "./messages.js";

const prefix = form.dataset.key + "-";
const lifetime = 30 * 24 * 3600 * 1000; // ms
const key = prefix + crypto.getRandomValues(new Uint32Array(2)).join("");

// A page holds a lock of that name while it is open. Browsers have locks on HTTPS only;
// without them an open page's text is offered too, which harms nobody.
// A page that is left lets go of it by itself: browsers may keep such a page for a while.
navigator.locks?.request(key, () => new Promise((release) => { addEventListener("pagehide", release, { once: true }); }));

export function keep(typed) {
  try {
    localStorage.setItem(key, JSON.stringify({ at: Date.now(), typed }));
  } catch {
    // The device has no room, or keeps nothing. Saving still works.
  }
}

export function forget() {
  try {
    localStorage.removeItem(key);
  } catch {
    // Then nothing was kept either.
  }
}

// offerKept shows what an earlier page left behind, unless it is what this page shows.
export async function offerKept(restore, shown) {
  for (const [name, entry] of await leftBehind()) {
    if (shown(entry)) {
      localStorage.removeItem(name);
      continue;
    }
    const done = () => {
      localStorage.removeItem(name);
      dismiss("kept");
    };
    const when = new Date(entry.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    show("kept", `There is text of ${when} on this device that was never saved.`, "warn", [
      ["Put it back", () => { restore(entry); done(); }],
      ["Throw it away", done],
    ]);
    return; // one at a time, the newest first
  }
}

async function leftBehind() {
  try {
    const open = new Set((await navigator.locks?.query())?.held.map((lock) => lock.name));
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(prefix) && !open.has(name) && name !== key)
      .map((name) => [name, JSON.parse(localStorage.getItem(name))])
      .filter(([name, entry]) => {
        if (Date.now() - entry.at < lifetime) return true;
        localStorage.removeItem(name);
        return false;
      })
      .sort(([, a], [, b]) => b.at - a.at);
  } catch {
    return [];
  }
}
