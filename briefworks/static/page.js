/** Shows what the address names: the choice of a project, a project's articles, or one article. */
import { articlePage } from "./article.js";
import { ask, pageOf, problemOf, remember } from "./api.js";
import { el } from "./dom.js";
import { homePage } from "./home.js";
import { problemNotice } from "./notice.js";
import { projectPage } from "./project.js";
import { signInPage } from "./signin.js";
import { configured, saveSigned, signedIn, signOut, whoIs } from "./supabase.js";

const ID = "[A-Za-z0-9_-]{1,64}";
const ADDRESS = new RegExp(`^/(?:projects/(${ID})(?:/articles/(${ID}))?)?/?$`);

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const main = part("main");

/** @param {string | undefined} project @param {string | undefined} article */
function crumbs(project, article) {
  if (!project) return;
  const here = { "aria-current": "page" };
  part("crumbs").append(
    el("span", { class: "slash", "aria-hidden": "true" }, "/"),
    el("a", { href: pageOf(project), class: "crumb", ...(article ? {} : here) }, project),
  );
}

/** Sign out, where somebody has signed in; sign in, where that is possible. @param {boolean} login */
function signing(login) {
  const leave = async () => {
    await Promise.all([signOut(), ask("DELETE", "/api/session").catch(() => null)]);
    location.assign("/");
  };
  const enter = () => main.replaceChildren(signInPage());
  if (login || signedIn()) part("corner").append(el("button", { class: "quiet", onclick: leave, title: whoIs() }, "Sign out"));
  else if (configured) part("corner").append(el("button", { class: "quiet", onclick: enter }, "Sign in"));
}

/** Somebody of whom no project knows. */
function stranger() {
  const what = `You are signed in as ${whoIs()}, who is no member of a project here.`;
  return el("div", { class: "narrow hello" }, el("h1", {}, "No project yet"), el("p", { class: "lead" }, what), el("p", {}, "Whoever runs this server can make you one; then load this page again."));
}

async function start() {
  const found = ADDRESS.exec(location.pathname);
  const [, project, article] = found ?? [];
  crumbs(project, article);
  if (!found) {
    main.replaceChildren(
      el("div", { class: "narrow hello" }, el("h1", {}, "There is no such page"), el("p", {}, el("a", { href: "/" }, "To the start"))),
    );
    return;
  }
  let session;
  try {
    session = await ask("GET", "/api/session");
  } catch (error) {
    const problem = problemOf(error);
    if (problem.status === 401 && configured) main.replaceChildren(signInPage(problem));
    else main.replaceChildren(el("h1", {}, "briefworks"), problemNotice(problem));
    return;
  }
  const nothing = session.projects.length === 0;
  if (nothing && !signedIn()) {
    main.replaceChildren(signInPage());
    return;
  }
  signing(session.login);
  if (nothing) {
    main.replaceChildren(stranger());
    return;
  }
  document.addEventListener("click", saveSigned);
  if (project) remember(project);
  if (project && article) articlePage(main, part("corner"), part("announce"), project, article, session.runs === true);
  else if (project) await projectPage(main, part("announce"), project);
  else homePage(main, session.projects);
}

void start();
