/**
 * The app's HTTP as the page uses it: JSON in, JSON out, problem documents as one error.
 */
import { authorization } from "./supabase.js";
import { Refused } from "./wire.js";

/** What to tell a person. @typedef {{status: number, code: string, detail: string, hint: string, field: string}} Problem */

class Failed extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>} null for an answer without a body
 */
export async function ask(method, path, body) {
  const kinds = { Accept: "application/json", ...(body !== undefined && { "Content-Type": "application/json" }) };
  let response;
  try {
    const headers = { ...kinds, ...(await authorization()) };
    response = await fetch(path, { method, headers, body: JSON.stringify(body), cache: "no-store" });
  } catch (error) {
    throw new Failed({
      status: 0,
      code: "unreachable",
      detail: error instanceof TypeError ? "The app cannot be reached." : String(/** @type {Error} */ (error).message),
      hint: "Check that it runs and that you are online, then try again.",
      field: "",
    });
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const field = await response
    .clone()
    .json()
    .then((/** @type {any} */ said) => String(said.field ?? ""))
    .catch(() => "");
  throw new Failed({ ...(await Refused.by(response)).link, field });
}

/** @param {unknown} error @returns {Problem} */
export function problemOf(error) {
  if (error instanceof Failed) return error.problem;
  return { status: 0, code: "internal", detail: "Something unexpected went wrong.", hint: String(error), field: "" };
}

/** @param {string} project @param {string} [article] the addresses of the pages */
export const pageOf = (project, article) =>
  `/projects/${encodeURIComponent(project)}${article === undefined ? "" : `/articles/${encodeURIComponent(article)}`}`;

/** @param {string} project @param {string} [article] and of what they show */
export const apiOf = (project, article) =>
  `/api/projects/${encodeURIComponent(project)}/articles${article === undefined ? "" : `/${encodeURIComponent(article)}`}`;

/** An article's id, made before it is asked for, so that asking again asks once. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Date.now().toString(36) + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const PROJECT = "briefworks.project";

/** The project chosen last. */
export function remembered() {
  try {
    return localStorage.getItem(PROJECT) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} project */
export function remember(project) {
  try {
    localStorage.setItem(PROJECT, project);
  } catch {
    // a browser that stores nothing: then it is chosen again
  }
}
