/**
 * What backs a sentence: a click on it, or on its citation, shows the stored passages of the sources it cites.
 *
 * @typedef {{section: number, start: number, end: number, cites: string[], passages: Passage[]}} Sentence
 * @typedef {{source_id: string, before: string, text: string, after: string, marks: [number, number][]}} Passage
 */
import { apiOf, ask, problemOf } from "./api.js";
import { el, placesIn, plain, say, sourceLink, whence } from "./dom.js";

/** @param {string} project @param {string} article @param {() => void} soon draws the page again */
export function passages(project, article, soon) {
  /** @type {Map<number, import("./inline.js").Said[]>} */
  let said = new Map();
  /** @type {any} */ let polished = null;
  /** @type {{sentences: Sentence[], gone: string[]}} */
  let found = { sentences: [], gone: [] };
  const panel = panelOf((id) => found.sentences[id], (id) => parts(found, id, polished), () => found.sentences.length);
  const begin = el("button", { class: "quiet", onclick: () => panel.show(0) }, "Check it sentence by sentence");
  const trouble = el("p", { class: "hint" });
  const root = el("div", { class: "check" }, begin, trouble);
  root.hidden = true;

  async function load() {
    try {
      found = await ask("GET", `${apiOf(project, article)}/passages`);
      said = placed(found.sentences, polished.sections);
      say(trouble, "A click on a sentence shows what its sources say.");
    } catch (error) {
      say(trouble, `What backs the sentences cannot be shown. ${problemOf(error).detail}`);
    }
    begin.hidden = !found.sentences.length;
    root.hidden = false;
    soon();
  }
  /** @type {import("./article.js").View} */
  const view = (seen) => {
    seen.said = said;
    if (polished === seen.state.polished) return;
    polished = seen.state.polished;
    panel.close();
    said = new Map();
    if (polished) void load();
  };
  return { root, view, panel: panel.root, watch: (/** @type {HTMLElement} */ text) => watch(text, panel.show) };
}

/** Where the sentences are in their sections' Markdown. @param {Sentence[]} sentences @param {any[]} sections */
function placed(sentences, sections) {
  /** @type {Map<number, import("./inline.js").Said[]>} */
  const found = new Map();
  for (const { n, markdown } of sections) {
    const place = placesIn(markdown);
    const own = sentences.map((one, id) => ({ ...one, id })).filter(({ section }) => section === n);
    found.set(n, own.map(({ id, start, end, cites }) => ({ id: String(id), start: place(start), end: place(end), cited: cites.length > 0 })));
  }
  return found;
}

/** Open the panel for what is clicked, unless a stretch of text is being selected. @param {HTMLElement} text @param {(id: number) => void} show */
function watch(text, show) {
  text.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const hit = /** @type {HTMLElement | null} */ (target.closest("[data-said]"));
    const link = target.closest("a");
    if (!hit || (link && link !== hit) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!link && !getSelection()?.isCollapsed) return;
    event.preventDefault();
    show(Number(hit.dataset.said));
  });
}

/**
 * The panel; it takes the focus, and Esc gives it back to the sentence's citation.
 * @param {(id: number) => Sentence} sentence @param {(id: number) => Node[]} content @param {() => number} count
 */
function panelOf(sentence, content, count) {
  let at = 0;
  /** @type {HTMLElement | null} */ let opener = null;
  const body = el("div", { class: "told" });
  const step = (/** @type {number} */ by) => () => show(at + by);
  const [before, after] = [el("button", { class: "quiet", onclick: step(-1) }, "Previous sentence"), el("button", { class: "quiet", onclick: step(1) }, "Next sentence")];
  const root = el("dialog", { class: "backing", "aria-labelledby": "backing-title", tabindex: -1 });
  root.append(
    el("header", {}, el("h2", { id: "backing-title" }, "What backs this sentence"), el("button", { class: "quiet", onclick: () => close() }, "Close")),
    body,
    el("footer", {}, before, after),
  );
  const mark = (/** @type {number} */ id, /** @type {boolean} */ on) =>
    /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`.text [data-said="${id}"]`)).forEach((one) => one.toggleAttribute("data-shown", on));
  function show(/** @type {number} */ id) {
    if (!sentence(id)) return;
    if (!root.open) opener = /** @type {HTMLElement | null} */ (document.activeElement);
    mark(at, false);
    mark((at = id), true);
    body.replaceChildren(...content(id));
    before.disabled = id === 0;
    after.disabled = id === count() - 1;
    if (!root.open) root.show();
    root.focus({ preventScroll: true });
    root.scrollTop = 0;
    reveal(id, root);
  }
  function close() {
    if (!root.open) return;
    root.close();
    mark(at, false);
    const cite = /** @type {HTMLElement | null} */ (document.querySelector(`.cite[data-said="${at}"]`));
    (cite ?? opener)?.focus({ preventScroll: true });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && root.open && !document.querySelector("dialog:modal")) close();
  });
  return { root, show, close };
}

/** Bring the sentence to where the panel does not cover it. @param {number} id @param {HTMLElement} panel */
function reveal(id, panel) {
  const spans = Array.from(document.querySelectorAll(`.text [data-said="${id}"]`));
  if (!spans.length) return;
  const [first, last, box] = [spans[0].getBoundingClientRect(), spans[spans.length - 1].getBoundingClientRect(), panel.getBoundingClientRect()];
  const covered = last.bottom > box.top && first.top < box.bottom && first.right > box.left;
  if (covered || first.top < 70 || last.bottom > innerHeight) spans[0].scrollIntoView({ block: "start" });
}

/** @param {{sentences: Sentence[], gone: string[]}} found @param {number} id @param {any} polished @returns {Node[]} */
function parts({ sentences, gone }, id, polished) {
  const { cites, passages: told } = sentences[id];
  const spans = Array.from(document.querySelectorAll(`.text .said[data-said="${id}"]`));
  const quote = el("blockquote", { class: "own" }, spans.map((one) => one.textContent).join("").replace(/ (?=[.,;:!?])/g, ""));
  const sources = polished.sources.filter((/** @type {any} */ one) => cites.includes(one.source_id));
  if (!sources.length) return [quote, el("p", { class: "none" }, "No source cited.")];
  return [quote, ...sources.map((/** @type {any} */ source) => backed(source, told.filter((one) => one.source_id === source.source_id), gone))];
}

/** @param {any} source @param {Passage[]} told @param {string[]} gone */
function backed({ source_id: id, number, url, title, fetched_at: at }, told, gone) {
  const none = gone.includes(id)
    ? "The text of this page is no longer stored."
    : "It is cited, but no passage of it is worded like this sentence.";
  return el(
    "section",
    {},
    el("h3", {}, `[${number}] `, sourceLink(url, title)),
    el("p", { class: "facts" }, ...whence(url, at)),
    ...(told.length ? told.map(passage) : [el("p", { class: "none" }, none)]),
  );
}

/** A passage word for word, with what it says of the sentence marked. @param {Passage} passage */
function passage({ before, text, after, marks }) {
  const place = placesIn(text);
  /** @type {Node[]} */
  const words = [];
  let upto = 0;
  for (const [start, end] of marks.map(([a, b]) => [place(a), place(b)])) {
    if (start < upto) continue;
    words.push(document.createTextNode(plain(text.slice(upto, start))), el("mark", {}, plain(text.slice(start, end))));
    upto = end;
  }
  words.push(document.createTextNode(plain(text.slice(upto))));
  return el("blockquote", { class: "passage" }, el("span", { class: "around" }, plain(before)), el("span", { class: "words" }, ...words), el("span", { class: "around" }, plain(after)));
}
