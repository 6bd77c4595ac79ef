/**
 * What an article's rows tell beside its state: what was asked, when each phase was at work, what goes on just now.
 *
 * @typedef {import("./fold.js").StreamRow} StreamRow
 * @typedef {import("./fold.js").ArticleState} ArticleState
 * @typedef {"research" | "brief" | "draft" | "polish"} Phase
 * @typedef {{from: string, to: string}} Span instants; "" when no row says it
 * @typedef {{keyword: string, persona: string, targetWords: number, language: string, market: string}} Asked
 * @typedef {{seq: number, runId: string, asked: Asked | null, phases: Record<Phase, Span>,
 *   progress: {stage: string, done: number, of: number} | null, notes: string[], thinking: Record<string, string>,
 *   findings: any[], rewriting: number[], cancelled: {by: string, reason: string} | null, lastAt: string,
 *   endedAt: string}} Trail `thinking`: since when, per step
 */

/** @type {Phase[]} */
export const PHASES = ["research", "brief", "draft", "polish"];

/** @returns {Trail} */
export function emptyTrail() {
  const phases = /** @type {Record<Phase, Span>} */ ({});
  for (const phase of PHASES) phases[phase] = { from: "", to: "" };
  const none = { progress: null, notes: [], thinking: {}, findings: [], rewriting: [], cancelled: null };
  return { seq: 0, runId: "", asked: null, phases, ...none, lastAt: "", endedAt: "" };
}

/**
 * The trail after these rows; `state` is the state after them. The trail handed in is not changed.
 * @param {Trail} trail @param {ArticleState} state @param {StreamRow[]} rows
 */
export function follow(trail, state, rows) {
  const anew = rows.length > 0 && rows[0].seq <= trail.seq;
  const next = structuredClone(anew ? emptyTrail() : trail);
  for (const row of rows) {
    next.seq = row.seq;
    next.lastAt = row.created_at;
    const newest = Object.hasOwn(state.takes, row.step) ? state.takes[row.step] : 0;
    if (row.take >= newest) note(next, row);
  }
  return next;
}

/** @param {Trail} trail @param {StreamRow} row */
function note(trail, { event, step, data, created_at: at, run_id: runId }) {
  if (event === "thinking") {
    const since = new Date(Date.parse(at) - data.since_ms).toISOString();
    trail.thinking[step] ??= since;
  } else delete trail.thinking[step];
  rewriting(trail, step, event);
  switch (event) {
    case "run-started":
      begin(trail, data, runId, at);
      break;
    case "research-progress":
      trail.progress = data;
      if (data.note) trail.notes.push(data.note);
      break;
    case "research-done":
      pass(trail, "research", "brief", at);
      trail.notes = [];
      break;
    case "brief-done":
    case "review-done":
      pass(trail, "brief", "draft", at);
      break;
    case "draft-done":
      pass(trail, "draft", "polish", at);
      break;
    case "critique-done":
      trail.findings = data.findings;
      break;
    case "polish-done":
      trail.findings = data.findings;
      trail.phases.polish.to = at;
      end(trail, at);
      break;
    case "run-failed":
    case "run-cancelled":
      trail.cancelled = event === "run-cancelled" ? data : null;
      end(trail, at);
      break;
  }
}

/** Which sections polish has in hand. @param {Trail} trail @param {string} step @param {string} event */
function rewriting(trail, step, event) {
  const found = /^polish-section-(\d+)-\d+$/.exec(step);
  if (!found) return;
  const n = Number(found[1]);
  trail.rewriting = trail.rewriting.filter((one) => one !== n);
  if (event !== "section-done") trail.rewriting.push(n);
}

/** A run begins; what an earlier one left is over. @param {Trail} trail @param {any} data @param {string} runId @param {string} at */
function begin(trail, data, runId, at) {
  const { seq, lastAt } = trail;
  Object.assign(trail, emptyTrail(), { seq, lastAt, runId });
  const { keyword, persona, language, market, target_words: targetWords } = data;
  trail.asked = { keyword, persona, targetWords, language, market };
  trail.phases.research.from = at;
}

/** @param {Trail} trail @param {Phase} from @param {Phase} to @param {string} at */
function pass(trail, from, to, at) {
  trail.phases[from].to = at;
  trail.phases[to].from = at;
}

/** @param {Trail} trail @param {string} at */
function end(trail, at) {
  trail.endedAt = at;
  trail.thinking = {};
  trail.rewriting = [];
}

/**
 * How long a phase has been at work, in seconds; null when it was not, or no row says so.
 * @param {Trail} trail @param {Phase} phase @param {number} now
 */
export function elapsed(trail, phase, now) {
  const { from, to } = trail.phases[phase];
  if (!from) return null;
  const upto = to || trail.endedAt;
  return Math.max(0, ((upto ? Date.parse(upto) : now) - Date.parse(from)) / 1000);
}
