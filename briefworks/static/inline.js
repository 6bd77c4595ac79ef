/**
 * Inline Markdown as DOM nodes, with citations led to their sources and findings marked; HTML stays text.
 *
 * @typedef {{start: number, end: number, id: string, title: string}} Mark offsets are into the whole Markdown
 * @typedef {{href: string, text: string, title: string}} Citation
 * @typedef {{start: number, end: number, id: string, cited: boolean}} Said a sentence, likewise
 * @typedef {{cite?: (id: string) => Citation | null, marks?: Mark[], said?: Said[]}} Options
 * @typedef {{text: string, raw: (at: number) => number}} Source `raw` leads back to the whole Markdown
 */
import { outside, safeUrl } from "./dom.js";
import { scan } from "./scan.js";

const MOST_DEPTH = 20;

/**
 * Append the text's nodes to `parent`.
 * @param {Element} parent @param {Source} source @param {Options} options
 */
export function inline(parent, source, options) {
  const { text, raw } = source;
  const stack = [parent];
  const top = () => /** @type {Element} */ (stack.at(-1));
  const enter = (/** @type {() => Element} */ make) =>
    stack.push(stack.length > MOST_DEPTH ? top() : top().appendChild(make()));
  for (const token of scan(text, options.cite)) {
    const from = raw(token.from);
    if (token.kind === "text") say(top(), token.value ?? text.slice(token.from, token.to), from, options);
    else if (token.kind === "soft") top().append("\n");
    else if (token.kind === "break") top().append(document.createElement("br"));
    else if (token.kind === "code") say(top().appendChild(document.createElement("code")), token.value ?? "", from, {});
    else if (token.kind === "auto") top().append(outside(safeUrl(token.value ?? "", true) ?? "", token.value ?? ""));
    else if (token.kind === "cite") top().append(citation(/** @type {Citation} */ (token.cite), from, options));
    else if (token.kind === "open") {
      const { href } = token;
      if (href) enter(() => outside(href, ""));
      else say(top(), text.slice(token.from, token.to), from, options);
    } else if (token.kind === "close") stack.pop();
    else {
      for (const _ of token.closes ?? []) stack.pop();
      if (token.count) say(top(), (token.char ?? "").repeat(token.count), from, options);
      for (const tag of (token.opens ?? []).reverse()) enter(() => document.createElement(tag));
    }
  }
}

/** @param {Citation} cite @param {number} at @param {Options} options */
function citation({ href, text, title }, at, { said = [] }) {
  const link = document.createElement("a");
  const sentence = said.find(({ start, end }) => start <= at && at < end);
  if (sentence) link.dataset.said = sentence.id;
  link.className = "cite";
  link.href = href;
  link.title = title;
  link.textContent = text;
  return link;
}

/** Text, sentence by sentence where they are known. @param {Element} parent @param {string} value @param {number} from @param {Options} options */
function say(parent, value, from, options) {
  let at = 0;
  for (const { start, end, id, cited } of options.said ?? []) {
    const begin = Math.max(at, start - from);
    const stop = Math.min(value.length, end - from);
    if (stop <= begin) continue;
    if (begin > at) marked(parent, value.slice(at, begin), from + at, options);
    const sentence = parent.appendChild(document.createElement("span"));
    sentence.className = cited ? "said" : "said bare";
    sentence.dataset.said = id;
    marked(sentence, value.slice(begin, stop), from + begin, options);
    at = stop;
  }
  if (at < value.length) marked(parent, value.slice(at), from + at, options);
}

/** Text, with what is marked in it. @param {Element} parent @param {string} value @param {number} from @param {Options} options */
function marked(parent, value, from, { marks = [] }) {
  let at = 0;
  for (const { start, end, id, title } of marks) {
    const begin = Math.max(at, start - from);
    const stop = Math.min(value.length, end - from);
    if (stop <= begin) continue;
    if (begin > at) parent.append(value.slice(at, begin));
    const mark = parent.appendChild(document.createElement("mark"));
    mark.dataset.finding = id;
    mark.title = title;
    if (parent.closest("a")) mark.textContent = value.slice(begin, stop);
    else {
      const link = mark.appendChild(document.createElement("a"));
      link.href = `#finding-${id}`;
      link.textContent = value.slice(begin, stop);
    }
    at = stop;
  }
  if (at < value.length) parent.append(value.slice(at));
}
