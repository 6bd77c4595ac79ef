/** The sources of a finished article, in the order of their numbers. */
import { changes, el, part, patch, sourceLink, whence } from "./dom.js";

export function sourcesView() {
  const list = el("ol", { class: "sources" });
  const root = part("sources", "Sources", list);
  const changed = changes();
  /** @type {import("./article.js").View} */
  const view = ({ state: { polished } }) => {
    if (!changed(polished)) return;
    root.hidden = !polished?.sources.length;
    patch(
      list,
      (polished?.sources ?? []).map((/** @type {any} */ { number, url, title, fetched_at: at }) =>
        el(
          "li",
          { id: `source-${number}`, value: number },
          sourceLink(url, title),
          el("span", { class: "facts" }, ...whence(url, at)),
        ),
      ),
    );
  };
  return { root, view };
}
