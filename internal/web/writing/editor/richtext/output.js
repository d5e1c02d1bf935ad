// Writes what is in an editor as the HTML that is stored.
import { DOMSerializer } from "@tiptap/pm/model";

// output returns the HTML of an editor's document, "" where it is empty.
export function output(editor) {
  const inert = document.implementation.createHTMLDocument(""); // loads no images, runs nothing
  const root = inert.createElement("div");
  root.append(DOMSerializer.fromSchema(editor.schema).serializeFragment(editor.state.doc.content, { document: inert }));
  for (const e of root.querySelectorAll("[colwidth], [align], [style], [class='']")) {
    for (const name of ["colwidth", "align", "style"]) e.removeAttribute(name);
    if (!e.className) e.removeAttribute("class");
  }
  root.querySelectorAll("li, td, th").forEach(unwrap);
  root.querySelectorAll("table").forEach(addHead);
  const only = root.firstElementChild;
  if (root.childNodes.length === 1 && only.tagName === "P" && !only.hasChildNodes()) return "";
  return root.innerHTML;
}

// unwrap takes the paragraph away from an item or cell that holds nothing else.
function unwrap(e) {
  const only = e.firstElementChild;
  if (e.childNodes.length === 1 && only?.tagName === "P") only.replaceWith(...only.childNodes);
}

// addHead puts a first row of headings into a head, which the editor does not know.
function addHead(table) {
  const body = table.querySelector(":scope > tbody");
  const first = body?.firstElementChild;
  if (!first || ![...first.children].every((cell) => cell.tagName === "TH")) return;
  const head = table.ownerDocument.createElement("thead");
  head.append(first);
  if (body.hasChildNodes()) body.before(head);
  else body.replaceWith(head);
}
