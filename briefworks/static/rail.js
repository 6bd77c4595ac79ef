/** Beside the text: the four phases with their times, words and cost, and the contents. */
import { changes, clock, countWords, counted, el, pairs, patch, plain, say, several } from "./dom.js";
import { elapsed, PHASES } from "./trail.js";

const NAMES = { research: "Research", brief: "Brief", draft: "Draft", polish: "Polish" };
/** @typedef {import("./article.js").Seen} Seen */

/** @param {Seen} seen @param {keyof typeof NAMES} phase @returns {"done" | "now" | "stopped" | "waiting"} */
function standing({ state }, phase) {
  const [at, current] = [PHASES.indexOf(phase), PHASES.indexOf(state.phase)];
  if (state.status === "done" || (state.seq && at < current)) return "done";
  if (!state.seq || at > current) return "waiting";
  return state.status === "failed" || state.status === "cancelled" ? "stopped" : "now";
}

/** What a phase is busy with, in a few words. @param {Seen} seen @param {keyof typeof NAMES} phase */
function busy({ state, trail, now }, phase) {
  const progress = trail.progress;
  if (phase === "research" && progress)
    return progress.stage === "pages" ? `${progress.done} of ${progress.of} pages` : { serp: "searching", entities: "comparing" }[progress.stage] ?? "";
  const since = Object.entries(trail.thinking).find(([step]) => phase === "brief" && /brief/.test(step))?.[1];
  if (since) return `thinking ${clock((now - Date.parse(since)) / 1000)}`;
  if (phase === "brief") return state.status === "review" ? "waits for review" : state.brief_text ? "writing" : "";
  if (phase === "draft") {
    const done = state.sections.filter(({ status }) => status === "done").length;
    return state.sections.length ? `${done} of ${several(state.sections.length, "section")}` : "";
  }
  return trail.rewriting.length ? `rewriting ${several(trail.rewriting.length, "section")}` : "looking for tells";
}

export function phasesView() {
  const rows = PHASES.map((phase) => {
    const [time, what, state] = [el("span", { class: "time" }), el("span", { class: "busy" }), el("span", { class: "unseen" })];
    return { phase, time, what, state, li: el("li", {}, el("span", { class: "phase" }, NAMES[phase]), state, what, time) };
  });
  const total = el("span", { class: "time" });
  const root = el(
    "section",
    { class: "phases", "aria-labelledby": "phases-title" },
    el("h2", { id: "phases-title" }, "Progress"),
    el("ol", {}, ...rows.map(({ li }) => li)),
    el("p", { class: "total" }, el("span", {}, "Overall"), total),
  );
  const words = { done: "done", now: "at work", stopped: "stopped here", waiting: "not yet" };
  /** @type {import("./article.js").View} */
  const view = (seen) => {
    const { trail, now } = seen;
    for (const { phase, time, what, state, li } of rows) {
      const is = standing(seen, phase);
      if (li.dataset.is !== is) li.dataset.is = is;
      if ((is === "now") !== li.hasAttribute("aria-current")) {
        if (is === "now") li.setAttribute("aria-current", "step");
        else li.removeAttribute("aria-current");
      }
      say(state, ` – ${words[is]} `);
      say(what, is === "now" ? busy(seen, phase) : "");
      say(time, is === "waiting" ? "" : timeOf(seen, phase));
    }
    const from = trail.phases.research.from;
    const upto = trail.endedAt ? Date.parse(trail.endedAt) : now;
    say(total, from ? clock((upto - Date.parse(from)) / 1000) : "–");
  };
  return { root, view };
}

/** A finished article no longer tells when its draft became its polish: then polish shows the time of both. @param {Seen} seen @param {keyof typeof NAMES} phase */
function timeOf({ state, trail, now }, phase) {
  const { draft, polish } = trail.phases;
  const together = state.status === "done" && draft.from !== "" && !draft.to;
  if (together && phase === "draft") return "";
  if (together && phase === "polish") return `with draft ${clock((Date.parse(polish.to) - Date.parse(draft.from)) / 1000)}`;
  const seconds = elapsed(trail, phase, now);
  return seconds === null ? "" : clock(seconds);
}

export function factsView() {
  const list = el("dl");
  const root = el("section", { class: "sums", "aria-labelledby": "sums-title" }, el("h2", { id: "sums-title", class: "unseen" }, "Words and cost"), list);
  const changed = changes();
  /** @type {import("./article.js").View} */
  const view = ({ state }) => {
    if (!changed(state)) return;
    const { usage, polished } = state;
    const words = polished?.words ?? state.sections.reduce((sum, { markdown }) => sum + countWords(markdown), 0);
    const input = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
    const cost = usage.usd === null ? "price not known" : `$${usage.usd.toFixed(usage.usd > 0 && usage.usd < 1 ? 3 : 2)}`;
    const rows = [
      ["Words", counted(words)],
      ["Cost", cost],
      ["Tokens read", counted(input)],
      ["Tokens written", counted(usage.output_tokens)],
      ["Model calls", counted(usage.calls)],
    ];
    patch(list, pairs(rows));
  };
  return { root, view };
}

export function contentsView() {
  const list = el("ol");
  const root = el("nav", { class: "contents", "aria-labelledby": "contents-title" }, el("h2", { id: "contents-title" }, "Contents"), list);
  /** @type {import("./article.js").View} */
  const view = ({ state, trail }) => {
    const over = trail.endedAt !== "";
    const sections = state.sections.map(({ n, heading, status }) => {
      const is = trail.rewriting.includes(n) ? "writing" : over && status === "writing" ? "waiting" : status;
      const said = is === "writing" ? el("span", { class: "unseen" }, " (being written)") : null;
      return el("li", { "data-is": is }, el("a", { href: `#section-${n}` }, plain(heading)), said);
    });
    const after = ["sources", "made", "scorecard", "findings", "brief", "research"].filter((id) => document.getElementById(id)?.hidden === false);
    const names = { sources: "Sources", made: "Where it comes from", scorecard: "How good it is", findings: "What polish found", brief: "The brief", research: "Research" };
    const rest = after.map((id) => el("li", { class: "after" }, el("a", { href: `#${id}` }, names[/** @type {"brief"} */ (id)])));
    patch(list, [...sections, ...rest]);
    root.hidden = !list.children.length;
  };
  return { root, view };
}
