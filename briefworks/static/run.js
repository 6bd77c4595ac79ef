/**
 * The runs of the article that the address names, as timelines; asked for again while one is running.
 *
 * @typedef {{startedAt: string, endedAt: string, error: string}} Attempt
 * @typedef {{name: string, stepOp: string, status: string, kept: boolean, startedAt: string, lastStartedAt?: string,
 *   endedAt: string | null, error: string, children: Attempt[]}} Step
 * @typedef {{id: string, status: string, startedAt: string | null, endedAt: string | null, error: string,
 *   steps: Step[]}} Run
 */
import { apiOf, ask, pageOf, problemOf } from "./api.js";
import { el, svg } from "./dom.js";

const [, , project, , article] = location.pathname.split("/");
const api = apiOf(project, article);
const WORDS = { RUNNING: "running", COMPLETED: "finished", FAILED: "failed", CANCELLED: "cancelled" };
const POLL_MS = 1000;
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
let drawn = "";

/** @param {number} ms */
function took(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")} min`;
}

/** @param {Step} step @param {number} since @param {number} until */
function bar(step, since, until) {
  const scale = 1000 / Math.max(until - since, 1);
  /** @param {string} from @param {string | null} to @param {string} kind */
  const rect = (from, to, kind) => {
    const x = (Date.parse(from) - since) * scale;
    const width = Math.max(((to ? Date.parse(to) : until) - Date.parse(from)) * scale, 3);
    return svg("rect", { x: Math.max(x, 0), width, y: 0, height: 10, class: kind });
  };
  const kind = step.stepOp !== "RUN" ? "wait" : step.status === "FAILED" ? "bad" : step.endedAt ? "" : "open";
  const tries = step.children.map((each) => rect(each.startedAt, each.endedAt, "bad"));
  return svg("svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" }, rect(step.startedAt, step.endedAt, "wait"), rect(step.lastStartedAt ?? step.startedAt, step.endedAt, kind), ...tries);
}

/** @param {Run} run @param {Step} step @param {number} since @param {number} until @param {boolean} idle */
function row(run, step, since, until, idle) {
  const name = step.name || "between steps";
  const errors = [...step.children.map((each, n) => `attempt ${n + 1}: ${each.error}`), ...(step.error ? [step.error] : [])];
  const time = step.kept ? "kept" : step.endedAt ? took(Date.parse(step.endedAt) - Date.parse(step.startedAt)) : run.endedAt ? "not finished" : "…";
  const act = step.name && idle ? el("button", { type: "button", "aria-label": `Run again from ${name}`, onclick: () => replay(run, { from: step.name }) }, "from here") : null;
  const list = errors.length ? el("ul", { class: "errors" }, ...errors.map((error) => el("li", {}, error))) : null;
  return el(
    "tr",
    { class: step.kept ? "kept" : "" },
    el("th", { scope: "row" }, name),
    el("td", { class: "bar" }, step.kept ? null : bar(step, since, until), list),
    el("td", { class: "took" }, time),
    el("td", { class: "act" }, act),
  );
}

/** @param {Run} run @param {boolean} idle no run of the article is alive */
function section(run, idle) {
  const word = WORDS[/** @type {keyof typeof WORDS} */ (run.status)] ?? "no longer known to the engine";
  const head = el("h2", { class: run.status === "FAILED" ? "failed" : "" }, `Run ${run.id}`);
  if (!run.startedAt) return el("section", {}, head, el("p", { class: "about" }, word));
  const [since, until] = [Date.parse(run.startedAt), run.endedAt ? Date.parse(run.endedAt) : Date.now()];
  const about = `${word}, ${new Date(since).toLocaleString()}, ${took(until - since)}`;
  const unfinished = run.status === "FAILED" || run.status === "CANCELLED";
  const buttons = el(
    "p",
    { class: "buttons" },
    unfinished ? el("button", { type: "button", onclick: () => replay(run, {}) }, "Go on where it stopped") : null,
    el("button", { type: "button", onclick: () => confirm("Run every step again? New questions to the model cost money.") && replay(run, { anew: true }) }, "Run anew"),
  );
  const rows = run.steps.map((step) => row(run, step, since, until, idle));
  const table = el("table", {}, el("caption", { class: "about" }, about), el("tbody", {}, ...rows));
  return el("section", { "aria-label": `Run ${run.id}` }, head, idle ? buttons : null, table, run.error && !run.steps.some((step) => step.error === run.error) ? el("p", { class: "failed" }, run.error) : null);
}

/** @param {Run} run @param {{from?: string, anew?: boolean}} options */
async function replay(run, options) {
  for (const button of Array.from(main.querySelectorAll("button"))) button.disabled = true;
  try {
    const said = await ask("POST", `${api}/replay`, { runId: run.id, ...options });
    status.textContent = `Run ${said.runId} has begun.`;
  } catch (error) {
    status.textContent = whatIs(error);
  }
  drawn = "";
  await draw();
}

/** @param {unknown} error */
function whatIs(error) {
  const { detail, hint } = problemOf(error);
  return [detail, hint].filter(Boolean).join(" ");
}

async function draw() {
  const { runs } = /** @type {{runs: Run[]}} */ (await ask("GET", `${api}/runs`));
  const idle = !runs.some((run) => run.status === "RUNNING");
  const text = JSON.stringify(runs);
  if (text !== drawn) main.replaceChildren(...runs.map((run) => section(run, idle)));
  drawn = text;
}

async function keepDrawing() {
  try {
    await draw();
    if (main.dataset.trouble) status.textContent = main.dataset.trouble = "";
  } catch (error) {
    status.textContent = main.dataset.trouble = whatIs(error);
  }
  setTimeout(keepDrawing, POLL_MS);
}

/** @type {HTMLAnchorElement} */ (document.getElementById("back")).href = pageOf(project, article);
/** @type {HTMLElement} */ (document.getElementById("title")).textContent = `Runs of ${article}`;
document.title = `Runs of ${article} – briefworks`;
keepDrawing();
