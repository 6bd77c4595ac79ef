/**
 * Read-only Markdown as DOM nodes, the page's one way from text to elements: no HTML, no images, safe links only.
 *
 * Linear in the length of the text and of limited depth, whatever a model or a web page writes.
 *
 * @typedef {{text: string, at: number}} Line `at` is its place in the whole Markdown
 * @typedef {import("./inline.js").Options} Options
 * @typedef {{parent: Element | DocumentFragment, lines: Line[], depth: number, options: Options, tight: boolean}} Block
 */
import { inline } from "./inline.js";

const MOST_DEPTH = 8;
const FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?=[ \t]|$)/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+|$)/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const INDENTED = /^(?: {4}|\t)/;
const TABLE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/**
 * @param {string} markdown
 * @param {Options} [options]
 * @returns {DocumentFragment}
 */
export function render(markdown, options = {}) {
  const parent = document.createDocumentFragment();
  /** @type {Line[]} */
  const lines = [];
  let at = 0;
  for (const text of markdown.split("\n")) {
    lines.push({ text: text.endsWith("\r") ? text.slice(0, -1) : text, at });
    at += text.length + 1;
  }
  blocks({ parent, lines, depth: 0, options, tight: false });
  return parent;
}

/** @param {Block} block */
function blocks(block) {
  for (let i = 0; i < block.lines.length; ) {
    const { text } = block.lines[i];
    if (!text.trim()) i += 1;
    else if (INDENTED.test(text)) i = indented(block, i);
    else if (FENCE.test(text)) i = fenced(block, i);
    else if (HEADING.test(text)) i = heading(block, i);
    else if (RULE.test(text)) {
      block.parent.append(document.createElement("hr"));
      i += 1;
    } else if (QUOTE.test(text) && block.depth < MOST_DEPTH) i = quote(block, i);
    else if (ITEM.test(text) && block.depth < MOST_DEPTH) i = list(block, i);
    else if (isTable(block.lines, i)) i = table(block, i);
    else i = paragraph(block, i);
  }
}

/** Whether a line cannot go on a paragraph. @param {string} text */
function interrupts(text) {
  const item = ITEM.exec(text);
  const begins = item && item[3] && /^(?:[-*+]|1[.)])$/.test(item[2]) && text.trim() !== item[2];
  return begins || FENCE.test(text) || HEADING.test(text) || RULE.test(text) || QUOTE.test(text);
}

/** @param {Line} line @param {number} chars @returns {Line} */
const cut = ({ text, at }, chars) => ({ text: text.slice(chars), at: at + Math.min(chars, text.length) });

/** @param {Line} line @returns {Line} */
const trimmed = (line) => cut(line, line.text.length - line.text.trimStart().length);

/** @param {Block} block @param {Element | DocumentFragment} parent @param {Line[]} lines */
function words({ options }, parent, lines) {
  const starts = [0];
  for (const { text } of lines) starts.push(/** @type {number} */ (starts.at(-1)) + text.length + 1);
  let line = 0; // asked with rising places
  const raw = (/** @type {number} */ at) => {
    while (line + 1 < lines.length && starts[line + 1] <= at) line += 1;
    return lines[line].at + at - starts[line];
  };
  inline(/** @type {Element} */ (parent), { text: lines.map(({ text }) => text).join("\n").trimEnd(), raw }, options);
}

/** @param {Block} block @param {number} i */
function paragraph(block, i) {
  const lines = [trimmed(block.lines[i])];
  let tag = "p";
  for (i += 1; i < block.lines.length; i += 1) {
    const { text } = block.lines[i];
    const under = UNDERLINE.exec(text);
    if (under) {
      tag = "h3";
      i += 1;
      break;
    }
    if (!text.trim() || interrupts(text)) break;
    lines.push(trimmed(block.lines[i]));
  }
  const inPlace = block.tight && tag === "p";
  words(block, inPlace ? block.parent : block.parent.appendChild(document.createElement(tag)), lines);
  return i;
}

