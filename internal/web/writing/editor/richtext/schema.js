// What the editor knows: everything that the server's allow-list lets through
// (internal/richtext/allowed.go), under the same names.
import { Mark } from "@tiptap/core";
import StarterKit from "@tiptap/starter-kit";
import { Code } from "@tiptap/extension-code";
import { Image } from "@tiptap/extension-image";
import { Link } from "@tiptap/extension-link";
import { Table, TableCell, TableHeader, TableRow } from "@tiptap/extension-table";

const simpleMark = (name, tag) => Mark.create({
  name,
  parseHTML: () => [{ tag }],
  renderHTML: () => [tag, 0],
});

const plain = (attribute) => ({ default: null, parseHTML: (e) => e.getAttribute(attribute) });

// allowed are the addresses that the server keeps.
export const allowed = (address) => /^(https?:\/\/[^/\s]|mailto:[^/\s])/i.test(address);

export const extensions = [
  StarterKit.configure({
    code: false,
    link: false,
    trailingNode: false,
    heading: { levels: [1, 2, 3, 4, 5, 6] },
  }),
  Code.extend({ excludes: "" }),
  Link.extend({
    inclusive: false,
    addAttributes: () => ({ href: plain("href"), title: plain("title") }),
    renderHTML: ({ HTMLAttributes }) => ["a", HTMLAttributes, 0],
  }).configure({ openOnClick: false, defaultProtocol: "https", isAllowedUri: allowed }),
  Image.configure({ inline: true }),
  simpleMark("highlight", "mark"),
  simpleMark("subscript", "sub"),
  simpleMark("superscript", "sup"),
  Table.extend({
    renderHTML: () => ["table", ["tbody", 0]],
    addKeyboardShortcuts() {
      // Tab leaves the last cell, and the editor with it: a new row would keep whoever has
      // no mouse in here.
      return { ...this.parent?.(), Tab: () => this.editor.commands.goToNextCell() };
    },
  }).configure({ View: null }),
  TableRow,
  TableCell,
  TableHeader.extend({
    addAttributes() {
      return { ...this.parent?.(), scope: plain("scope") };
    },
  }),
];
