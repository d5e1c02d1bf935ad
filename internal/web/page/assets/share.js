// Phones have a sheet of their own to send a link with.
const button = document.querySelector("[data-share]");
const link = { title: button?.dataset.title, url: button?.dataset.url };
if (button && navigator.canShare?.(link)) {
  button.hidden = false;
  button.addEventListener("click", () => navigator.share(link).catch(() => {})); // the sheet was closed
}
