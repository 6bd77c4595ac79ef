/** Shows what the address names: the choice of a project, a project's articles, or one article. */
import { articlePage } from "./article.js";
import { ask, pageOf, problemOf, remember } from "./api.js";
import { el } from "./dom.js";
import { homePage, loginForm } from "./home.js";
import { problemNotice } from "./notice.js";
import { projectPage } from "./project.js";

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

/** Sign out, where somebody has signed in. */
function signOut() {
  const leave = async () => {
    await ask("DELETE", "/api/session").catch(() => null);
    location.assign("/");
  };
  part("corner").append(el("button", { class: "quiet", onclick: leave }, "Sign out"));
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
    main.replaceChildren(el("h1", {}, "briefworks"), problemNotice(problemOf(error)));
    return;
  }
  if (session.login && session.projects !== "*" && session.projects.length === 0) {
    main.replaceChildren(loginForm());
    return;
  }
  if (session.login) signOut();
  if (project) remember(project);
  if (project && article) articlePage(main, part("corner"), part("announce"), project, article);
  else if (project) await projectPage(main, part("announce"), project);
  else homePage(main, session.projects);
}

void start();
