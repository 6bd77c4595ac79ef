/**
 * What an article's rows add up to, for browsers; the same as `briefworks/fold.py`, held equal by recorded cases.
 *
 * @typedef {import("./shapes.js").StreamRow} StreamRow a row; its `event` tells the shape of its `data`
 * @typedef {import("./shapes.js").ArticleState} ArticleState
 * @typedef {import("./shapes.js").SectionState} SectionState
 * @typedef {import("./shapes.js").Brief} Brief
 * @typedef {import("./shapes.js").Usage} Usage
 */

const EVENTS = new Set(
  ("run-started research-progress research-done thinking brief-token brief-done review-waiting review-done" +
    " draft-token section-done draft-done polish-token critique-done polish-done run-failed run-cancelled").split(" "),
);

/**
 * The article before its first row.
 * @param {string} projectId
 * @param {string} articleId
 * @returns {ArticleState}
 */
export function emptyState(projectId, articleId) {
  return {
    project_id: projectId,
    article_id: articleId,
    run_id: "",
    seq: 0,
    status: "running",
    phase: "research",
    takes: {},
    brief_text: "",
    research: null,
    brief: null,
    sections: [],
    polished: null,
    error: null,
    usage: {
      calls: 0,
      input_tokens: 0,
      output_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      usd: 0,
    },
    started_at: "",
    updated_at: "",
  };
}

/**
 * The state after all these rows.
 * @param {string} projectId
 * @param {string} articleId
 * @param {Iterable<StreamRow>} rows
 * @returns {ArticleState}
 */
export function fold(projectId, articleId, rows) {
  let state = emptyState(projectId, articleId);
  for (const row of rows) state = apply(state, row);
  return state;
}

/**
 * The state after one more row; `state` itself is not changed.
 *
 * Rows of other articles and rows seen before change nothing; rows of an older take, and events this version
 * does not know, only move `seq`.
 * @param {ArticleState} state
 * @param {StreamRow} row
 * @returns {ArticleState}
 */
export function apply(state, row) {
  const same = row.project_id === state.project_id && row.article_id === state.article_id;
  if (!same || row.seq <= state.seq) return state;
  const next = { ...state, seq: row.seq };
  const newest = Object.hasOwn(state.takes, row.step) ? state.takes[row.step] : 0;
  if (!EVENTS.has(row.event) || row.take < newest) return next;
  next.takes = { ...state.takes, [row.step]: row.take };
  next.run_id = row.run_id;
  next.updated_at = row.created_at;
  next.phase = phaseOf(row.step, state.phase);
  if (row.take > newest) beginTake(next, row.step, row.take);
  takeIn(next, row);
  return next;
}

/**
 * The phase a step belongs to; the run's own rows leave it, but that a new run begins with research.
 * @param {string} step
 * @param {ArticleState["phase"]} phase
 * @returns {ArticleState["phase"]}
 */
function phaseOf(step, phase) {
  switch (step.split("-", 1)[0]) {
    case "brief":
    case "regenerate":
    case "review":
      return "brief";
    case "start":
    case "research":
      return "research";
    case "draft":
      return "draft";
    case "polish":
      return "polish";
    default:
      return phase;
  }
}

/** The text of the step starts anew. @param {ArticleState} state @param {string} step @param {number} take */
function beginTake(state, step, take) {
  const n = draftedSection(step);
  if (step === "brief" || step === "regenerate-brief") state.brief_text = "";
  else if (n !== null) changeSection(state, n, { take, status: "writing", markdown: "" });
}

/** @param {ArticleState} state @param {StreamRow} row */
function takeIn(state, row) {
  switch (row.event) {
    case "run-started":
      state.status = "running";
      state.error = null;
      state.started_at = row.created_at;
      break;
    case "research-done":
      state.research = row.data;
      spend(state, row.data.usage);
      break;
    case "brief-token":
      state.brief_text += row.data.text;
      break;
    case "brief-done":
      plan(state, row.data);
      spend(state, row.data.usage);
      break;
    case "review-waiting":
      state.status = "review";
      break;
    case "review-done":
      state.status = "running";
      if (row.data.brief !== null) plan(state, row.data.brief);
      break;
    case "draft-token":
      draftToken(state, row.step, row.take, row.data.text);
      break;
    case "section-done":
      sectionDone(state, row.step, row.take, row.data);
      spend(state, row.data.section.usage);
      break;
    case "draft-done":
    case "critique-done":
      spend(state, row.data.usage);
      break;
    case "polish-done":
      finish(state, row.step, row.take, row.data);
      break;
    case "run-failed":
      state.status = "failed";
      state.error = row.data;
      break;
    case "run-cancelled":
      state.status = "cancelled";
      break;
  }
}

/** @param {ArticleState} state @param {Usage} usage */
function spend(state, usage) {
  const total = { ...state.usage };
  total.calls += usage.calls;
  total.input_tokens += usage.input_tokens;
  total.output_tokens += usage.output_tokens;
  total.cache_read_tokens += usage.cache_read_tokens;
  total.cache_write_tokens += usage.cache_write_tokens;
  // One price that is not known makes the sum unknown.
  total.usd = total.usd === null || usage.usd === null ? null : Math.floor((total.usd + usage.usd) * 1e6 + 0.5) / 1e6;
  state.usage = total;
}

/** A brief is there: it carries its text, and its outline names the sections. @param {ArticleState} state @param {Brief} brief */
function plan(state, brief) {
  state.brief = brief;
  state.brief_text = "";
  state.sections = brief.outline.map(({ n, heading }) => ({ n, heading, take: 0, status: "waiting", markdown: "" }));
}

/** @param {ArticleState} state @param {string} step @param {number} take @param {string} text */
function draftToken(state, step, take, text) {
  const n = draftedSection(step);
  const section = state.sections.find((one) => one.n === n);
  if (section) changeSection(state, section.n, { take, status: "writing", markdown: section.markdown + text });
}

/**
 * A drafted section, or one rewritten by polish: that has takes of its own.
 * @param {ArticleState} state @param {string} step @param {number} take
 * @param {import("./shapes.js").SectionDone} done
 */
function sectionDone(state, step, take, { n, section: { heading, markdown } }) {
  const own = draftedSection(step) === null ? {} : { take };
  changeSection(state, n, { heading, status: "done", markdown, ...own });
}

/**
 * The article carries all that came before it.
 * @param {ArticleState} state @param {string} step @param {number} take
 * @param {import("./shapes.js").Polished} polished
 */
function finish(state, step, take, polished) {
  state.status = "done";
  state.error = null;
  state.brief_text = "";
  state.polished = polished;
  state.usage = polished.usage;
  state.takes = { [step]: take };
  state.sections = polished.sections.map(({ n, heading, markdown }) => ({ n, heading, take, status: "done", markdown }));
}

/** The section a step drafts, or null. @param {string} step @returns {number | null} */
function draftedSection(step) {
  const found = /^draft-section-([0-9]+)$/.exec(step);
  return found ? Number(found[1]) : null;
}

/** Change section `n`, if the outline has it. @param {ArticleState} state @param {number} n @param {Partial<SectionState>} changes */
function changeSection(state, n, changes) {
  state.sections = state.sections.map((section) => (section.n === n ? { ...section, ...changes } : section));
}
