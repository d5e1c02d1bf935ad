// The icons of the tools: Lucide's, and a bold letter that it has none for.
import createElement from "lucide/dist/esm/createElement.mjs";

export { default as Code } from "lucide/dist/esm/icons/code.mjs";
export { default as CodeBlock } from "lucide/dist/esm/icons/square-code.mjs";
export { default as Heading } from "lucide/dist/esm/icons/heading-2.mjs";
export { default as Image } from "lucide/dist/esm/icons/image.mjs";
export { default as Italic } from "lucide/dist/esm/icons/italic.mjs";
export { default as Link } from "lucide/dist/esm/icons/link.mjs";
export { default as List } from "lucide/dist/esm/icons/list.mjs";
export { default as Numbers } from "lucide/dist/esm/icons/list-ordered.mjs";
export { default as Quote } from "lucide/dist/esm/icons/text-quote.mjs";
export { default as Redo } from "lucide/dist/esm/icons/redo.mjs";
export { default as Rule } from "lucide/dist/esm/icons/minus.mjs";
export { default as Strike } from "lucide/dist/esm/icons/strikethrough.mjs";
export { default as Subheading } from "lucide/dist/esm/icons/heading-3.mjs";
export { default as Table } from "lucide/dist/esm/icons/table.mjs";
export { default as Undo } from "lucide/dist/esm/icons/undo.mjs";

export const Bold = [["path", { d: "M6 12h9a4 4 0 0 1 0 8H7a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h7a4 4 0 0 1 0 8" }]];

export const draw = (icon) => createElement(icon, { width: 18, height: 18, "aria-hidden": "true" });
