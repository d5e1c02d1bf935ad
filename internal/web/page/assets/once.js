// Around a key that is shown once: leaving the page asks until the key was copied,
// by whatever means, or the page was dismissed.
const panel = document.querySelector("[data-once]");
let kept = false;
const ask = (event) => { if (!kept) event.preventDefault(); };
addEventListener("beforeunload", ask);
const done = () => { kept = true; removeEventListener("beforeunload", ask); };

addEventListener("copied", (event) => { if (event.target.closest("[data-once]")) done(); });
panel.addEventListener("copy", (event) => { if (event.target.closest?.("[data-secret]") || getSelection().toString().includes("sk_")) done(); });
panel.querySelector("[data-dismiss]").addEventListener("click", done);
