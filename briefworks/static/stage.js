/** What goes on before there is an outline: the pages as they are read, then the brief as it is written. */
import { clock, el, patch, plain, say } from "./dom.js";
import { render } from "./markdown.js";

const SHOWN = 8;

export function stageView() {
  const lead = el("p", { class: "lead" });
  const thinking = el("p", { class: "aside" });
  const notes = el("ul", { class: "notes" });
  const prose = el("div", { class: "prose", id: "brief-text" });
  const root = el("section", { class: "stage", "aria-label": "What goes on" }, lead, thinking, notes, prose);
  /** @type {import("./article.js").View} */
  const view = ({ state, trail, now }) => {
    const open = state.status === "running" || state.status === "review";
    const outlined = state.sections.length > 0 && !state.brief_text;
    root.hidden = outlined || !trail.asked || (!open && !state.brief_text);
    if (root.hidden) return;
    say(lead, leadOf(state.phase, trail.progress, state.brief_text !== ""));
    const since = trail.thinking.brief ?? trail.thinking["regenerate-brief"];
    say(thinking, since && open ? `Thinking … ${clock((now - Date.parse(since)) / 1000)}` : "");
    thinking.hidden = !thinking.textContent;
    patch(notes, trail.notes.slice(-SHOWN).map((note) => el("li", {}, el("bdi", {}, plain(note)))));
    if (prose.dataset.markdown === state.brief_text) return;
    prose.dataset.markdown = state.brief_text;
    patch(prose, Array.from(render(state.brief_text).childNodes));
  };
  return { root, view };
}

/** @param {string} phase @param {import("./trail.js").Trail["progress"]} progress @param {boolean} writing */
function leadOf(phase, progress, writing) {
  if (phase === "brief") return writing ? "The brief, as it is written:" : "Deciding what to say, to whom, and in which sections.";
  if (progress?.stage === "pages") return `Reading the pages that rank: ${progress.done} of ${progress.of}.`;
  if (progress?.stage === "entities") return "Comparing what the pages talk about.";
  return "Asking the search engine what ranks for this keyword.";
}
