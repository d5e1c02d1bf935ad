// What pages can do better with a script. Everything works without it.

// Buttons with data-copy put the text of the element they name on the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  const done = await copy(source);
  if (done) source.dispatchEvent(new Event("copied", { bubbles: true }));
  else select(source);
  const label = button.dataset.label ??= button.textContent;
  button.textContent = done ? "Copied" : `Press ${/Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl+"}C`;
  setTimeout(() => { button.textContent = label; }, 2000);
});

// Away from HTTPS and from this machine browsers have the older way only.
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    return true;
  } catch {
    select(source);
    return document.execCommand("copy");
  }
}

function select(source) {
  if (source.select) source.select(); // a field
  else getSelection().selectAllChildren(source);
}

// On a phone the tabs scroll sideways: the present one is in sight from the start.
const strip = document.querySelector(".tabs");
const present = strip?.querySelector("[aria-current]");
if (present) {
  new ResizeObserver(() => {
    if (strip.scrollWidth > strip.clientWidth) strip.scrollLeft = present.offsetLeft - (strip.clientWidth - present.offsetWidth) / 2;
  }).observe(strip);
}

// What scrolls sideways within a text can be scrolled by keyboard, in browsers too that
// do not see to it themselves.
const scrollers = document.querySelectorAll(".prose:not([contenteditable]) :is(pre, table)");
if (scrollers.length) {
  const reach = ({ target }) => {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver((entries) => entries.forEach(reach));
  for (const scroller of scrollers) sizes.observe(scroller);
}
