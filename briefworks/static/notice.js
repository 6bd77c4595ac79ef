/** How the page says that something did not work, and what can be done about it. */
import { el } from "./dom.js";

/** @param {import("./wire.js").LinkError} problem */
export function problemNotice({ detail, hint }) {
  return el("div", { class: "notice bad", role: "alert" }, el("p", {}, el("strong", {}, detail)), hint && el("p", {}, hint));
}
