/** How news comes in: by which way, live or polled, reconnecting, or none for so long that the run may have stalled. */
import { el, say } from "./dom.js";

const STALLED_MS = 5 * 60_000;
const OPEN = new Set(["running", "review"]);

/** Whether an open run has written nothing for five minutes. @param {import("./article.js").Seen} seen */
export function isStalled({ state, trail, now }) {
  return state.status === "running" && trail.lastAt !== "" && now - Date.parse(trail.lastAt) > STALLED_MS;
}

const LIVE = "live by "; // a narrow screen shows only what follows

/** @param {import("./article.js").Seen} seen @returns {[string, string, string]} kind, words, explanation */
function stateOf(seen) {
  const { link, state } = seen;
  if (state.seq && !OPEN.has(state.status)) return ["over", state.status === "done" ? "complete" : "ended", "The run is over; nothing more will come."];
  if (link.ended && link.error) return ["lost", "not followed", link.error.detail];
  if (link.via === "none" && link.error) return ["away", "reconnecting", `${link.error.detail} Trying again by itself.`];
  if (link.via === "none") return ["away", "connecting", "Connecting to the app."];
  if (isStalled(seen)) return ["stalled", "stalled", "The connection works, but the run has written nothing for five minutes."];
  const why = link.instead ? ` ${link.instead}` : "";
  if (link.via === "polling") return ["live", `${LIVE}polling`, `Asking for news every two seconds.${why}`];
  if (link.via === "sse") return ["live", `${LIVE}server events`, `Every word comes as it is written.${why}`];
  return ["live", `${LIVE}Realtime`, "Every word comes as it is written, by Supabase's Realtime."];
}

export function linkView() {
  const [by, word] = [el("span", { class: "by" }), el("span", {})];
  const root = el("p", { class: "link" }, el("span", { class: "dot", "aria-hidden": "true" }), el("span", {}, by, word));
  /** @type {import("./article.js").View} */
  const view = (seen) => {
    const [kind, said, why] = stateOf(seen);
    if (root.dataset.link !== kind) root.dataset.link = kind;
    if (root.title !== why) root.title = why;
    say(by, said.startsWith(LIVE) ? LIVE : "");
    say(word, said.replace(LIVE, ""));
  };
  return { root, view };
}
