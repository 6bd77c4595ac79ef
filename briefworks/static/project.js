/**
 * A project: its articles, newest first and kept up to date, above them the form that asks for another.
 *
 * @typedef {{article_id: string, keyword: string, persona: string, status: string, title: string | null,
 *   started_at: string, updated_at: string}} Listed
 */
import { apiOf, ask, pageOf, problemOf } from "./api.js";
import { askForm } from "./asking.js";
import { confirmation, deletion } from "./confirming.js";
import { ago, el, patch, plain, say } from "./dom.js";
import { followProject } from "./follow.js";
import { problemNotice } from "./notice.js";
import { authorization, channel } from "./supabase.js";

const PAGE = 20;
/** @type {Record<string, string>} */
const STATUS = {
  running: "being written",
  review: "waiting for review",
  done: "finished",
  failed: "failed",
  cancelled: "cancelled",
};
const OPEN = new Set(["running", "review"]);
const CHANGES = new Set(["run-started", "brief-done", "review-waiting", "review-done", "polish-done", "run-failed", "run-cancelled"]);

/** @param {HTMLElement} main @param {HTMLElement} announce @param {string} project */
export async function projectPage(main, announce, project) {
  document.title = `${project} – briefworks`;
  /** @type {Map<string, Listed>} */
  const articles = new Map();
  let next = /** @type {string | null} */ (null);
  let begun = false;
  const items = el("ul", { class: "articles" });
  const older = el("button", { class: "quiet older", onclick: () => void more() }, "Show older articles");
  const trouble = el("div");
  const empty = el("div", { class: "empty" }, ...lesson());
  const dialog = confirmation("delete-title");
  items.addEventListener("click", (event) => {
    const one = articles.get(/** @type {HTMLElement} */ (event.target).closest("button")?.dataset.erase ?? "");
    if (one) dialog.ask(deletion(nameOf(one), OPEN.has(one.status)), () => void erase(one));
  });
  const list = el("section", { "aria-labelledby": "list-title" }, el("h2", { id: "list-title" }, "Articles"));
  list.append(trouble, empty, items, older, dialog.root);
  main.replaceChildren(el("h1", { class: "unseen" }, `Project ${project}`), el("div", { class: "desk" }, await askForm(project), list));
  empty.hidden = older.hidden = true;

  const show = () => {
    const newest = [...articles.values()].sort((a, b) => (a.started_at < b.started_at ? 1 : -1));
    patch(items, newest.map((one) => listed(project, one)));
    empty.hidden = newest.length > 0;
    older.hidden = next === null;
  };
  const load = async (/** @type {string} */ query) => {
    try {
      const found = await ask("GET", `${apiOf(project)}?limit=${PAGE}${query}`);
      for (const one of found.articles) articles.set(one.article_id, one);
      trouble.replaceChildren();
      return found;
    } catch (error) {
      trouble.replaceChildren(problemNotice(problemOf(error)));
      return null;
    }
  };
  const refresh = async () => {
    const found = await load("");
    if (found && !begun) next = found.next;
    begun ||= Boolean(found);
    if (found) show();
  };
  const more = async () => {
    const had = items.children.length;
    const found = await load(`&before=${encodeURIComponent(next ?? "")}`);
    if (!found) return;
    next = found.next;
    show();
    /** @type {HTMLElement | null | undefined} */ (items.children[had]?.querySelector("a"))?.focus();
    say(announce, `${items.children.length} articles shown`);
  };

  async function erase(/** @type {Listed} */ one) {
    try {
      await ask("DELETE", apiOf(project, one.article_id));
    } catch (error) {
      trouble.replaceChildren(problemNotice(problemOf(error)));
      return;
    }
    articles.delete(one.article_id);
    show();
    say(announce, `“${nameOf(one)}” is deleted`);
    /** @type {HTMLElement | null} */ (list.querySelector("li a") ?? document.querySelector("#ask-keyword"))?.focus();
  }

  await refresh();
  setInterval(show, 30_000); // "5 minutes ago"
  let timer = 0;
  followProject({
    project,
    headers: authorization,
    channel: channel(),
    onRows: (rows, anew) => {
      if (!anew && !rows.some((row) => CHANGES.has(row.event))) return;
      clearTimeout(timer);
      timer = window.setTimeout(() => void refresh(), 150);
    },
    onLink: ({ error }) => trouble.replaceChildren(...(error ? [problemNotice(error)] : [])),
  });
}

/** @param {{title: string | null, keyword: string}} article */
const nameOf = ({ title, keyword }) => plain(title || keyword);

/** @param {string} project @param {Listed} article */
function listed(project, { article_id: id, keyword, persona, status, title, started_at: at }) {
  const name = nameOf({ title, keyword });
  return el(
    "li",
    { "data-status": status },
    el("a", { href: pageOf(project, id) }, el("bdi", {}, name)),
    el("button", { class: "quiet erase", "data-erase": id, "aria-label": `Delete “${name}”` }, "Delete …"),
    el(
      "p",
      { class: "facts" },
      el("span", { class: "status" }, STATUS[status] ?? status),
      title ? el("bdi", {}, keyword) : null,
      el("span", {}, persona),
      el("time", { datetime: at }, ago(at)),
    ),
  );
}

/** What an empty project says. */
function lesson() {
  const steps = [
    ["Research", "reads the pages that rank for your keyword and says how good each one is."],
    ["Brief", "decides what to say, to whom, and in which sections."],
    ["Draft", "writes all sections at once; you see every word as it comes."],
    ["Polish", "looks for what sounds like a machine, and rewrites only that."],
  ];
  return [
    el("p", { class: "lead" }, "Nothing here yet. Ask for an article: a keyword is enough."),
    el("ol", { class: "lesson" }, ...steps.map(([name, what]) => el("li", {}, el("strong", {}, name), ` ${what}`))),
  ];
}
