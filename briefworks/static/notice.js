/** A box that a reader must not miss; among them that something did not work, and what can be done about it. */
import { el } from "./dom.js";

/** @param {string} kind @param {string} what @param {string} [more] @param {Node} [after] */
export function notice(kind, what, more, after) {
  return el("div", { class: `notice ${kind}` }, el("p", {}, el("strong", {}, what)), more && el("p", {}, more), after);
}

/** @param {import("./wire.js").LinkError} problem */
export function problemNotice({ detail, hint }) {
  const made = notice("bad", detail, hint);
  made.setAttribute("role", "alert");
  return made;
}
