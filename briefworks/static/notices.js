/** What a reader must know before the text: not begun, waiting, stalled, failed, cancelled. */
import { pageOf } from "./api.js";
import { changes, el, patch, plain } from "./dom.js";
import { isStalled } from "./link.js";
import { notice } from "./notice.js";

const PATIENCE_MS = 8_000;

/** @param {string} project @param {string} article @param {boolean} runs whether there is a page of its runs */
export function notices(project, article, runs) {
  const root = el("div", { class: "notices" });
  const opened = Date.now();
  const changed = changes();
  /** @type {import("./article.js").View} */
  const view = (seen) => {
    const found = noticeOf(seen, seen.now - opened > PATIENCE_MS, project, runs ? `${pageOf(project, article)}/run` : "");
    const key = found ? found.textContent ?? "" : "";
    if (!changed(key)) return;
    patch(root, found ? [found] : []);
  };
  return { root, view };
}

/** @param {import("./article.js").Seen} seen @param {boolean} patient @param {string} project @param {string} run where it can go on, or "" */
function noticeOf(seen, patient, project, run) {
  const { state, trail, link } = seen;
  if (link.ended && link.error) return notice("bad", link.error.detail, link.error.hint);
  if (!state.seq) {
    if (!patient || link.via === "none") return notice("calm", link.via === "none" && link.error ? "The app cannot be reached." : "Waiting for the article to begin …", link.error ? "Trying again by itself." : "");
    return notice("calm", "Nothing has been written yet.", "The engine begins as soon as it has a free place. If this article was never asked for, or was deleted, it will not begin: ask for one in the project.", again(project, null));
  }
  switch (state.status) {
    case "failed": {
      const { message = "The run failed.", hint = "", step = "", code = "" } = state.error ?? {};
      const where = step ? `It stopped in ${step} (${code}). ` : `${code}. `;
      return notice("bad", plain(message), plain(`${where}${hint}`), again(project, trail.asked, run));
    }
    case "cancelled": {
      const { by = "", reason = "" } = trail.cancelled ?? {};
      const what = by === "engine" ? "The engine cancelled this run." : "This run was cancelled.";
      const erased = by === "user" && reason !== "";
      return notice("calm", what, plain(reason || "What was written up to then is kept."), again(project, trail.asked, erased ? "" : run));
    }
    case "review":
      return notice("ask", "The brief waits for a person.", "Read it below; the run goes on when it is approved.");
    case "done":
      return state.polished?.complete ? null : notice("calm", "This article is not complete.", `It was ended early (${state.polished?.stopped_by || "unknown reason"}).`);
    default:
      return isStalled(seen)
        ? notice("bad", "No news for five minutes.", "The run may have lost its engine. It goes on by itself when the engine comes back; cancel it to stop waiting.")
        : null;
  }
}

/** @param {string} project @param {import("./trail.js").Asked | null} asked @param {string} [run] */
function again(project, asked, run = "") {
  const { keyword, persona, targetWords, language, market } = asked ?? {};
  const query = asked ? `?${new URLSearchParams({ keyword: keyword ?? "", persona: persona ?? "", words: String(targetWords), language: language ?? "", market: market ?? "" })}` : "";
  const anew = el("a", { href: pageOf(project) + query }, asked ? "Ask for it again" : "To the project");
  return el("p", { class: "ways" }, run && el("a", { href: run }, "Go on where it stopped"), anew);
}
