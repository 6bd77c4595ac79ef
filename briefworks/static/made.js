/** Where it comes from: models, persona, times and versions; and the line that says that a machine wrote it. */
import { changes, el, pairs, part, patch, plain, say } from "./dom.js";

export function madeView() {
  const list = el("dl", { class: "made" });
  const root = part("made", "Where it comes from", list);
  const changed = changes();
  /** @type {import("./article.js").View} */
  const view = ({ state: { polished } }) => {
    if (!changed(polished)) return;
    const made = polished?.provenance;
    root.hidden = !made;
    if (!made) return;
    const versions = Object.entries(made.versions).map(([name, version]) => `${name} ${version}`);
    const rows = [
      [made.models.length === 1 ? "Model" : "Models", made.models.join(", ") || "not known"],
      ["Persona", made.persona],
      ["Search", made.search],
      ["Begun", instant(made.begun_at)],
      ["Finished", instant(made.finished_at)],
      ["Versions", versions.join(", ")],
    ];
    patch(list, pairs(rows));
  };
  return { root, view };
}

/** @param {string} at */
const instant = (at) => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;

/** The disclosure line, in the article's header. */
export function disclosureView() {
  const root = el("p", { class: "disclosure" });
  /** @type {import("./article.js").View} */
  const view = ({ state: { polished } }) => {
    say(root, plain(polished?.disclosure ?? ""));
    root.hidden = !root.textContent;
  };
  return { root, view };
}
