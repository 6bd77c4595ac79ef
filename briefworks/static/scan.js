/**
 * Inline Markdown as tokens: emphasis, code, links, citations, found in time linear in the length of the text.
 *
 * @typedef {import("./inline.js").Citation} Citation
 * @typedef {{kind: string, from: number, to: number, value?: string, href?: string, cite?: Citation, char?: string,
 *   count?: number, canOpen?: boolean, canClose?: boolean, opens?: string[], closes?: string[]}} Token
 */
import { safeUrl } from "./dom.js";

const SPECIAL = /[\\`*_~[\]<&!\n]/g;
const SPACE = /\s/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const AUTOLINK = /<((?:https?|mailto):[^\s<>]{1,2000})>/iy;
const CITATION = /\[(s?\d{1,4})\](?![(:])/y;
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/iy;
/** @type {Record<string, string>} */
const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", ndash: "–", mdash: "—", hellip: "…" };
/** @type {Record<string, string>} */
const TAGS = { "*1": "em", _1: "em", "*2": "strong", _2: "strong", "~2": "del" };

/**
 * @param {string} text
 * @param {((id: string) => Citation | null) | undefined} cite what a citation leads to
 * @returns {Token[]}
 */
export function scan(text, cite) {
  return new Scanner(text, cite).tokens();
}

class Scanner {
  /** @type {Token[]} */ #tokens = [];
  /** @type {{token: Token, delims: number}[]} */ #brackets = [];
  /** @type {Token[]} */ #delims = [];
  #plain = 0; // where the text begins that no rule has taken

  /** @param {string} text @param {((id: string) => Citation | null) | undefined} cite */
  constructor(text, cite) {
    this.text = text;
    this.cite = cite;
    this.ticks = tickRuns(text);
    this.lastParen = text.lastIndexOf(")");
  }

  tokens() {
    const { text } = this;
    let at = 0;
    while (at < text.length) {
      SPECIAL.lastIndex = at;
      const found = SPECIAL.exec(text);
      if (!found) break;
      at = this.#special(found.index, found[0]) || found.index + 1;
    }
    this.#flush(text.length);
    emphasise(this.#delims);
    return this.#tokens;
  }

  /** Where to go on, or 0 when it is only text. @param {number} at @param {string} char */
  #special(at, char) {
    switch (char) {
      case "\\":
        return this.#escape(at);
      case "`":
        return this.#code(at);
      case "\n":
        return this.#newline(at);
      case "<":
        return this.#match(AUTOLINK, at, (found) => ({ kind: "auto", value: found[1] }));
      case "&":
        return this.#match(ENTITY, at, entity);
      case "!":
        return this.text[at + 1] === "[" ? this.#open(at, 2) : 0;
      case "[":
        return this.#match(CITATION, at, ([, id]) => this.#citation(id)) || this.#open(at, 1);
      case "]":
        return this.#close(at);
      default:
        return this.#delimiter(at, char);
    }
  }

  /** @param {number} upto */
  #flush(upto) {
    if (upto > this.#plain) this.#tokens.push({ kind: "text", from: this.#plain, to: upto });
    this.#plain = upto;
  }

  /** @template {Token} T @param {T} token @returns {T} */
  #push(token) {
    this.#flush(token.from);
    this.#tokens.push(token);
    this.#plain = token.to;
    return token;
  }

  /** @param {RegExp} rule @param {number} at @param {(found: RegExpExecArray) => Partial<Token> & {kind: string} | null} make */
  #match(rule, at, make) {
    rule.lastIndex = at;
    const found = rule.exec(this.text);
    const made = found && make(found);
    return made ? this.#push({ from: at, to: at + found[0].length, ...made }).to : 0;
  }

  /** @param {string} id */
  #citation(id) {
    const cite = this.cite?.(id);
    return cite ? { kind: "cite", cite } : null;
  }

  /** @param {number} at */
  #escape(at) {
    const next = this.text[at + 1] ?? "";
    if (next === "\n") return this.#push({ kind: "break", from: at, to: at + 2 }).to;
    if (!/[!-/:-@[-`{-~]/.test(next)) return 0;
    return this.#push({ kind: "text", from: at, to: at + 2, value: next }).to;
  }

  /** @param {number} at */
  #code(at) {
    const count = this.ticks.at.get(at) ?? 1;
    const close = this.ticks.next(count, at);
    if (close < 0) return at + count;
    let value = this.text.slice(at + count, close).replaceAll("\n", " ");
    if (value.startsWith(" ") && value.endsWith(" ") && value.trim()) value = value.slice(1, -1);
    return this.#push({ kind: "code", from: at, to: close + count, value }).to;
  }

  /** @param {number} at */
  #newline(at) {
    let from = at;
    while (from > this.#plain && this.text[from - 1] === " ") from -= 1;
    return this.#push({ kind: at - from > 1 ? "break" : "soft", from, to: at + 1 }).to;
  }

  /** @param {number} at @param {string} char */
  #delimiter(at, char) {
    let to = at;
    while (this.text[to] === char) to += 1;
    if (char === "~" && to - at !== 2) return to;
    const before = at ? /** @type {string} */ (this.text.slice(Math.max(0, at - 2), at).match(/.$/su)?.[0] ?? " ") : " ";
    const after = to < this.text.length ? String.fromCodePoint(/** @type {number} */ (this.text.codePointAt(to))) : " ";
    const left = !SPACE.test(after) && (!PUNCTUATION.test(after) || SPACE.test(before) || PUNCTUATION.test(before));
    const right = !SPACE.test(before) && (!PUNCTUATION.test(before) || SPACE.test(after) || PUNCTUATION.test(after));
    const inWord = char === "_" && left && right;
    const canOpen = left && (!inWord || PUNCTUATION.test(before));
    const canClose = right && (!inWord || PUNCTUATION.test(after));
    const count = to - at;
    this.#delims.push(
      this.#push({ kind: "delim", from: at, to, char, count, canOpen, canClose, opens: [], closes: [] }),
    );
    return to;
  }

  /** @param {number} at @param {number} length */
  #open(at, length) {
    const token = this.#push({ kind: "open", from: at, to: at + length });
    this.#brackets.push({ token, delims: this.#delims.length });
    return token.to;
  }

  /** @param {number} at */
  #close(at) {
    const opener = this.#brackets.pop();
    if (!opener || this.text[at + 1] !== "(" || at > this.lastParen) return 0;
    const found = destination(this.text, at + 2);
    const href = found && safeUrl(found.url, true);
    if (!href) return 0;
    opener.token.href = href;
    emphasise(this.#delims.splice(opener.delims));
    this.#brackets.length = 0; // no link within a link
    return this.#push({ kind: "close", from: at, to: found.to }).to;
  }
}

/** @param {RegExpExecArray} found */
function entity([, decimal, hex, name]) {
  const code = name ? 0 : parseInt(decimal ?? hex, decimal ? 10 : 16);
  const ok = code > 31 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  const value = name ? (Object.hasOwn(NAMED, name) ? NAMED[name] : "") : ok ? String.fromCodePoint(code) : "\ufffd";
  return value ? { kind: "text", value } : null;
}

/** Where the runs of backticks are; `next` is asked with rising places. @param {string} text */
function tickRuns(text) {
  /** @type {Map<number, number>} */ const at = new Map();
  /** @type {Map<number, {places: number[], used: number}>} */ const byLength = new Map();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    at.set(index, run.length);
    if (!byLength.has(run.length)) byLength.set(run.length, { places: [], used: 0 });
    byLength.get(run.length)?.places.push(index);
  }
  const next = (/** @type {number} */ length, /** @type {number} */ after) => {
    const runs = byLength.get(length);
    while (runs && runs.places[runs.used] <= after) runs.used += 1;
    return runs?.places[runs.used] ?? -1;
  };
  return { at, next };
}

/** What stands in the parentheses of a link. @param {string} text @param {number} from */
function destination(text, from) {
  const inside = /\s*(?:<([^<>\n]{0,2000})>|([^\s<]{0,2000}))/y;
  inside.lastIndex = from;
  const found = inside.exec(text);
  if (!found) return null;
  let [, url] = found;
  let at = inside.lastIndex;
  if (url === undefined) {
    const bare = found[2];
    let depth = 0;
    let length = 0;
    for (; length < bare.length && depth < 32; length += 1) {
      if (bare[length] === "(") depth += 1;
      else if (bare[length] === ")" && --depth < 0) break;
    }
    url = bare.slice(0, length);
    at += length - bare.length;
  }
  const end = /(?:\s+(?:"[^"]{0,500}"|'[^']{0,500}'))?\s*\)/y;
  end.lastIndex = at;
  return end.test(text) ? { url, to: end.lastIndex } : null;
}

/** CommonMark's rule of three: in **a*b the second mark does not end the first. @param {any} opener @param {any} closer */
function fit(opener, closer) {
  const [one, two] = [opener.to - opener.from, closer.to - closer.from];
  return !(opener.canClose || closer.canOpen) || (one + two) % 3 !== 0 || one % 3 === 0;
}

/** Pairs what opens with what closes; each is looked at once. @param {Token[]} delims */
function emphasise(delims) {
  /** @type {any[]} */ const stack = [];
  /** @type {Record<string, any[]>} */ const open = { "*": [], _: [], "~": [] };
  for (const one of /** @type {any[]} */ (delims)) {
    const mine = open[one.char];
    while (one.canClose && one.count && mine.length && fit(mine.at(-1), one)) {
      const opener = mine.at(-1);
      while (stack.at(-1) !== opener) open[stack.pop().char].pop();
      const used = Math.min(2, one.count, opener.count);
      opener.opens.push(TAGS[one.char + used]);
      one.closes.push(TAGS[one.char + used]);
      opener.count -= used;
      one.count -= used;
      if (!opener.count) open[stack.pop().char].pop();
    }
    if (one.canOpen && one.count) mine.push(stack[stack.push(one) - 1]);
  }
}
