/**
 * The article's text: every section in its place from the outline on, filling at once; each keeps its Markdown.
 *
 * @typedef {import("./fold.js").SectionState} SectionState
 */
import { changes, clock, el, patch, plain, say } from "./dom.js";
import { marksOf } from "./findings.js";
import { render } from "./markdown.js";

/** Where a citation leads: to the numbered sources at the end, before that to the pages of the research. @param {import("./fold.js").ArticleState} state */
function citing(state) {
  /** @type {Map<string, {href: string, text: string, title: string}>} */
  const known = new Map();
  for (const { source_id: id, title } of state.research?.pages ?? [])
    known.set(id, { href: `#page-${id}`, text: `[${id}]`, title: plain(title) });
  for (const { source_id: id, number, title } of state.polished?.sources ?? [])
    known.set(id, { href: `#source-${number}`, text: `[${number}]`, title: plain(title) });
  return (/** @type {string} */ id) => known.get(id) ?? null;
}

export function textView() {
  const root = el("div", { class: "text" });
  /** @type {Map<number, ReturnType<typeof sectionView>>} */
  const sections = new Map();
  let cite = citing(/** @type {any} */ ({}));
  /** @type {unknown[]} */ let citedFrom = [];
  /** @type {import("./article.js").View} */
  const view = (seen) => {
    const { state, trail } = seen;
    if (citedFrom[0] !== state.research || citedFrom[1] !== state.polished) {
      citedFrom = [state.research, state.polished];
      cite = citing(state);
    }
    const inOrder = state.sections.map((section) => {
      const found = sections.get(section.n) ?? sectionView(section.n);
      sections.set(section.n, found);
      found.show(section, seen, cite, trail.findings);
      return found.root;
    });
    const same = inOrder.length === root.children.length && inOrder.every((one, i) => one === root.children[i]);
    if (!same) root.replaceChildren(...inOrder);
  };
  return { root, view };
}

/** @param {number} n */
function sectionView(n) {
  const heading = el("h2", { id: `section-${n}-title` });
  const aside = el("p", { class: "aside" });
  const prose = el("div", { class: "prose" });
  const props = { class: "section", id: `section-${n}`, "data-n": n, "aria-labelledby": heading.id };
  const root = el("section", props, heading, aside, prose);
  const changed = changes();
  let take = 0;

  /**
   * @param {SectionState} section @param {import("./article.js").Seen} seen
   * @param {ReturnType<typeof citing>} cite @param {any[]} findings
   */
  const show = (section, seen, cite, findings) => {
    const { state, trail } = seen;
    const status = trail.rewriting.includes(n) ? "rewriting" : section.status;
    const over = state.status !== "running" && state.status !== "review";
    root.dataset.status = over && status === "writing" ? "stopped" : status;
    say(heading, plain(section.heading));
    say(aside, besides(section, seen, status, over));
    aside.hidden = !aside.textContent;
    if (section.status === "writing" && take > 0 && section.take > take) takeBack(root);
    take = section.take;
    const said = section.status === "done" ? seen.said.get(n) : undefined;
    if (!changed(section.markdown, cite, findings, said)) return;
    const marks = section.status === "done" ? marksOf(section, findings) : [];
    prose.dataset.markdown = section.markdown;
    patch(prose, Array.from(render(section.markdown, { cite, marks, said }).childNodes));
  };
  return { root, show };
}

/** What is said beside a section that is not finished. @param {SectionState} section @param {import("./article.js").Seen} seen @param {string} status @param {boolean} over */
function besides({ n, take, markdown }, { state, trail, now }, status, over) {
  const plan = state.brief?.outline.find((/** @type {any} */ one) => one.n === n);
  if (status === "waiting" && over) return "Not begun: the run ended before.";
  if (status === "waiting") return plan ? plain(`${plan.purpose} About ${plan.words} words.`.trim()) : "";
  if (over) return status === "done" ? "" : "Not finished: the run ended here.";
  const steps = [`draft-section-${n}`, `polish-section-${n}-1`, `polish-section-${n}-2`];
  const since = steps.map((step) => trail.thinking[step]).find(Boolean);
  const thinking = since ? `Thinking … ${clock((now - Date.parse(since)) / 1000)}` : "";
  if (status === "rewriting") return thinking || "Polish is rewriting what it found here.";
  if (status === "done") return "";
  const anew = take > 1 ? `Begun anew (take ${take}): what was written before is taken back. ` : "";
  return anew + (thinking || (markdown ? "" : "Beginning …"));
}

/** The section visibly lets go of what it had. @param {HTMLElement} root */
function takeBack(root) {
  root.classList.remove("taken-back");
  requestAnimationFrame(() => root.classList.add("taken-back"));
}
