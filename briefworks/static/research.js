/** The research: the pages that rank as a table that can be sorted, their scores part by part, questions, entities. */
import { changes, counted, el, hostOf, part, plain, several, sourceLink, svg } from "./dom.js";

/** @type {[string, string][]} the parts of a score, in the order of their weight */
const PARTS = [
  ["coverage", "says what the other pages say"],
  ["depth", "goes into it"],
  ["questions", "answers what people ask"],
  ["structure", "headings, lists, tables"],
  ["freshness", "how new it is"],
  ["readability", "how easily it reads"],
];
/** @typedef {"position" | "title" | "words" | "score"} Column */
/** @type {[Column, string][]} */
const COLUMNS = [
  ["position", "Rank"],
  ["title", "Page"],
  ["words", "Words"],
  ["score", "Score"],
];

export function researchView() {
  const body = el("div");
  const root = part("research", "Research", body);
  const changed = changes();
  /** @type {import("./article.js").View} */
  const view = ({ state: { research } }) => {
    if (!changed(research)) return;
    root.hidden = !research;
    if (research) body.replaceChildren(...parts(research));
  };
  return { root, view };
}

/** @param {any} research @returns {Node[]} */
function parts({ pages, questions, entities, related, provider, fetched_at: at }) {
  const read = pages.filter((/** @type {any} */ page) => page.snapshot_id !== null).length;
  const about = `${several(pages.length, "page")} found by ${plain(provider)} on ${at.slice(0, 10)}, ${counted(read)} of them read.`;
  const list = (/** @type {string} */ name, /** @type {string[]} */ items) =>
    items.length ? [el("h3", {}, name), el("ul", { class: "plain" }, ...items.map((one) => el("li", {}, plain(one))))] : [];
  const chips = entities.map((/** @type {any} */ { name, kind, mentions, pages: on }) =>
    el("li", { "data-kind": kind, title: `${several(mentions, "mention")} on ${several(on.length, "page")}` }, plain(name), el("span", {}, counted(mentions))),
  );
  return [
    el("p", { class: "hint" }, about),
    pageTable(pages),
    legend(),
    ...list("What people ask", questions),
    ...(chips.length ? [el("h3", {}, "What the pages talk about"), el("ul", { class: "chips" }, ...chips)] : []),
    ...list("Related searches", related),
  ];
}

/** @param {any} page @param {Column} column @returns {string | number} */
function valueOf(page, column) {
  if (column === "title") return plain(page.title).toLowerCase();
  return column === "score" ? (page.score?.total ?? -1) : page[column];
}

/** @param {any[]} pages */
function pageTable(pages) {
  let sorted = /** @type {Column} */ ("position");
  let up = true;
  const rows = pages.map((page) => ({ page, row: rowOf(page) }));
  const body = el("tbody");
  const heads = COLUMNS.map(([column, name]) => {
    const sort = () => {
      up = sorted === column ? !up : column === "position" || column === "title";
      sorted = column;
      draw();
    };
    return { column, th: el("th", { scope: "col", class: column }, el("button", { class: "sort", onclick: sort }, name)) };
  });
  const draw = () => {
    for (const { column, th } of heads) {
      if (column === sorted) th.setAttribute("aria-sort", up ? "ascending" : "descending");
      else th.removeAttribute("aria-sort");
    }
    const order = (/** @type {any} */ a, /** @type {any} */ b) => {
      const [one, two] = [valueOf(a.page, sorted), valueOf(b.page, sorted)];
      return (one < two ? -1 : one > two ? 1 : 0) * (up ? 1 : -1);
    };
    body.replaceChildren(...[...rows].sort(order).map(({ row }) => row));
  };
  draw();
  const caption = el("caption", { class: "unseen" }, "Pages that rank for the keyword; the buttons in the head sort them");
  return el("table", { class: "pages" }, caption, el("thead", {}, el("tr", {}, ...heads.map(({ th }) => th))), body);
}

/** @param {any} page */
function rowOf({ source_id: id, position, url, title, words, score, note, published_at: published }) {
  return el(
    "tr",
    { id: `page-${id}` },
    el("td", { class: "position" }, String(position)),
    el(
      "th",
      { scope: "row", class: "title" },
      sourceLink(url, title),
      el(
        "span",
        { class: "facts" },
        el("span", {}, id),
        words ? el("span", { class: "small-words" }, several(words, "word")) : null,
        el("span", {}, hostOf(url)),
        published ? el("span", {}, String(published).slice(0, 10)) : null,
      ),
      note ? el("span", { class: "note" }, plain(note)) : null,
    ),
    el("td", { class: "words" }, words ? counted(words) : "–"),
    el("td", { class: "score" }, score ? el("strong", {}, score.total.toFixed(0)) : "–", score ? chart(score) : null),
  );
}

/** The parts of a score as six bars; what could not be measured is an empty place. @param {any} score */
function chart({ parts: values, unknown }) {
  const known = (/** @type {string} */ name) => Object.hasOwn(values, name) && !unknown.includes(name);
  const percent = (/** @type {string} */ name) => Math.round(100 * values[name]);
  const said = PARTS.map(([name]) => `${name} ${known(name) ? `${percent(name)} %` : "not known"}`).join(", ");
  const bars = PARTS.flatMap(([name], i) => {
    const height = known(name) ? Math.max(1, 24 * values[name]) : 0;
    const track = svg("rect", { class: known(name) ? "track" : "gap", x: i * 12, y: 0, width: 9, height: 24, rx: 1.5 });
    track.append(svg("title", {}, `${name}: ${known(name) ? `${percent(name)} %` : "not known"}`));
    return [track, svg("rect", { class: "fill", x: i * 12, y: 24 - height, width: 9, height, rx: 1.5 })];
  });
  return svg("svg", { class: "parts", viewBox: "0 0 69 24", role: "img", "aria-label": said }, ...bars);
}

function legend() {
  const items = PARTS.map(([name, what]) => el("li", {}, el("strong", {}, name), ` ${what}`));
  return el("details", { class: "legend" }, el("summary", {}, "What the bars say"), el("p", {}, "From left to right, each from 0 to 100 %; a dashed place could not be measured."), el("ol", {}, ...items));
}
