// What a program in TypeScript relies on; checked by tsc, never run.
import { apply, emptyState, fold } from "../briefworks/static/fold.js";
import { followArticle, followProject } from "../briefworks/static/follow.js";
import type { ArticleState, StreamRow } from "../briefworks/static/shapes.js";

const rows: StreamRow[] = [];
const state: ArticleState = fold("p", "a", rows);
const words: number | undefined = rows.reduce(apply, emptyState("p", "a")).polished?.words;

export function line(row: StreamRow): string {
  switch (row.event) {
    case "draft-token":
      return row.data.text;
    case "section-done":
      return `${row.data.section.heading}: ${row.data.section.sources.join()}`;
    case "run-failed":
      // @ts-expect-error a failure has no usage
      return row.data.usage;
    default:
      return row.event satisfies string;
  }
}

const stop: () => void = followArticle({
  project: "p",
  article: "a",
  headers: { Authorization: "Bearer …" },
  onState: (now, fresh) => console.log(now.sections.map((one) => one.markdown), fresh.map(line), state, words),
  onLink: ({ via, error }) => console.log(via === "sse" ? "live" : error?.hint),
});
// @ts-expect-error an article is followed with its state
followArticle({ project: "p", article: "a", onRows: stop });
followProject({ url: "http://127.0.0.1:8000", project: "p", after: 0, onRows: (fresh, anew) => console.log(anew, fresh) });
