/**
 * The page's Supabase: who has signed in, and the channel by which a project is heard of. There where the app has
 * one, and says so in the page's head; its script comes from a CDN, and only what signs in or listens waits for it.
 *
 * @typedef {{url: string, key: string, script: string, integrity: string}} Said
 */
import { channelOf } from "./realtime.js";

const KEPT = "briefworks-supabase"; // where supabase-js keeps the session, in this browser's localStorage
const LOAD_MS = 10_000;
const LEAVE_MS = 3_000;
const SOON_S = 30; // a token that ends within this is not used without supabase-js, which would refresh it

/** @type {Said | null} */
const said = JSON.parse(document.querySelector('meta[name="briefworks-supabase"]')?.getAttribute("content") || "null");
/** @type {Promise<any> | undefined} */ let loading;

let leaving = false; // signing out: then the page goes elsewhere by itself

export const configured = said !== null;

/** The client; an error that says what could not be loaded. @returns {Promise<any>} */
export function client() {
  loading ??= load().catch((error) => {
    loading = undefined; // the next one tries again
    throw error;
  });
  return loading;
}

async function load() {
  const { url, key, script: src, integrity } = /** @type {Said} */ (said);
  const script = Object.assign(document.createElement("script"), { src, integrity, crossOrigin: "anonymous" });
  await new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`supabase-js could not be loaded from ${new URL(src).host}`));
    setTimeout(failed, LOAD_MS);
    script.onload = resolve;
    script.onerror = failed;
    document.head.append(script);
  }).finally(() => script.remove());
  const auth = { storageKey: KEPT, detectSessionInUrl: false };
  const made = /** @type {any} */ (globalThis).supabase.createClient(url, key, { auth });
  made.auth.onAuthStateChange((/** @type {string} */ event) => {
    if (event === "SIGNED_OUT" && !leaving) location.reload(); // in another tab, or the session is void
  });
  return made;
}

/** The session as it was kept, whatever else may be there. @returns {{access_token: string, expires_at: number, user?: {email?: string}} | null} */
function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    return typeof found?.access_token === "string" ? found : null;
  } catch {
    return null;
  }
}

/** Whether somebody has signed in by e-mail here. */
export const signedIn = () => configured && kept() !== null;

/** Who, for people. */
export const whoIs = () => kept()?.user?.email ?? "";

/** What each request to the app carries: nothing where nobody has signed in. @returns {Promise<Record<string, string>>} */
export async function authorization() {
  const session = configured ? kept() : null;
  const left = session ? session.expires_at - Date.now() / 1000 : 0;
  const token = session && left > SOON_S ? session.access_token : session && (await renewed(left > 0 ? session.access_token : ""));
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** A fresh token; "" if the session is void. @param {string} old what there is if nothing better is to be had */
async function renewed(old) {
  const made = await client().catch(() => null);
  if (!made) return old;
  const { data, error } = await made.auth.getSession();
  if (data.session) return data.session.access_token;
  if (error?.name === "AuthRetryableFetchError") throw new Error(AWAY);
  return "";
}

const AWAY = "Supabase does not answer. Check that you are online, then try again.";
/** @type {Record<string, string>} */
const WRONG = {
  invalid_credentials: "The e-mail address or the password is wrong.",
  email_not_confirmed: "This address is not confirmed yet: follow the link in the e-mail that was sent to it.",
  over_request_rate_limit: "Too many tries. Wait a minute, then try again.",
  user_banned: "This account may not sign in.",
};

/** An error says what a person can do about it. @param {string} email @param {string} password */
export async function signIn(email, password) {
  const { error } = await (await client()).auth.signInWithPassword({ email, password });
  if (error?.name === "AuthRetryableFetchError") throw new Error(AWAY);
  if (error) throw new Error(WRONG[error.code] ?? `Supabase does not sign you in: ${error.message}.`);
}

/** Void here at once; at Supabase as well, if it answers soon. */
export async function signOut() {
  leaving = true;
  const late = new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
  if (signedIn()) await Promise.race([late, client().then((made) => made.auth.signOut({ scope: "local" })).catch(() => null)]);
  localStorage.removeItem(KEPT);
}

/** The channel to follow by, for whoever has signed in. */
export const channel = () => (signedIn() ? byRealtime : undefined);
const byRealtime = channelOf(client);

/** A link to a download carries no token: then it is asked for here, and saved. @param {MouseEvent} event */
export function saveSigned(event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link?.hasAttribute("download") || link.protocol === "blob:" || !signedIn()) return;
  event.preventDefault();
  void save(link.href);
}

/** @param {string} href */
async function save(href) {
  const answer = await fetch(href, { headers: await authorization(), cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return location.assign(href); // which says why
  const name = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "article";
  const url = URL.createObjectURL(await answer.blob());
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
