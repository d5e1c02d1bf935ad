// Publishing: what is typed is saved first, so that nothing of it is lost if publishing
// is refused, then the form is sent as it is without a script.
import { form } from "./form.js";
import { stand } from "./messages.js";
import { flush, isSaved, save } from "./saving.js";

const patience = 10_000; // ms in which the page is left, or a further click counts again

let passing = false; // the form is being sent by this script
let under = false; // publishing is under way: a second click changes nothing

// publish is told that the form is being sent to be published.
export async function publish(event) {
  if (passing) {
    flush();
    return;
  }
  event.preventDefault();
  if (under) return;
  under = true;
  const button = event.submitter;
  if (!(await savedWhole()) || !connected()) {
    under = false;
    return;
  }
  // While the event of a submission is being fired, HTML passes over a request for
  // another one (§4.10.22.3, step 3). Where there was nothing to save, that is now.
  await new Promise((next) => { setTimeout(next); });
  passing = true;
  form.requestSubmit(button);
  passing = false;
  setTimeout(() => { under = false; }, patience);
}

// savedWhole saves until what is stored is what is typed: one may have typed on while a
// save was under way.
async function savedWhole() {
  while (await save(true)) {
    if (isSaved()) return true;
  }
  return false;
}

// connected says so where there is no connection: the browser would leave this page for
// one that says the same, and more.
function connected() {
  if (navigator.onLine) return true;
  stand("Saved, not published. There is no connection.");
  return false;
}
