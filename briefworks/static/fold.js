/**
 * What an article's rows add up to, for browsers; the same as `briefworks/fold.py`, held equal by recorded cases.
 *
 * @typedef {{project_id: string, seq: number, article_id: string, run_id: string, step: string, take: number,
 *   event: string, data: any, created_at: string}} StreamRow
 * @typedef {{calls: number, input_tokens: number, output_tokens: number, cache_read_tokens: number,
 *   cache_write_tokens: number, usd: number | null}} Usage
 * @typedef {{n: number, heading: string, take: number, status: "waiting" | "writing" | "done",
 *   markdown: string}} SectionState
 * @typedef {{project_id: string, article_id: string, run_id: string, seq: number,
 *   status: "running" | "review" | "done" | "failed" | "cancelled",
 *   phase: "research" | "brief" | "draft" | "polish", takes: Record<string, number>, brief_text: string,
 *   research: any, brief: any, sections: SectionState[], polished: any, error: any, usage: Usage,
 *   started_at: string, updated_at: string}} ArticleState
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
  const data = row.data;
  switch (row.event) {
    case "run-started":
      state.status = "running";
      state.error = null;
      state.started_at = row.created_at;
      break;
    case "research-done":
      state.research = data;
      spend(state, data.usage);
      break;
    case "brief-token":
      state.brief_text += data.text;
      break;
    case "brief-done":
      plan(state, data);
      spend(state, data.usage);
      break;
    case "review-waiting":
      state.status = "review";
      break;
    case "review-done":
      state.status = "running";
      if (data.brief !== null) plan(state, data.brief);
      break;
    case "draft-token":
      draftToken(state, row);
      break;
    case "section-done":
      sectionDone(state, row);
      spend(state, data.section.usage);
      break;
    case "draft-done":
    case "critique-done":
      spend(state, data.usage);
      break;
    case "polish-done":
      finish(state, row);
      break;
    case "run-failed":
      state.status = "failed";
      state.error = data;
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
  total.usd = total.usd === null || usage.usd === null ? null : Number((total.usd + usage.usd).toFixed(6));
  state.usage = total;
}

/** A brief is there: its text is carried by it, and its outline names the sections. @param {ArticleState} state @param {any} brief */
function plan(state, brief) {
  state.brief = brief;
  state.brief_text = "";
  state.sections = brief.outline.map((/** @type {any} */ section) => ({
    n: section.n,
    heading: section.heading,
    take: 0,
    status: "waiting",
    markdown: "",
  }));
}

/** @param {ArticleState} state @param {StreamRow} row */
function draftToken(state, row) {
  const n = draftedSection(row.step);
  const section = state.sections.find((one) => one.n === n);
  if (!section) return;
  const markdown = section.markdown + row.data.text;
  changeSection(state, section.n, { take: row.take, status: "writing", markdown });
}

/** A drafted section, or one rewritten by polish: that has takes of its own. @param {ArticleState} state @param {StreamRow} row */
function sectionDone(state, row) {
  const { heading, markdown } = row.data.section;
  const own = draftedSection(row.step) === null ? {} : { take: row.take };
  changeSection(state, row.data.n, { heading, status: "done", markdown, ...own });
}

/** The article carries all that came before it. @param {ArticleState} state @param {StreamRow} row */
function finish(state, row) {
  state.status = "done";
  state.error = null;
  state.brief_text = "";
  state.polished = row.data;
  state.usage = row.data.usage;
  state.takes = { [row.step]: row.take };
  state.sections = row.data.sections.map((/** @type {any} */ section) => ({
    n: section.n,
    heading: section.heading,
    take: row.take,
    status: "done",
    markdown: section.markdown,
  }));
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
