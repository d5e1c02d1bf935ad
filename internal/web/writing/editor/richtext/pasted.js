// Makes of what other programs put on the clipboard what they meant. Word and Google Docs
// say with styles what HTML has elements for, and a page whose policy forbids inline
// styles cannot ask a browser for them: they are read here, as text.

const was = "data-style"; // where styles are kept, out of the browser's sight
const tags = /<[a-z](?:"[^"]*"|'[^']*'|[^"'>])*>/gi;
const inside = new Set(["SPAN", "FONT", "B", "STRONG", "I", "EM", "U", "A"]);

// cleaned returns pasted HTML without what only its program understands, and how many
// images had to be left out: those without an address that readers could ask.
export function cleaned(html) {
  if (html.includes("data-pm-slice")) return { html, leftOut: 0 }; // from an editor such as this one
  const quiet = html.replace(/<style[\s\S]*?<\/style\s*>/gi, "")
    .replace(tags, (tag) => tag.replace(/\sstyle\s*=/gi, ` ${was}=`).replace(/\son[a-z]+\s*=/gi, " data-event="));
  const body = new DOMParser().parseFromString(quiet, "text/html").body;
  for (const e of body.querySelectorAll("script, meta, link, title, xml, br.Apple-interchange-newline")) e.remove();
  for (const e of body.querySelectorAll("b, strong")) if (isLight(styleOf(e)["font-weight"])) e.replaceWith(...e.childNodes); // Google Docs has one around all
  wordLists(body);
  for (const e of [...body.querySelectorAll(`[${was}]`)].reverse()) { // what is inside first
    mark(e);
    e.removeAttribute(was);
  }
  for (const e of body.querySelectorAll("*")) if (e.tagName.includes(":")) e.replaceWith(...e.childNodes); // o:p
  let leftOut = 0;
  for (const image of body.querySelectorAll("img")) {
    if (/^https:\/\//i.test(image.getAttribute("src") ?? "")) continue;
    image.remove();
    leftOut++;
  }
  for (const e of body.querySelectorAll("p")) if (!e.textContent.trim() && !e.querySelector("img")) e.remove();
  betweenBlocks(body);
  return { html: body.innerHTML, leftOut };
}

// styleOf reads the declarations of an element's style.
function styleOf(e) {
  const found = {};
  for (const declaration of (e.getAttribute(was) ?? "").split(";")) {
    const colon = declaration.indexOf(":");
    if (colon > 0) found[declaration.slice(0, colon).trim().toLowerCase()] = declaration.slice(colon + 1).trim().toLowerCase();
  }
  return found;
}

const isBold = (weight) => weight === "bold" || weight === "bolder" || Number(weight) >= 600;
const isLight = (weight) => weight === "normal" || Number(weight) < 600;

// mark says with elements what an element's style says.
function mark(e) {
  if (!inside.has(e.tagName)) return;
  const style = styleOf(e);
  const lines = style["text-decoration"] ?? style["text-decoration-line"] ?? "";
  const wanted = [];
  if (isBold(style["font-weight"]) && !e.closest("b, strong, h1, h2, h3, h4, h5, h6, th")) wanted.push("strong");
  if (style["font-style"] === "italic" && !e.closest("i, em")) wanted.push("em");
  if (lines.includes("line-through")) wanted.push("s");
  if (lines.includes("underline") && !e.closest("a, u")) wanted.push("u");
  if (style["vertical-align"] === "sub") wanted.push("sub");
  if (style["vertical-align"] === "super") wanted.push("sup");
  for (const tag of wanted) {
    const around = e.ownerDocument.createElement(tag);
    around.append(...e.childNodes);
    e.append(around);
  }
}

// wordLists makes lists of the paragraphs that Word draws bullets and numbers before.
function wordLists(body) {
  const made = new Set();
  for (const p of [...body.querySelectorAll(`p[${was}*="mso-list"]`)]) {
    const level = /mso-list:\s*l\d+\s+level(\d)/i.exec(p.getAttribute(was));
    if (!level) continue;
    const sign = [...p.querySelectorAll(`[${was}]`)].find((e) => /mso-list:\s*ignore/i.test(e.getAttribute(was)));
    const tag = /^[\s(]*(\d+|[a-z]{1,4})[.)]/i.test(sign?.textContent ?? "") ? "OL" : "UL";
    sign?.remove();
    const item = body.ownerDocument.createElement("li");
    item.append(...p.childNodes);
    const fresh = () => {
      const list = body.ownerDocument.createElement(tag);
      made.add(list);
      return list;
    };
    let list = p.previousElementSibling;
    if (!made.has(list) || level[1] === "1" && list.tagName !== tag) {
      list = fresh();
      p.before(list);
    }
    for (let depth = 1; depth < Number(level[1]) && list.lastElementChild; depth++) {
      const parent = list.lastElementChild;
      if (!made.has(parent.lastElementChild)) parent.append(fresh());
      list = parent.lastElementChild;
    }
    list.append(item);
    p.remove();
  }
}

// betweenBlocks takes away line breaks that stand for the space between two blocks.
function betweenBlocks(body) {
  const block = (e) => e && !inside.has(e.tagName) && e.tagName !== "BR" && e.tagName !== "IMG";
  for (const br of body.querySelectorAll("br")) {
    const alone = br.parentElement === body && (block(br.previousElementSibling) || block(br.nextElementSibling));
    if (alone && !nearText(br)) br.remove();
  }
}

// nearText reports whether a line break stands beside words.
const nearText = (br) => [br.previousSibling, br.nextSibling].some((node) => node?.nodeType === Node.TEXT_NODE && node.data.trim());
