// Tells whether two pieces of HTML say the same to a reader. What the editor makes of a
// content must, or it would lose something of it.

const sameMark = { B: "STRONG", I: "EM", DEL: "S", STRIKE: "S" };
const marks = new Set(["STRONG", "EM", "U", "S", "MARK", "SUB", "SUP", "CODE", "A"]);
const points = new Set(["BR", "IMG"]);
const flows = new Set(["LI", "TD", "TH", "BLOCKQUOTE"]);
const phrases = new Set(["P", "H1", "H2", "H3", "H4", "H5", "H6"]);
const kept = {
  A: ["href", "title"], CODE: ["class"], IMG: ["src", "alt", "title", "width", "height"],
  OL: ["start"], TD: ["colspan", "rowspan"], TH: ["colspan", "rowspan", "scope"],
};
const defaults = { colspan: "1", rowspan: "1", start: "1", alt: "" };

// canonical returns a text that is the same for HTML that reads the same.
export function canonical(html) {
  const body = new DOMParser().parseFromString(html, "text/html").body;
  return JSON.stringify(flow(body));
}

function name(e) {
  const tag = sameMark[e.tagName] ?? e.tagName;
  const attributes = (kept[tag] ?? [])
    .filter((a) => e.hasAttribute(a) && e.getAttribute(a) !== (defaults[a] ?? null))
    .map((a) => `${a}=${e.getAttribute(a)}`);
  return [tag, ...attributes].join(" ");
}

const inline = (node) => node.nodeType === Node.TEXT_NODE || marks.has(sameMark[node.tagName] ?? node.tagName) || points.has(node.tagName);

// flow reads blocks; inline content between them is a paragraph.
function flow(parent) {
  const blocks = [];
  let run = [];
  const end = () => {
    const words = line(run);
    if (words.length) blocks.push(["P", words]);
    run = [];
  };
  for (const child of parent.childNodes) {
    if (inline(child)) {
      run.push(child);
      continue;
    }
    end();
    if (child.nodeType === Node.ELEMENT_NODE) blocks.push(block(child));
  }
  end();
  const empty = blocks.length === 1 && blocks[0][0] === "P" && blocks[0][1].length === 0;
  return empty ? [] : blocks;
}

function block(e) {
  if (phrases.has(e.tagName)) return [e.tagName, line(e.childNodes)];
  if (flows.has(e.tagName)) return [name(e), flow(e)];
  if (e.tagName === "PRE") return code(e);
  return [name(e), [...e.children].map(block)]; // lists, tables and their parts, rules
}

// code reads a block of plain code as its text, and any other one as its markup.
function code(pre) {
  const only = pre.firstElementChild;
  if (pre.childNodes.length === 1 && only?.tagName === "CODE" && !only.firstElementChild) {
    return ["PRE " + name(only), only.textContent];
  }
  return ["PRE", pre.innerHTML];
}

// line reads inline content as pieces of text with their marks in one order, white
// space being what a reader sees of it.
function line(nodes) {
  const pieces = [];
  let afterSpace = true;
  const walk = (node, on) => {
    if (node.nodeType === Node.TEXT_NODE) {
      for (const c of node.data.replace(/[ \t\n\r\f]+/g, " ")) {
        if (c === " " && afterSpace) continue;
        afterSpace = c === " ";
        const last = pieces.at(-1);
        if (last?.[1] === on) last[0] += c;
        else pieces.push([c, on]);
      }
    } else if (points.has(node.tagName)) {
      if (node.tagName === "BR") trim(pieces);
      pieces.push([name(node), `${on} point`]);
      afterSpace = node.tagName === "BR";
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      const mark = name(node);
      const held = on ? on.split("\n") : [];
      const next = held.includes(mark) ? on : [...held, mark].sort().join("\n");
      node.childNodes.forEach((child) => walk(child, next));
    }
  };
  nodes.forEach((node) => walk(node, ""));
  trim(pieces);
  return pieces;
}

// trim takes the space from the end of a line.
function trim(pieces) {
  const last = pieces.at(-1);
  if (!last || last[1].endsWith("point") || !last[0].endsWith(" ")) return;
  last[0] = last[0].slice(0, -1);
  if (last[0] === "") pieces.pop();
}
