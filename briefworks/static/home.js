/** The first page: which project. */
import { pageOf, remembered } from "./api.js";
import { el } from "./dom.js";

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
