/**
 * Follows an article or a project, in browsers and in Node.js ≥ 18: by a channel of Supabase's Realtime where there is
 * one, else by server-sent events, else by polling.
 *
 * Rows are handed over in order, none twice and none left out, whatever the connection does; docs/STREAM.md says how.
 *
 * @typedef {import("./fold.js").StreamRow} StreamRow
 * @typedef {import("./fold.js").ArticleState} ArticleState
 * @typedef {{rows: StreamRow[], head: number, upto: number}} Page
 * @typedef {import("./wire.js").LinkError} LinkError
 * @typedef {{via: "realtime" | "sse" | "polling" | "none", since: number, error?: LinkError, ended?: true,
 *   instead?: string}} Link
 *   How rows come, since when (as `Date.now()` says it). "none": connecting; with an `error`, trying again in a
 *   moment; with `ended`, no more: the run is over or, with an `error` as well, trying again would not help.
 *   `instead`: why it is not the channel.
 * @typedef {typeof import("./follower.js").TIMING} Timing
 * @typedef {{url?: string, project: string, onLink?: (link: Link) => void, timing?: Partial<Timing>,
 *   headers?: Record<string, string> | (() => Promise<Record<string, string>>),
 *   channel?: import("./channel.js").OpenChannel}} Options `url` is the app's, without it the page's own; `headers` may
 *   be made anew for each request, as a token that expires must be
 * @typedef {Options & {article: string, onState: (state: ArticleState, rows: StreamRow[]) => void}} ArticleOptions
 * @typedef {Options & {after?: number, onRows: (rows: StreamRow[], anew: boolean) => void}} ProjectOptions
 */
import { apply, emptyState } from "./fold.js";
import { Follower } from "./follower.js";
import { tell } from "./wire.js";

const OVER = new Set(["done", "failed", "cancelled"]);

/**
 * Call `onState` with the article's state and the rows that are new in it: first when it is known what is there,
 * then after each batch. Ends by itself with the run. States handed over are never changed.
 * @param {ArticleOptions} options
 * @returns {() => void} stops it
 */
export function followArticle(options) {
  const { project, article, onState } = options;
  let state = emptyState(project, article);
  return new Follower(options, { article, seen: 0 }, (rows, anew) => {
    state = rows.reduce(apply, anew ? emptyState(project, article) : state);
    tell(onState, state, rows);
    return OVER.has(state.status);
  }).start();
}

/**
 * Call `onRows` with the new rows of a project: those with `seq > after`, else those from now on.
 *
 * `anew` is true the first time, and when the server has lost what it had: what was read before is void, so read
 * the list of articles again.
 * @param {ProjectOptions} options
 * @returns {() => void} stops it
 */
export function followProject(options) {
  const { after: seen, onRows } = options;
  return new Follower(options, { seen }, (rows, anew) => tell(onRows, rows, anew)).start();
}
