/** What can be done with an article: cancel it while it is written, copy it, download it. */
import { apiOf, ask, problemOf } from "./api.js";
import { el, say } from "./dom.js";

/** @param {string} project @param {string} article */
export function actions(project, article) {
  const url = apiOf(project, article);
  const said = el("p", { class: "hint", role: "status" });
  let markdown = "";
  const copy = el("button", { class: "quiet", onclick: () => void copied(markdown).then((words) => say(said, words)) }, "Copy Markdown");
  const cancel = el("button", { class: "quiet", onclick: () => dialog.showModal() }, "Cancel …");
  const dialog = confirmation(async () => {
    cancel.disabled = true;
    try {
      await ask("POST", `${url}/cancel`, {});
      say(said, "Cancelling …");
    } catch (error) {
      const { status, detail, hint } = problemOf(error);
      cancel.disabled = false;
      say(said, status === 409 ? "It has already ended." : `${detail} ${hint}`);
    }
  });
  const downloads = el(
    "span",
    { class: "downloads" },
    el("a", { href: `${url}.md?download=1`, download: true }, "Download .md"),
    el("a", { href: `${url}.html?download=1`, download: true }, "Download .html"),
  );
  const root = el("section", { class: "actions", "aria-label": "Actions" }, cancel, copy, downloads, said, dialog);
  let was = "";
  /** @type {import("./article.js").View} */
  const view = ({ state }) => {
    const open = state.seq > 0 && (state.status === "running" || state.status === "review");
    markdown = state.polished?.markdown ?? unfinished(state);
    cancel.hidden = !open;
    copy.hidden = !markdown;
    downloads.hidden = !state.polished;
    root.hidden = cancel.hidden && copy.hidden && downloads.hidden;
    if (!open && dialog.open) dialog.close();
    if (was !== state.status && was) say(said, "");
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

/** @param {() => void} confirmed */
function confirmation(confirmed) {
  const dialog = el("dialog", { "aria-labelledby": "cancel-title" });
  const stop = () => {
    dialog.close();
    confirmed();
  };
  dialog.append(
    el("h2", { id: "cancel-title" }, "Cancel this article?"),
    el("p", {}, "The run stops at once. What is written stays to be read; it cannot be taken up again."),
    el(
      "div",
      { class: "choices" },
      el("button", { class: "quiet", autofocus: true, onclick: () => dialog.close() }, "Go on writing"),
      el("button", { class: "danger", onclick: stop }, "Cancel it"),
    ),
  );
  return dialog;
}
