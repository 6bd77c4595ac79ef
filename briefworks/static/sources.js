/** The sources of a finished article, in the order of their numbers. */
import { el, hostOf, part, patch, sourceLink } from "./dom.js";

export function sourcesView() {
  const list = el("ol", { class: "sources" });
  const root = part("sources", "Sources", list);
  /** @type {unknown} */ let last = null;
  /** @type {import("./article.js").View} */
  const view = ({ state: { polished } }) => {
    if (last === polished) return;
    last = polished;
    root.hidden = !polished?.sources.length;
    patch(
      list,
      (polished?.sources ?? []).map((/** @type {any} */ { number, url, title, fetched_at: at }) =>
        el(
          "li",
          { id: `source-${number}`, value: number },
          sourceLink(url, title),
          el("span", { class: "facts" }, el("span", {}, hostOf(url)), el("span", {}, `read ${String(at).slice(0, 16).replace("T", " ")}`)),
        ),
      ),
    );
  };
  return { root, view };
}
