/** Signing in: by e-mail where the app has Supabase, and by an API key, which the app keeps in a cookie. */
import { ask, problemOf } from "./api.js";
import { el, say } from "./dom.js";
import { configured, signIn } from "./supabase.js";

/** @param {import("./api.js").Problem} [problem] why it is asked for again */
export function signInPage(problem) {
  document.title = "Sign in – briefworks";
  const wrong = problem && el("p", { class: "notice bad", role: "alert" }, el("strong", {}, problem.detail), ` ${problem.hint}`);
  return el("div", { class: "narrow hello" }, el("h1", {}, "Sign in"), wrong, configured && emailForm(), keyForm());
}

function emailForm() {
  const email = el("input", { id: "email", name: "email", type: "email", required: true, autocomplete: "username", maxlength: 254 });
  const password = el("input", { id: "password", name: "password", type: "password", required: true, autocomplete: "current-password", maxlength: 200 });
  return form(
    "email",
    [email, password],
    () => signIn(email.value.trim(), password.value),
    [el("label", { for: "email" }, "E-mail"), email],
    [el("label", { for: "password" }, "Password"), password],
  );
}

function keyForm() {
  const key = el("input", { id: "key", name: "key", type: "password", required: true, autocomplete: configured ? "off" : "current-password", maxlength: 200 });
  const hint = ["It begins with bw_. Whoever runs this server makes one with ", el("code", {}, "briefworks keys new"), "."];
  const send = async () => {
    try {
      await ask("POST", "/api/session", { key: key.value.trim() });
    } catch (error) {
      const { status, detail, hint } = problemOf(error);
      throw new Error(status === 401 ? "This key is not known here." : `${detail} ${hint}`.trim());
    }
  };
  return form("key", [key], send, [el("label", { for: "key" }, "API key"), key, el("p", { id: "key-hint", class: "hint" }, ...hint)]);
}

/**
 * A form that says under its fields what went wrong, and loads the page anew when nothing did.
 * @param {string} name @param {HTMLInputElement[]} inputs @param {() => Promise<void>} send its error is said
 * @param {...Node[]} fields
 */
function form(name, inputs, send, ...fields) {
  const wrong = el("p", { class: "wrong", id: `${name}-wrong`, role: "alert" });
  const button = el("button", { class: "main" }, name === "key" && configured ? "Sign in with the key" : "Sign in");
  for (const input of inputs) input.setAttribute("aria-describedby", `${wrong.id}${name === "key" ? " key-hint" : ""}`);
  const onsubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    button.disabled = true;
    say(wrong, "");
    try {
      await send();
      location.reload();
    } catch (error) {
      say(wrong, /** @type {Error} */ (error).message);
      for (const input of inputs) input.setAttribute("aria-invalid", "true");
      button.disabled = false;
      inputs.at(-1)?.select();
    }
  };
  const boxes = fields.map((parts) => el("div", { class: "field" }, ...parts));
  return el("form", { class: "card start sign-in", id: `sign-in-${name}`, onsubmit }, ...boxes, wrong, button);
}
