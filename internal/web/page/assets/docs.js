// Examples in several languages show the one that was chosen last on this device,
// all of them on a page at once.
const stored = "stepsies.language";

function show(language) {
  for (const radio of document.querySelectorAll(`.languages input[value="${language}"]`)) radio.checked = true;
}

function remembered() {
  try {
    return localStorage.getItem(stored);
  } catch {
    return null; // the browser keeps nothing
  }
}

const last = remembered();
if (/^[a-z]+$/.test(last ?? "")) show(last);

document.addEventListener("change", (event) => {
  const radio = event.target.closest(".languages input");
  if (!radio) return;
  const top = radio.getBoundingClientRect().top;
  show(radio.value);
  scrollBy(0, radio.getBoundingClientRect().top - top); // examples above have changed their height
  try {
    localStorage.setItem(stored, radio.value);
  } catch {
    // chosen for this page only
  }
});

// A fold that leads to a part of the same page closes behind the reader.
document.querySelector(".contents-small")?.addEventListener("click", (event) => {
  if (event.target.closest("a")) event.currentTarget.open = false;
});
