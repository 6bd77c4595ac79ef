/**
 * Elements made by hand: whatever is handed in becomes text or a checked attribute, never HTML.
 *
 * @typedef {Node | string | number | null | undefined | false} Child
 */

const SVG = "http://www.w3.org/2000/svg";
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * An element with attributes (`class`, `id`, `aria-…`), listeners (`onclick`, a function) and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props] false, null and undefined leave one out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  set(made, props);
  made.append(...present(children));
  return made;
}

/** A part of the page under its heading, hidden until it has something to show. @param {string} id @param {string} title @param {...Child} content */
export function part(id, title, ...content) {
  const root = el("section", { class: "part", id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), ...content);
  root.hidden = true;
  return root;
}

/** @param {string} tag @param {Record<string, any>} [props] @param {...Child} children @returns {SVGElement} */
export function svg(tag, props = {}, ...children) {
  const made = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  set(made, props);
  made.append(...present(children));
  return made;
}

/** @param {Child[]} children @returns {(Node | string)[]} */
const present = (children) =>
  children.filter((one) => one !== null && one !== undefined && one !== false).map((one) => /** @type {any} */ (one));

/** @param {Element} element @param {Record<string, any>} props */
function set(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** The address, if it may be a link: http, https and, where asked, mailto. @param {string} text @param {boolean} [mail] */
export function safeUrl(text, mail = false) {
  try {
    const url = new URL(text.trim());
    return ["http:", "https:", ...(mail ? ["mailto:"] : [])].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link to another site. @param {string} href checked by `safeUrl` @param {string} text */
export function outside(href, text) {
  return el("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, text);
}

/** What a page of the web calls itself, without characters that turn or hide text. @param {string} text */
export function plain(text) {
  return text.replace(UNSEEN, "");
}

/** A link with the title of a web page, or only the title. @param {string} url @param {string} title */
export function sourceLink(url, title) {
  const href = safeUrl(url);
  const words = plain(title).trim() || hostOf(url);
  return el("bdi", {}, href ? outside(href, words) : words);
}

/** @param {string} url */
export function hostOf(url) {
  const href = safeUrl(url);
  return href ? new URL(href).host.replace(/^www\./, "") : plain(url).slice(0, 60);
}

/** Where a source stands, and when it was read. @param {string} url @param {string} at */
export const whence = (url, at) => [el("span", {}, hostOf(url)), el("span", {}, `read ${String(at).slice(0, 16).replace("T", " ")}`)];

/**
 * Make the children of `parent` these. What is the same stays, what is alike is changed in place: so a selection
 * and the place of a reader survive while a text grows.
 * @param {Element} parent @param {Node[]} nodes
 */
export function patch(parent, nodes) {
  nodes.forEach((node, i) => {
    const old = parent.childNodes[i];
    if (!old) parent.append(node);
    else if (old.isEqualNode(node)) return;
    else if (old instanceof Text && node instanceof Text) old.data = node.data;
    else if (old instanceof HTMLElement && node instanceof HTMLElement && old.cloneNode(false).isEqualNode(node.cloneNode(false)))
      patch(old, Array.from(node.childNodes));
    else old.replaceWith(node);
  });
  while (parent.childNodes.length > nodes.length) parent.lastChild?.remove();
}

/** Set text only where it differs: nothing is announced or selected away for nothing. @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Says of each list of values whether it differs from the one before: what has not changed is not drawn again. */
export function changes() {
  /** @type {unknown[]} */ let last = [];
  return (/** @type {unknown[]} */ ...now) => {
    const differ = now.some((one, i) => one !== last[i]);
    last = now;
    return differ;
  };
}

/** The children of a `dl`. @param {string[][]} rows name and value */
export const pairs = (rows) => rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, plain(value))));

/** 75 → "1:15" @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** From places in code points, as the app counts, to places in this text. @param {string} text */
export function placesIn(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (/** @type {number} */ point) => point;
  const starts = [0];
  for (const char of text) starts.push(/** @type {number} */ (starts.at(-1)) + char.length);
  return (/** @type {number} */ point) => starts[Math.min(point, starts.length - 1)];
}

/** @param {number} number */
export const counted = (number) => number.toLocaleString("en-US");

/** @param {number} n @param {string} one @param {string} [many] */
export const several = (n, one, many = `${one}s`) => `${counted(n)} ${n === 1 ? one : many}`;

/** @param {string} at an instant */
export function ago(at) {
  const seconds = (Date.now() - Date.parse(at)) / 1000;
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${several(Math.floor(seconds / 60), "minute")} ago`;
  if (seconds < 86400) return `${several(Math.floor(seconds / 3600), "hour")} ago`;
  return new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
}

/** Rough, for people: words of a text. @param {string} markdown */
export const countWords = (markdown) => markdown.match(/[\p{L}\p{N}]+(?:['’.,-][\p{L}\p{N}]+)*/gu)?.length ?? 0;
