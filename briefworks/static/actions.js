/** What can be done with an article: cancel it while it is written, copy it, download it, delete it. */
import { apiOf, ask, pageOf, problemOf } from "./api.js";
import { confirmation, deletion } from "./confirming.js";
import { el, plain, say } from "./dom.js";

const CANCEL = {
  title: "Cancel this article?",
  text: "The run stops at once. What is written stays to be read, and nothing more is paid for.",
  no: "Go on writing",
  yes: "Cancel it",
};

/** @param {string} project @param {string} article @param {boolean} runs whether there is a page of its runs */
export function actions(project, article, runs) {
  const url = apiOf(project, article);
  const said = el("p", { class: "hint", role: "status" });
  let markdown = "";
  const copy = el("button", { class: "quiet", onclick: () => void copied(markdown).then((words) => say(said, words)) }, "Copy Markdown");
  const cancel = el("button", { class: "quiet", onclick: () => dialog.ask(CANCEL, () => void stop()) }, "Cancel …");
  const dialog = confirmation("confirm-title");
  let [name, open] = [article, true];
  const erase = el("button", { class: "quiet", onclick: () => dialog.ask(deletion(name, open), () => void erased()) }, "Delete …");
  async function erased() {
    erase.disabled = true;
    try {
      await ask("DELETE", url);
      location.assign(pageOf(project));
    } catch (error) {
      const { detail, hint } = problemOf(error);
      erase.disabled = false;
      say(said, `${detail} ${hint}`);
    }
  }
  async function stop() {
    cancel.disabled = true;
    try {
      await ask("POST", `${url}/cancel`, {});
      say(said, "Cancelling …");
    } catch (error) {
      const { status, detail, hint } = problemOf(error);
      cancel.disabled = false;
      say(said, status === 409 ? "It has already ended." : `${detail} ${hint}`);
    }
  }
  const downloads = el(
    "span",
    { class: "downloads" },
    el("a", { href: `${url}.md?download=1`, download: true }, "Download .md"),
    el("a", { href: `${url}.html?download=1`, download: true }, "Download .html"),
  );
  const run = el("a", { href: `${pageOf(project, article)}/run` }, "How it ran, step by step");
  const root = el("section", { class: "actions", "aria-label": "Actions" }, cancel, copy, erase, downloads, run, said, dialog.root);
  let was = "";
  /** @type {import("./article.js").View} */
  const view = ({ state, link, trail }) => {
    name = plain(state.polished?.title || state.brief?.title || trail.asked?.keyword || article);
    open = !state.seq || state.status === "running" || state.status === "review";
    const living = state.seq > 0 && (state.status === "running" || state.status === "review");
    markdown = state.polished?.markdown ?? unfinished(state);
    cancel.hidden = !living;
    copy.hidden = !markdown;
    downloads.hidden = !state.polished;
    run.hidden = !runs || !state.seq;
    root.hidden = link.via === "none" && !state.seq;
    if (was !== state.status && was) {
      say(said, "");
      dialog.close(); // what it asked is no longer so
    }
    was = state.status;
  };
  return { root, view };
}

/** @param {import("./fold.js").ArticleState} state */
function unfinished({ brief, sections }) {
  const written = sections.filter(({ markdown }) => markdown);
  return written.length ? [`# ${brief?.title ?? ""}`, ...written.map((one) => `## ${one.heading}\n\n${one.markdown}`)].join("\n\n") + "\n" : "";
}

/** @param {string} markdown */
async function copied(markdown) {
  try {
    await navigator.clipboard.writeText(markdown);
    return "Copied.";
  } catch {
    return "The browser did not allow it; download the article instead.";
  }
}
