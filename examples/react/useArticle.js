/** An article in React, as it is written: a hook, and a component that shows what it gives. No build step needed. */
import { createElement as h, useEffect, useState } from "react";
import { emptyState } from "../../briefworks/static/fold.js"; // or your copies of the files, or `${url}/briefworks/…`
import { followArticle } from "../../briefworks/static/follow.js";

/**
 * The article's state and how it is heard of; both change as rows come.
 * @param {{url?: string, project: string, article: string, headers?: Record<string, string>}} of
 */
export function useArticle({ url, project, article, headers }) {
  const [state, onState] = useState(() => emptyState(project, article));
  const [link, onLink] = useState(/** @type {import("../../briefworks/static/follow.js").Link | null} */ (null));
  useEffect(
    () => followArticle({ url, project, article, headers, onState, onLink }),
    [url, project, article, headers?.Authorization],
  );
  return { state, link };
}

/** @param {Parameters<typeof useArticle>[0]} of */
export function Article(of) {
  const { state, link } = useArticle(of);
  const title = state.polished?.title ?? state.brief?.title ?? "…";
  const sections = state.sections.map(({ n, heading, markdown }) =>
    h("section", { key: n }, h("h2", null, heading), h("pre", null, markdown)),
  );
  return h("article", null, h("h1", null, title), h("p", { role: "status" }, state.status, link?.error?.detail), sections);
}
