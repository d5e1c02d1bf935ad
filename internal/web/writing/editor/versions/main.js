// Taking the saved version means that what this device kept of the other one goes, and
// nothing else that it kept.
const form = document.querySelector("[data-versions]");
const prefix = form.dataset.versions + "-";
const values = (name) => [...form.querySelectorAll(`input[name="${name}"]`)].map((input) => input.value);
const mine = JSON.stringify([values("title")[0], values("step_title"), values("step_content")]);

document.querySelector("[data-forget]").addEventListener("click", () => {
  for (const name of Object.keys(localStorage).filter((n) => n.startsWith(prefix))) {
    const { typed } = JSON.parse(localStorage.getItem(name));
    const steps = typed.steps.filter((s) => s.id || s.title.trim() || s.content);
    if (JSON.stringify([typed.title, steps.map((s) => s.title), steps.map((s) => s.content)]) === mine) localStorage.removeItem(name);
  }
});
