/** One article: followed row by row, drawn at most once per frame, every word of it from the folded state. */
import { actions } from "./actions.js";
import { briefView } from "./brief.js";
import { changes, el, patch, plain, say } from "./dom.js";
import { findingsView } from "./findings.js";
import { emptyState } from "./fold.js";
import { followArticle } from "./follow.js";
import { linkView } from "./link.js";
import { disclosureView, madeView } from "./made.js";
import { notices } from "./notices.js";
import { passages } from "./passages.js";
import { contentsView, factsView, phasesView } from "./rail.js";
import { researchView } from "./research.js";
import { scorecardView } from "./scorecard.js";
import { sourcesView } from "./sources.js";
import { stageView } from "./stage.js";
import { authorization, channel } from "./supabase.js";
import { textView } from "./text.js";
import { emptyTrail, follow } from "./trail.js";

/**
 * What a part of the page is given; `now` is in milliseconds.
 * @typedef {{state: import("./fold.js").ArticleState, trail: import("./trail.js").Trail,
 *   link: import("./follow.js").Link, said: Map<number, import("./inline.js").Said[]>, now: number}} Seen
 * @typedef {(seen: Seen) => void} View draws what has changed
 */

const SAID = { research: "Researching", brief: "Writing the brief", draft: "Drafting", polish: "Polishing" };
const ENDED = { done: "The article is finished", failed: "The run failed", cancelled: "The run was cancelled" };

/**
 * @param {HTMLElement} main @param {HTMLElement} corner for the state of the connection
 * @param {HTMLElement} announce @param {string} project @param {string} article
 * @param {boolean} runs whether there is a page of its runs
 */
export function articlePage(main, corner, announce, project, article, runs) {
  /** @type {Seen} */
  const seen = {
    state: emptyState(project, article),
    trail: emptyTrail(),
    link: { via: "none", since: Date.now() },
    said: new Map(),
    now: Date.now(),
  };
  let drawn = true;
  const draw = () => {
    drawn = true;
    seen.now = Date.now();
    for (const view of views) view(seen);
    main.dataset.seq = String(seen.state.seq); // up to which row the screen is
  };
  const soon = () => {
    if (drawn) requestAnimationFrame(draw);
    drawn = false;
  };
  const views = build(main, corner, project, article, runs, soon);
  views.push(heading(main), announcer(announce));
  draw();
  setInterval(soon, 1000); // elapsed times
  followArticle({
    project,
    article,
    headers: authorization,
    channel: channel(),
    onState(state, rows) {
      seen.trail = follow(seen.trail, state, rows);
      seen.state = state;
      soon();
    },
    onLink(link) {
      seen.link = link;
      soon();
    },
  });
}

/** The page's parts, in the order they are read. @param {HTMLElement} main @param {HTMLElement} corner @param {string} project @param {string} article @param {boolean} runs @param {() => void} soon @returns {View[]} */
function build(main, corner, project, article, runs, soon) {
  const header = el("header", { class: "title" }, el("h1"), el("p", { class: "facts", id: "asked" }));
  const rail = el("aside", { class: "rail", "aria-label": "Progress" });
  const body = el("div", { class: "body" });
  main.replaceChildren(el("article", { class: "work", "aria-labelledby": "title" }, header, rail, body));
  header.children[0].id = "title";
  const disclosure = disclosureView();
  header.append(disclosure.root);
  const [phases, facts, contents] = [phasesView(), factsView(), contentsView()];
  const buttons = actions(project, article, runs);
  rail.append(phases.root, facts.root, buttons.root, contents.root);
  const [backing, text, sources] = [passages(project, article, soon), textView(), sourcesView()];
  backing.watch(text.root);
  sources.root.append(backing.root);
  const parts = [notices(project, article, runs), stageView(), text, sources, madeView(), scorecardView(soon), findingsView(), briefView(), researchView()];
  body.append(...parts.map(({ root }) => root), backing.panel);
  const link = linkView();
  corner.prepend(link.root);
  return [backing, disclosure, phases, facts, buttons, ...parts, contents, link].map(({ view }) => view);
}

/** @param {HTMLElement} main @returns {View} */
function heading(main) {
  const [title, asked] = [main.querySelector("h1"), main.querySelector("#asked")];
  if (!title || !asked) throw new Error("the article has no header");
  return ({ state, trail }) => {
    const keyword = trail.asked?.keyword ?? state.research?.keyword ?? "";
    const name = plain(state.polished?.title || state.brief?.title || keyword) || "An article";
    say(title, name);
    const mark = { done: "✓ ", failed: "✕ ", cancelled: "✕ ", review: "? ", running: "" }[state.status];
    document.title = `${mark}${name} – briefworks`;
    const words = trail.asked && [
      name !== plain(keyword) && el("bdi", {}, keyword),
      el("span", {}, trail.asked.persona),
      el("span", {}, `${trail.asked.targetWords.toLocaleString("en-US")} words asked`),
      trail.asked.language !== "en" && el("span", {}, `in ${trail.asked.language}`),
    ];
    if (words) patch(asked, words.filter((one) => one !== false));
  };
}

/** Says a new phase or an end aloud, and nothing else. @param {HTMLElement} announce @returns {View} */
function announcer(announce) {
  const changed = changes();
  return ({ state }) => {
    if (!state.seq) return;
    const { status } = state;
    const words =
      status === "running" ? SAID[state.phase] : status === "review" ? "The brief waits for review" : ENDED[status];
    if (changed(words)) say(announce, words);
  };
}
