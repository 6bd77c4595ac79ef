/** The form that asks for an article: a keyword is enough, the rest has a default. */
import { ask, newId, pageOf, problemOf } from "./api.js";
import { el, say } from "./dom.js";

/** @typedef {{name: string, description: string}} Persona */

/** @param {string} project */
export async function askForm(project) {
  /** @type {Persona[]} */
  const personas = await ask("GET", "/api/personas").then(
    (found) => found.personas,
    () => [{ name: "plain-expert", description: "" }],
  );
  const asked = new URLSearchParams(location.search);
  const keyword = field("keyword", "Keyword", {
    required: true,
    minlength: 2,
    maxlength: 200,
    autocomplete: "off",
    placeholder: "standing desks",
    value: asked.get("keyword") ?? "",
  });
  const persona = personaField(personas, asked.get("persona") ?? "plain-expert");
  const words = field("targetWords", "Words", { type: "number", min: 600, max: 6000, step: 100, value: asked.get("words") ?? 1800 });
  const two = { pattern: "[a-z]{2}", maxlength: 2, autocapitalize: "none", title: "two small letters" };
  const language = field("language", "Language", { ...two, value: asked.get("language") ?? "en" });
  const market = field("market", "Market", { ...two, value: asked.get("market") ?? "us" });
  const fields = [keyword, persona, words, language, market];
  const button = el("button", { class: "main" }, "Write it");
  const wrong = el("div", { role: "alert" });
  let id = newId(); // asking again after an unclear answer asks for the same article

  const send = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const value = (/** @type {Field} */ { input }) => input.value.trim();
    const body = { projectId: project, articleId: id, keyword: value(keyword), persona: value(persona) };
    const more = { targetWords: Number(value(words)), language: value(language), market: value(market) };
    for (const one of fields) one.fault("");
    button.disabled = true;
    say(button, "Asking …");
    try {
      await ask("POST", "/api/articles", { ...body, ...more });
      location.assign(pageOf(project, id));
    } catch (error) {
      const problem = problemOf(error);
      const at = fields.find(({ input }) => input.name === problem.field);
      at?.fault(problem.detail);
      if (at !== keyword && at !== persona && at) details.open = true;
      at?.input.focus();
      wrong.replaceChildren(
        ...(at ? [] : [el("p", { class: "wrong" }, el("strong", {}, problem.detail), ` ${problem.hint}`)]),
      );
      if (problem.status === 409) id = newId();
      button.disabled = false;
      say(button, at ? "Write it" : "Ask again");
    }
  };
  const details = el("details", {}, el("summary", {}, "More"), el("div", { class: "row" }, words.box, language.box, market.box));
  return el(
    "form",
    { class: "card ask", "aria-labelledby": "ask-title", onsubmit: send },
    el("h2", { id: "ask-title" }, "A new article"),
    keyword.box,
    persona.box,
    details,
    wrong,
    button,
  );
}

/** @typedef {{box: HTMLElement, input: HTMLInputElement | HTMLSelectElement, fault: (what: string) => void}} Field */

/** @param {string} name @param {string} label @param {Record<string, any>} props @returns {Field} */
function field(name, label, props) {
  return boxed(el("input", { id: `ask-${name}`, name, ...props }), label);
}

/** @param {Persona[]} personas @param {string} chosen @returns {Field} */
function personaField(personas, chosen) {
  const options = personas.map(({ name }) => el("option", { value: name, selected: name === chosen }, name.replaceAll("-", " ")));
  const select = el("select", { id: "ask-persona", name: "persona" }, ...options);
  const found = boxed(select, "Voice");
  const about = el("p", { class: "hint" });
  const tell = () => say(about, personas.find(({ name }) => name === select.value)?.description ?? "");
  select.addEventListener("change", tell);
  tell();
  found.box.append(about);
  return found;
}

/** @param {HTMLInputElement | HTMLSelectElement} input @param {string} label @returns {Field} */
function boxed(input, label) {
  const wrong = el("p", { class: "wrong", id: `${input.id}-wrong` });
  input.setAttribute("aria-describedby", wrong.id);
  const box = el("div", { class: "field" }, el("label", { for: input.id }, label), input, wrong);
  const fault = (/** @type {string} */ what) => {
    say(wrong, what);
    if (what) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  return { box, input, fault };
}
