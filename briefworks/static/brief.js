/** The brief: for whom and from which angle, and the outline with what each section is for. */
import { changes, el, pairs, part, patch, plain, several } from "./dom.js";

export function briefView() {
  const body = el("div");
  const root = part("brief", "The brief", body);
  const changed = changes();
  /** @type {import("./article.js").View} */
  const view = ({ state: { brief } }) => {
    if (!changed(brief)) return;
    root.hidden = !brief;
    if (brief) patch(body, parts(brief));
  };
  return { root, view };
}

/** @param {any} brief */
function parts(brief) {
  const facts = [
    ["Search intent", [brief.intent, brief.intent_why].filter(Boolean).join(": ")],
    ["Angle", brief.angle],
    ["Reader", brief.reader],
    ["In search results", brief.meta_description],
  ].filter(([, text]) => text);
  const kinds = { entity: "not covered", question: "not answered", source: "without a source", words: "length", job: "two sections with one job" };
  const gaps = brief.gaps.map((/** @type {any} */ { kind, what }) =>
    el("li", {}, `${plain(what)} `, el("span", { class: "hint" }, kinds[/** @type {"entity"} */ (kind)] ?? kind)),
  );
  return [
    el("dl", { class: "pairs" }, ...pairs(facts)),
    el("h3", {}, "Outline"),
    el("ol", { class: "outline" }, ...brief.outline.map(planned)),
    ...(gaps.length ? [el("h3", {}, "Gaps in the plan, given to the sections that fit"), el("ul", { class: "gaps" }, ...gaps)] : []),
  ];
}

/** @param {any} section */
function planned({ n, heading, purpose, points, words, sources }) {
  const cited = sources.length ? [el("span", {}, `from ${sources.join(", ")}`)] : [];
  return el(
    "li",
    {},
    el("p", {}, el("a", { href: `#section-${n}` }, plain(heading))),
    purpose && el("p", { class: "why" }, plain(purpose)),
    points.length > 0 && el("ul", {}, ...points.map((/** @type {string} */ one) => el("li", {}, plain(one)))),
    el("p", { class: "facts" }, el("span", {}, several(words, "word")), ...cited),
  );
}
