/**
 * How good it is: each measure with its definition and band, what the guards did, the tells rule by rule.
 *
 * @typedef {{name: string, group: string, says: string, band: string}} Measure
 */
import { ask } from "./api.js";
import { changes, counted, el, part, patch, plain, several } from "./dom.js";

const GROUPS = { grounding: "Grounding", coverage: "Coverage", tells: "Tells of a machine", style: "Style", form: "Form" };
/** @type {Record<string, string>} where the name alone would not do */
const NAMES = { mattr: "Variety of words (MATTR)", tells_per_1000_words: "Tells per 1,000 words", cut_off: "Cut off at the end" };

/** @param {() => void} soon draws the page again */
export function scorecardView(soon) {
  const body = el("div");
  const root = part("scorecard", "How good it is", body);
  /** @type {Measure[] | null} */ let measures = null;
  let asked = false;
  const changed = changes();
  const load = () =>
    ask("GET", "/api/measures").then(
      (found) => {
        measures = found.measures;
        soon();
      },
      () => (asked = false), // asked again with the next article
    );
  /** @type {import("./article.js").View} */
  const view = ({ state: { polished, research } }) => {
    if (!changed(polished, measures)) return;
    root.hidden = !polished?.scores && !polished?.backing;
    if (root.hidden) return;
    if (!asked) void load();
    asked = true;
    patch(body, [summary(polished), ...groups(polished, measures), gate(polished, research), keptOut(polished), commands(research)].filter((one) => one !== null));
  };
  return { root, view };
}

/** @param {any} polished */
function summary({ complete, stopped_by: by, scores }) {
  const all = Object.values(scores?.measures ?? {}).filter((one) => one !== null).length;
  const outside = scores?.outside.length ?? 0;
  const whole = complete ? "The article is complete. " : `The article is not complete: it was ended early (${by || "unknown reason"}). `;
  const bands = scores ? `${outside ? `${counted(outside)} of ${several(all, "measure")} lie${outside === 1 ? "s" : ""} outside of the band.` : `All ${several(all, "measure")} are within their bands, where they have one.`} ` : "";
  return el("p", { class: "hint" }, `${whole}${bands}Everything here is counted; no model judges.`);
}

/** @param {any} polished @param {Measure[] | null} measures @returns {HTMLElement[]} */
function groups({ scores, tells_by_rule: rules }, measures) {
  if (!scores || !measures) return [];
  return Object.entries(GROUPS).map(([group, name]) => {
    const known = measures.filter((one) => one.group === group && typeof scores.measures[one.name] === "number");
    const outside = known.filter((one) => scores.outside.includes(one.name)).length;
    const said = !known.length ? "not measured" : outside ? `${outside} of ${known.length} outside` : `${several(known.length, "measure")}, none outside`;
    return el(
      "details",
      { class: "measures", "data-outside": outside ? "yes" : "no" },
      el("summary", {}, name, el("span", { class: "badge" }, said)),
      table(`Measures of ${name.toLowerCase()}`, ["Measure", "Here", "Band"], known.map((one) => row(one, scores))),
      group === "tells" && rules ? byRule(rules) : null,
    );
  });
}

/** @param {Measure} measure @param {any} scores */
function row({ name: id, says, band }, { measures, outside }) {
  const is = outside.includes(id);
  const name = NAMES[id] ?? `${id[0].toUpperCase()}${id.slice(1).replaceAll("_", " ")}`;
  return el(
    "tr",
    { "data-outside": is ? "yes" : "no" },
    el("th", { scope: "row" }, name, el("span", { class: "hint" }, says)),
    el("td", {}, figure(measures[id]), is ? el("span", { class: "badge" }, "outside") : null),
    el("td", {}, band || "–"),
  );
}

/** @param {number} value */
const figure = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 2 });

/** @param {string} caption @param {string[]} heads @param {HTMLElement[]} rows */
function table(caption, heads, rows) {
  const head = el("tr", {}, ...heads.map((one) => el("th", { scope: "col" }, one)));
  return el("table", { class: "scores" }, el("caption", { class: "unseen" }, caption), el("thead", {}, head), el("tbody", {}, ...rows));
}

