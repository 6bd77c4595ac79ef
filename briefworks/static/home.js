/** The first page: which project, and the key where one is needed. */
import { ask, pageOf, problemOf, remembered } from "./api.js";
import { el, say } from "./dom.js";

const RULE = "[A-Za-z0-9_\\-]{1,64}";

/** @param {HTMLElement} main @param {string[] | "*"} projects those this visitor may see */
export function homePage(main, projects) {
  document.title = "briefworks";
  const last = remembered();
  const known = projects === "*" ? (last ? [last] : []) : projects;
  const open = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    location.assign(pageOf(input.value.trim()));
  };
  const input = el("input", {
    id: "project",
    name: "project",
    required: true,
    pattern: RULE,
    maxlength: 64,
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    placeholder: "my-site",
    value: last,
    "aria-describedby": "project-hint",
    title: "1 to 64 letters, digits, - or _",
  });
  const form = el(
    "form",
    { class: "card start", onsubmit: open },
    el("label", { for: "project" }, "Project"),
    el("div", { class: "joined" }, input, el("button", { class: "main" }, "Open")),
    el("p", { id: "project-hint", class: "hint" }, "A new name begins a new project. Letters, digits, - and _."),
  );
  main.replaceChildren(
    el(
      "div",
      { class: "narrow hello" },
      el("h1", {}, "Articles, written where you can watch"),
      el(
        "p",
        { class: "lead" },
        "Ask for an article by its keyword. It is researched, planned, drafted and polished while you look on; " +
          "close the tab and come back, and nothing is lost.",
      ),
      projects === "*" && form,
      known.length > 0 && projects !== "*" && choice(known),
    ),
  );
}

/** @param {string[]} projects */
function choice(projects) {
  const items = projects.map((name) => el("li", {}, el("a", { href: pageOf(name) }, name)));
  return el("nav", { class: "card start", "aria-label": "Projects" }, el("h2", {}, "Your projects"), el("ul", {}, ...items));
}

/** The key, asked for once; the app keeps it in a cookie that no script can read. */
export function loginForm() {
  document.title = "Sign in – briefworks";
  const wrong = el("p", { class: "wrong", id: "key-wrong", role: "alert" });
  const input = el("input", {
    id: "key",
    name: "key",
    type: "password",
    required: true,
    autocomplete: "current-password",
    maxlength: 200,
    "aria-describedby": "key-hint key-wrong",
  });
  const button = el("button", { class: "main" }, "Sign in");
  const send = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await ask("POST", "/api/session", { key: input.value.trim() });
      location.reload();
    } catch (error) {
      const { status, detail, hint } = problemOf(error);
      say(wrong, status === 401 ? "This key is not known here." : `${detail} ${hint}`.trim());
      input.setAttribute("aria-invalid", "true");
      button.disabled = false;
      input.select();
    }
  };
  return el(
    "div",
    { class: "narrow hello" },
    el("h1", {}, "Sign in"),
    el(
      "form",
      { class: "card start", onsubmit: send },
      el("label", { for: "key" }, "API key"),
      el("div", { class: "joined" }, input, button),
      wrong,
      el(
        "p",
        { id: "key-hint", class: "hint" },
        "It begins with bw_. Whoever runs this server makes one with ",
        el("code", {}, "briefworks keys new"),
        ".",
      ),
    ),
  );
}