/** @param {Block} block @param {number} i */
function heading(block, i) {
  const line = block.lines[i];
  const [whole, marks] = /** @type {RegExpExecArray} */ (HEADING.exec(line.text));
  const inner = trimmed(cut(line, whole.length));
  inner.text = inner.text.trimEnd();
  const bare = inner.text.replace(/#+$/, "");
  if (!bare || /[ \t]$/.test(bare)) inner.text = bare.trimEnd();
  const level = Math.max(3, marks.length); // the page has h1 and h2
  words(block, block.parent.appendChild(document.createElement(`h${level}`)), [inner]);
  return i + 1;
}

/** @param {Block} block @param {string} text */
function code({ parent }, text) {
  const inner = parent.appendChild(document.createElement("pre")).appendChild(document.createElement("code"));
  inner.textContent = text;
}

/** @param {Block} block @param {number} i */
function fenced(block, i) {
  const [, indent, marks] = /** @type {RegExpExecArray} */ (FENCE.exec(block.lines[i].text));
  /** @type {string[]} */
  const inside = [];
  for (i += 1; i < block.lines.length; i += 1) {
    const { text } = block.lines[i];
    const mark = text.trim();
    const closes = mark.length >= marks.length && mark === marks[0].repeat(mark.length) && !INDENTED.test(text);
    if (closes) break;
    inside.push(text.slice(Math.min(indent.length, text.length - text.trimStart().length)));
  }
  code(block, inside.join("\n"));
  return i + 1;
}

/** @param {Block} block @param {number} i */
function indented(block, i) {
  /** @type {string[]} */
  const inside = [];
  for (; i < block.lines.length; i += 1) {
    const { text } = block.lines[i];
    if (text.trim() && !INDENTED.test(text)) break;
    inside.push(text.replace(INDENTED, ""));
  }
  code(block, inside.join("\n").trimEnd());
  return i;
}

/** @param {Block} block @param {number} i */
function quote(block, i) {
  /** @type {Line[]} */
  const lines = [];
  for (; i < block.lines.length; i += 1) {
    const line = block.lines[i];
    const mark = QUOTE.exec(line.text);
    const lazy = lines.at(-1)?.text.trim() && line.text.trim() && !interrupts(line.text);
    if (!mark && !lazy) break;
    lines.push(mark ? cut(line, mark[0].length) : line);
  }
  const parent = block.parent.appendChild(document.createElement("blockquote"));
  blocks({ ...block, parent, lines, depth: block.depth + 1, tight: false });
  return i;
}

/** @param {Block} block @param {number} i */
function list(block, i) {
  const kind = (/** @type {RegExpExecArray} */ mark) => mark[2].slice(-1);
  const first = /** @type {RegExpExecArray} */ (ITEM.exec(block.lines[i].text));
  /** @type {Line[][]} */
  const items = [];
  let tight = true;
  while (i < block.lines.length) {
    const { text } = block.lines[i];
    const mark = ITEM.exec(text);
    if (!mark || kind(mark) !== kind(first) || RULE.test(text)) break;
    const [item, next] = gather(block.lines, i, mark);
    const blank = !block.lines[next - 1].text.trim() && next < block.lines.length;
    i = next;
    tight &&= !item.some(({ text: inner }) => !inner.trim()) && !(blank && ITEM.test(block.lines[i].text));
    items.push(item);
  }
  const ordered = /\d/.test(first[2]);
  const parent = block.parent.appendChild(document.createElement(ordered ? "ol" : "ul"));
  if (parent instanceof HTMLOListElement && parseInt(first[2], 10) !== 1) parent.start = parseInt(first[2], 10);
  for (const lines of items) {
    const li = parent.appendChild(document.createElement("li"));
    blocks({ ...block, parent: li, lines, depth: block.depth + 1, tight });
  }
  return i;
}

/** The lines of one item, and where it ends. @param {Line[]} lines @param {number} i @param {RegExpExecArray} mark @returns {[Line[], number]} */
function gather(lines, i, mark) {
  const width = mark[3].length > 4 || !mark[3] ? mark[1].length + mark[2].length + 1 : mark[0].length;
  const item = [cut(lines[i], width)];
  for (i += 1; i < lines.length; i += 1) {
    const { text } = lines[i];
    const inside = text.length - text.trimStart().length >= width;
    const lazy = item.at(-1)?.text.trim() && !interrupts(text) && !ITEM.test(text);
    if (text.trim() && !inside && !lazy) break;
    item.push(inside ? cut(lines[i], width) : lines[i]);
  }
  while (item.length > 1 && !item.at(-1)?.text.trim()) item.pop();
  return [item, i];
}

/** @param {Line[]} lines @param {number} i */
function isTable(lines, i) {
  const under = lines[i + 1]?.text ?? "";
  if (!lines[i].text.includes("|") || !under.includes("-") || !TABLE.test(under)) return false;
  return cells(lines[i]).length === cells(lines[i + 1]).length;
}

/** @param {Line} line @returns {Line[]} */
function cells(line) {
  const { text } = line;
  /** @type {Line[]} */
  const found = [];
  let from = text.length - text.trimStart().length;
  if (text[from] === "|") from += 1;
  for (let at = from; at <= text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "|" || (at === text.length && text.slice(from).trim())) {
      const cell = trimmed({ text: text.slice(from, at), at: line.at + from });
      found.push({ ...cell, text: cell.text.trimEnd().replaceAll("\\|", "|") });
      from = at + 1;
    }
  }
  return found;
}

/** @param {Block} block @param {number} i */
function table(block, i) {
  const made = document.createElement("table");
  const head = cells(block.lines[i]);
  const row = (/** @type {HTMLElement} */ parent, /** @type {string} */ tag, /** @type {Line[]} */ line) => {
    const tr = parent.appendChild(document.createElement("tr"));
    for (let n = 0; n < Math.min(head.length, 50); n += 1) {
      const cell = tr.appendChild(document.createElement(tag));
      if (line[n]) words(block, cell, [line[n]]);
    }
  };
  row(made.createTHead(), "th", head);
  const body = made.createTBody();
  for (i += 2; i < block.lines.length; i += 1) {
    const { text } = block.lines[i];
    if (!text.trim() || interrupts(text)) break;
    row(body, "td", cells(block.lines[i]));
  }
  block.parent.appendChild(document.createElement("div")).append(made);
  return i;
}
