// Moving steps by a pointer. While one moves, all are folded to their heads, so that
// there is somewhere to go.
import { rows } from "./form.js";
import { number, tellPlace } from "./rows.js";

const edge = 60; // px from the edge of the window where it begins to scroll
const speed = 12; // px that it scrolls each frame

// startDragging makes the grips work; moved is called when a step has a new place.
export function startDragging(moved) {
  const ready = (row) => { row.querySelector(".grip").hidden = false; };
  [...rows.children].forEach(ready);
  rows.addEventListener("row", (event) => ready(event.target));
  rows.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest(".grip");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    drag(grip, event, moved);
  });
}

function drag(grip, down, moved) {
  const row = grip.closest(".row");
  const before = [...rows.children];
  rows.setPointerCapture(down.pointerId); // not the grip, which loses it when its row moves
  row.classList.add("moving");
  rows.classList.add("sorting");
  scrollBy(0, row.getBoundingClientRect().top + 20 - down.clientY); // folding has moved it away
  let y = down.clientY;
  let frame = requestAnimationFrame(function step() {
    if (y < edge) scrollBy(0, -speed);
    if (y > innerHeight - edge) scrollBy(0, speed);
    place(row, y);
    frame = requestAnimationFrame(step);
  });
  const move = (event) => { y = event.clientY; };
  const end = (event) => {
    cancelAnimationFrame(frame);
    rows.removeEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) rows.removeEventListener(name, end);
    if (event.type === "pointercancel") rows.append(...before);
    else place(row, y);
    row.classList.remove("moving");
    rows.classList.remove("sorting");
    row.scrollIntoView({ block: "nearest" });
    number();
    if (before.some((r, i) => rows.children[i] !== r)) {
      tellPlace(row);
      moved();
    }
  };
  rows.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) rows.addEventListener(name, end);
}

// place puts a row where the pointer is: past every other one whose middle it has passed.
function place(row, y) {
  const middle = (r) => {
    const box = r.getBoundingClientRect();
    return box.top + box.height / 2;
  };
  while (row.previousElementSibling && y <= middle(row.previousElementSibling)) row.previousElementSibling.before(row);
  while (row.nextElementSibling && y >= middle(row.nextElementSibling)) row.nextElementSibling.after(row);
}
