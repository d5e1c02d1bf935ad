// The row of tools above a text.
import * as icons from "./icons.js";
import { asker } from "./asker.js";

const run = (editor) => editor.chain().focus();

// The tools in their order: a name, an icon, what they do and where they are on. A
// number is a gap.
const list = [
  ["Heading", icons.Heading, (e) => run(e).toggleHeading({ level: 2 }).run(), (e) => e.isActive("heading", { level: 2 })],
  ["Subheading", icons.Subheading, (e) => run(e).toggleHeading({ level: 3 }).run(), (e) => e.isActive("heading", { level: 3 })],
  0,
  ["Bold", icons.Bold, (e) => run(e).toggleBold().run(), (e) => e.isActive("bold")],
  ["Italic", icons.Italic, (e) => run(e).toggleItalic().run(), (e) => e.isActive("italic")],
  ["Strike through", icons.Strike, (e) => run(e).toggleStrike().run(), (e) => e.isActive("strike")],
  ["Code", icons.Code, (e) => run(e).toggleCode().run(), (e) => e.isActive("code")],
  ["Link", icons.Link, "link", (e) => e.isActive("link")],
  0,
  ["List", icons.List, (e) => run(e).toggleBulletList().run(), (e) => e.isActive("bulletList")],
  ["Numbered list", icons.Numbers, (e) => run(e).toggleOrderedList().run(), (e) => e.isActive("orderedList")],
  ["Quote", icons.Quote, (e) => run(e).toggleBlockquote().run(), (e) => e.isActive("blockquote")],
  ["Block of code", icons.CodeBlock, (e) => run(e).toggleCodeBlock().run(), (e) => e.isActive("codeBlock")],
  ["Image", icons.Image, "image", (e) => e.isActive("image")],
  ["Table", icons.Table, (e) => run(e).insertTable({ rows: 3, cols: 2, withHeaderRow: true }).run()],
  ["Line", icons.Rule, (e) => run(e).setHorizontalRule().run()],
  0,
  ["Undo", icons.Undo, (e) => run(e).undo().run()],
  ["Redo", icons.Redo, (e) => run(e).redo().run()],
];

// What can be done inside a table.
const tableList = [
  ["Add row", (e) => run(e).addRowAfter().run()],
  ["Add column", (e) => run(e).addColumnAfter().run()],
  ["Remove row", (e) => run(e).deleteRow().run()],
  ["Remove column", (e) => run(e).deleteColumn().run()],
  ["Remove table", (e) => run(e).deleteTable().run()],
];

// tools makes the tools of an editor, and the way to its HTML.
export function tools(editor, asHTML) {
  const all = document.createElement("div");
  const bar = row("Format");
  const tableBar = row("Table");
  const ask = asker(editor);
  all.append(bar, tableBar, ask.element);
  const states = [];
  for (const tool of list) {
    if (!tool) {
      bar.append(Object.assign(document.createElement("span"), { className: "gap" }));
      continue;
    }
    const [label, icon, act, isOn] = tool;
    const b = button(label, typeof act === "string" ? () => ask.toggle(act) : () => act(editor));
    b.title = label;
    b.setAttribute("aria-label", label);
    b.append(icons.draw(icon));
    bar.append(b);
    if (isOn) states.push([b, isOn]);
  }
  const html = words("HTML", asHTML, "Show this step as HTML");
  html.classList.add("end");
  bar.append(html);
  for (const [label, act] of tableList) tableBar.append(words(label, () => act(editor)));

  const update = () => {
    for (const [b, isOn] of states) b.setAttribute("aria-pressed", String(isOn(editor)));
    tableBar.hidden = !editor.isActive("table");
  };
  editor.on("transaction", update);
  update();
  return all;
}

function button(label, act) {
  const b = document.createElement("button");
  b.type = "button";
  b.tabIndex = -1;
  b.addEventListener("mousedown", (event) => event.preventDefault()); // the text keeps its selection
  b.addEventListener("click", act);
  return b;
}

function words(label, act, title = "") {
  const b = button(label, act);
  b.className = "words";
  b.textContent = label;
  b.title = title;
  return b;
}

// row is a toolbar that the Tab key enters once, and arrows walk (WAI-ARIA, toolbar).
function row(label) {
  const bar = document.createElement("div");
  bar.className = "tools";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", label);
  bar.addEventListener("keydown", (event) => {
    const all = [...bar.querySelectorAll("button")];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
  bar.addEventListener("focusin", (event) => {
    for (const b of bar.querySelectorAll("button")) b.tabIndex = b === event.target ? 0 : -1;
  });
  queueMicrotask(() => { bar.querySelector("button").tabIndex = 0; });
  return bar;
}
