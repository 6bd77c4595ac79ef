/** What polish found: marked in the text with the reason, listed with what was mended, tells before and after. */
import { changes, counted, el, part, patch, plain, say, several, svg } from "./dom.js";

/**
 * A section's findings as marks: only those whose words are where the finding says.
 * @param {import("./fold.js").SectionState} section @param {any[]} findings
 * @returns {import("./inline.js").Mark[]}
 */
export function marksOf(section, findings) {
  /** @type {import("./inline.js").Mark[]} */
  const marks = [];
  findings.forEach((finding, i) => {
    if (finding.section !== section.n || finding.fixed) return;
    const start = placeOf(section.markdown, finding);
    if (start < 0) return;
    marks.push({ start, end: start + finding.quote.length, id: String(i + 1), title: plain(finding.why) });
  });
  marks.sort((a, b) => a.start - b.start || b.end - a.end);
  return marks;
}

/**
 * Where a finding's words begin, or -1. Its offsets are code points of its paragraph; paragraphs begin behind
 * blank lines, and of several that fit the one nearest to the finding's own number is meant.
 * @param {string} markdown @param {any} finding
 */
function placeOf(markdown, { quote, start, paragraph }) {
  if (!quote) return -1;
  const begins = [0, ...[...markdown.matchAll(/\n(?:[ \t]*\n)+/g)].map((gap) => gap.index + gap[0].length)];
  let best = -1;
  let distance = Infinity;
  begins.forEach((from, i) => {
    let at = from;
    for (let points = 0; points < start && at < markdown.length; points += 1)
      at += /** @type {number} */ (markdown.codePointAt(at)) > 0xffff ? 2 : 1;
    if (Math.abs(i + 1 - paragraph) < distance && markdown.startsWith(quote, at)) {
      best = at;
      distance = Math.abs(i + 1 - paragraph);
    }
  });
  return best;
}

export function findingsView() {
  const sum = el("div", { class: "before-after" });
  const kept = el("ul", { class: "findings" });
  const mended = el("ul", { class: "findings" });
  const count = el("summary");
  const folded = el("details", { class: "mended" }, count, mended);
  const root = part("findings", "What polish found", sum, kept, folded);
  const changed = changes();
  /** @type {import("./article.js").View} */
  const view = ({ state, trail }) => {
    if (!changed(trail.findings, state.polished, state.sections)) return;
    const { findings } = trail;
    root.hidden = !findings.length && !state.polished;
    if (root.hidden) return;
    patch(sum, sums(state.polished, findings));
    const items = findings.map((finding, i) => ({ fixed: finding.fixed, node: item(finding, i + 1, state) }));
    const gone = items.filter(({ fixed }) => fixed).map(({ node }) => node);
    patch(kept, items.filter(({ fixed }) => !fixed).map(({ node }) => node));
    patch(mended, gone);
    say(count, `What was mended: ${several(gone.length, "finding")}`);
    folded.hidden = !gone.length;
  };
  return { root, view };
}

/** @param {any} polished @param {any[]} findings @returns {Node[]} */
function sums(polished, findings) {
  const about = "Tells are turns of phrase that give machine writing away; they are weighed and counted per 1,000 words.";
  if (!polished) return [el("p", {}, `${several(findings.length, "finding")} so far. ${about}`)];
  const { tells_before: before, tells_after: after } = polished;
  const fixed = findings.filter((one) => one.fixed).length;
  const most = Math.max(before, after, 1);
  const row = (/** @type {string} */ name, /** @type {number} */ rate, /** @type {string} */ kind) =>
    el(
      "div",
      { class: "bar-row" },
      el("span", {}, name),
      svg(
        "svg",
        { class: `bar ${kind}`, viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("rect", { class: "track", width: 100, height: 8 }),
        svg("rect", { class: "fill", width: (100 * rate) / most, height: 8 }),
      ),
      el("strong", {}, rate.toFixed(1)),
    );
  return [
    row("Before", before, "before"),
    row("After", after, "after"),
    el(
      "p",
      { class: "hint" },
      findings.length
        ? `${counted(fixed)} of ${several(findings.length, "finding")} mended${fixed < findings.length ? "; the others are marked in the text" : ""}. ${about}`
        : `Nothing was found. ${about}`,
    ),
  ];
}

/** @param {any} finding @param {number} id its place among all @param {import("./fold.js").ArticleState} state */
function item(finding, id, state) {
  const section = state.sections.find(({ n }) => n === finding.section);
  const where = plain(section?.heading ?? `Section ${finding.section}`);
  const marked = section && section.status === "done" && marksOf(section, [finding]).length > 0;
  const quote = `“${plain(finding.quote)}”`;
  return el(
    "li",
    { id: `finding-${id}`, "data-fixed": finding.fixed ? "yes" : "no" },
    el(
      "p",
      {},
      finding.fixed ? el("del", {}, quote) : el("q", { class: "quote" }, plain(finding.quote)),
      el("span", { class: "badge" }, finding.fixed ? "mended" : state.polished ? "kept" : "found"),
    ),
    el("p", { class: "why" }, plain(finding.why)),
    el(
      "p",
      { class: "facts" },
      marked
        ? el("a", { href: `#section-${finding.section}`, onclick: (/** @type {Event} */ event) => goTo(event, id) }, where)
        : el("span", {}, where),
      el("span", {}, `found by the ${finding.by}`),
    ),
  );
}

/** From the list to the mark. @param {Event} event @param {number} id */
function goTo(event, id) {
  const mark = document.querySelector(`mark[data-finding="${id}"]`);
  if (!mark) return;
  event.preventDefault();
  mark.scrollIntoView({ block: "center" });
  mark.querySelector("a")?.focus({ preventScroll: true });
}