/** @param {Record<string, {before: number, after: number}>} rules */
function byRule(rules) {
  const found = Object.entries(rules).sort(([, one], [, two]) => two.before - one.before);
  if (!found.length) return el("p", { class: "hint" }, "No rule of the linter has found anything, neither in the draft nor in the article.");
  const rows = found.map(([rule, { before, after }]) => el("tr", {}, el("th", { scope: "row" }, rule.replaceAll("-", " ")), el("td", {}, figure(before)), el("td", {}, figure(after))));
  return table("Weight of each rule's findings before and after polish", ["Rule", "Draft", "Article"], rows);
}

/** What the citation gate has taken out or had rewritten, and why. @param {any} polished @param {any} research */
function gate({ backing }, research) {
  if (!backing) return null;
  const { facts, unbacked } = backing;
  const titles = new Map((research?.pages ?? []).map((/** @type {any} */ one) => [one.source_id, one.title]));
  const items = unbacked.map((/** @type {any} */ { sentence, facts: missing, cites, outcome }) =>
    el(
      "li",
      {},
      el("p", {}, el("del", {}, plain(sentence)), el("span", { class: "badge" }, outcome)),
      el(
        "p",
        { class: "why" },
        `Not said by ${cites.length ? cites.map((/** @type {string} */ id) => plain(titles.get(id) ?? id)).join(", ") : "any source"}: ${plain(missing.join(", "))}`,
      ),
    ),
  );
  const said = `${several(facts, "figure, date, quotation or address", "figures, dates, quotations and addresses")} stated, each said by a source.`;
  return el(
    "details",
    { class: "measures", id: "gate" },
    el("summary", {}, "Citation gate", el("span", { class: "badge" }, unbacked.length ? several(unbacked.length, "sentence") + " mended or removed" : "nothing removed")),
    el("p", { class: "hint" }, said),
    items.length ? el("ul", { class: "findings" }, ...items) : null,
  );
}

/** @type {Record<string, string>} */
const MENDED = {
  talk: "talk about the task",
  heading: "heading repeated",
  placeholder: "placeholder",
  "asked-again": "asked once more",
  "said-twice": "said by another section",
  "rewrite-refused": "rewrite refused",
};

/** What other guards did, section by section. @param {any} polished */
function keptOut({ mended }) {
  if (!mended?.length) return null;
  const items = mended.map((/** @type {any} */ { section, what, text }) =>
    el("li", {}, el("p", {}, plain(text), el("span", { class: "badge" }, MENDED[what] ?? plain(what))), el("p", { class: "facts" }, `section ${section}`)),
  );
  return el(
    "details",
    { class: "measures", id: "kept-out" },
    el("summary", {}, "Kept out of the text", el("span", { class: "badge" }, counted(items.length))),
    el("p", { class: "hint" }, "Cut from what the model wrote, or the reason why it was asked again or its rewrite refused."),
    el("ul", { class: "findings" }, ...items),
  );
}

/** What pages said to the model; it never read it. @param {any} research */
function commands(research) {
  const pages = (research?.pages ?? []).filter((/** @type {any} */ one) => one.commands?.length);
  if (!pages.length) return null;
  const items = pages.flatMap((/** @type {any} */ { title, commands: said }) =>
    said.map((/** @type {string} */ one) => el("li", {}, el("p", {}, el("q", { class: "quote" }, plain(one).slice(0, 400))), el("p", { class: "facts" }, el("bdi", {}, plain(title))))),
  );
  return el(
    "details",
    { class: "measures", id: "commands", "data-outside": "yes" },
    el("summary", {}, "Attempts to command the model", el("span", { class: "badge" }, counted(items.length))),
    el("p", { class: "hint" }, "Sentences of the pages that speak to a model; they were left out of what it read."),
    el("ul", { class: "findings" }, ...items),
  );
}
