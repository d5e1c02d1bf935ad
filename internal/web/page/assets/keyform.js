// Forms that make keys: sent once however often the button is clicked, and with the
// date and its choice in step.
const form = document.querySelector("form.keyform");
let sent = false;
form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
});
addEventListener("pageshow", () => { sent = false; });

const date = form.querySelector("input[type=date]");
date?.addEventListener("input", () => { if (date.value) form.querySelector("input[value=date]").checked = true; });
form.addEventListener("change", (event) => {
  if (date && event.target.name === "expiry" && event.target.value !== "date") date.value = "";
});
