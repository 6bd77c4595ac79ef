/**
 * The loop behind `follow.js`: one way of hearing at a time, the best that works, and all rows through one gate.
 *
 * @typedef {import("./fold.js").StreamRow} StreamRow
 * @typedef {import("./follow.js").Link} Link
 * @typedef {import("./follow.js").Options} Options
 * @typedef {import("./wire.js").LinkError} LinkError
 */
import { ChannelLost, Hearing } from "./channel.js";
import { Refused, sseParser, tell } from "./wire.js";

export const TIMING = {
  quietMs: 45_000, // three heartbeats missed: the connection is dead
  firstMs: 10_000, // the first message comes at once, unless something between us keeps it back
  pollMs: 2_000,
  fullMs: 5_000, // no place among the watchers: poll that long, if the answer does not say
  sseAgainMs: 30_000, // a stream that brought nothing: likewise
  joinMs: 10_000, // a channel is joined by then, or it is left
  checkMs: 12_000, // so often the head is looked at: what a channel lost is there within 15 s
  channelAgainMs: 60_000, // a channel that was left is tried again
  waitsMs: [1_000, 2_000, 5_000, 10_000], // between attempts
};
const HEARTBEAT_MS = 15_000;
const AGAIN = new Error("read again, at once");

export class Follower {
  /** @type {Link} */ #link = { via: "none", since: Date.now() };
  /** @type {AbortController | undefined} of the request that is open */ #open;
  /** @type {(() => void) | undefined} ends the pause that is going on */ #wake;
  /** @type {ReturnType<typeof setTimeout> | undefined} ends a request that is silent */ #watch;
  #stopped = false;
  #runOver = false; // as far as rows were seen
  #over = false; // and all rows were
  #anew = true; // the next page is the first one
  #failures = 0; // since something was heard
  #sseAt = 0; // before then, poll
  #channelAt = 0; // before then, no channel
  /** @type {string | undefined} */ #instead;
  #heardAt = 0;

  /**
   * @param {Options} options
   * @param {{article?: string, seen?: number}} from without `seen`: from now on
   * @param {(rows: StreamRow[], anew: boolean) => boolean | void} hand says whether the run is over
   */
  constructor(options, { article, seen }, hand) {
    this.options = options;
    this.url = `${(options.url ?? "").replace(/\/+$/, "")}/api/projects/${encodeURIComponent(options.project)}/stream`;
    this.article = article;
    this.fromNow = seen === undefined;
    this.seen = seen ?? Number.MAX_SAFE_INTEGER; // beyond every head: the answer tells where now is
    this.hand = hand;
    this.timing = { ...TIMING, ...options.timing };
  }

  start() {
    const events = ["visibilitychange", "online"];
    for (const name of events) globalThis.addEventListener?.(name, this.#roused);
    tell(this.options.onLink, this.#link);
    void this.#run().finally(() => {
      for (const name of events) globalThis.removeEventListener?.(name, this.#roused);
    });
    return () => {
      this.#stopped = true;
      this.#open?.abort();
      this.#wake?.();
    };
  }

  /** Network or reader are back: wait no longer, and do not trust a connection that has missed a heartbeat. */
  #roused = (/** @type {Event} */ event) => {
    if (globalThis.document?.visibilityState === "hidden") return;
    this.#wake?.();
    const missed = Date.now() - this.#heardAt > HEARTBEAT_MS * 1.5;
    if (event.type === "online" || missed) this.#open?.abort(AGAIN);
  };

  async #run() {
    while (!this.#stopped) {
      const { channel } = this.options;
      const listening = Date.now() >= this.#sseAt;
      let pause = 0;
      try {
        if (channel && Date.now() >= this.#channelAt) await this.#hear(channel);
        else if (listening) await this.#listen();
        else if (!(await this.#poll("polling"))) pause = this.timing.pollMs;
      } catch (error) {
        if (!this.#stopped) pause = this.#failed(error, listening);
      } finally {
        clearTimeout(this.#watch);
        this.#open?.abort();
      }
      if (this.#over) this.#end();
      else if (pause) await this.#pause(pause);
    }
  }

  /** By a channel, with the app's pages for what it lacks. @param {import("./channel.js").OpenChannel} open */
  async #hear(open) {
    const reader = {
      seen: () => this.seen,
      over: () => this.#over || this.#stopped,
      read: async (/** @type {"realtime" | "polling" | undefined} */ via) => {
        while (await this.#poll(via));
      },
      take: (/** @type {Required<import("./channel.js").Batch>} */ { rows, to_seq: head }) => {
        const { article } = this;
        this.#take({ rows: article === undefined ? rows : rows.filter((row) => row.article_id === article), head, upto: head });
      },
    };
    const hearing = new Hearing(open, this.options.project, reader, this.timing);
    this.#wake = hearing.wake;
    await hearing.run();
  }

  /** One page; whether there is more. @param {Link["via"]} [via] what to say of how it came */
  async #poll(via) {
    const response = await this.#ask("application/json");
    this.#heard();
    const page = await response.json();
    const before = this.seen;
    if (via) this.#say(via);
    this.#take(page);
    return this.seen > before && page.upto < page.head;
  }

  /** Messages until the run is over; an error when they end before. */
  async #listen() {
    const response = await this.#ask("text/event-stream");
    const utf8 = new TextDecoder();
    let messages = 0;
    const parse = sseParser(({ event, id, data }) => {
      messages += 1;
      this.#say("sse");
      if (event === "rows") this.#take(JSON.parse(data));
      else if (!data && /^\d+$/.test(id)) this.#take({ rows: [], head: Number(id), upto: Number(id) });
    });
    const again = this.options.channel && setTimeout(() => this.#open?.abort(AGAIN), this.#channelAt - Date.now());
    try {
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      while (!this.#over) {
        const { done, value } = await reader.read();
        if (done) throw new Error("the connection ended");
        this.#heard();
        parse(utf8.decode(value, { stream: true }));
      }
    } finally {
      clearTimeout(again);
      if (!messages) this.#sseAt = Date.now() + this.timing.sseAgainMs;
    }
  }

  /** @param {string} type of the answer */
  async #ask(type) {
    this.#open = new AbortController();
    this.#heard(this.timing.firstMs);
    const { headers } = this.options;
    const article = this.article === undefined ? "" : `&article=${encodeURIComponent(this.article)}`;
    const response = await fetch(`${this.url}?after=${this.seen}${article}`, {
      headers: { ...(typeof headers === "function" ? await headers() : headers), Accept: type },
      cache: "no-store",
      signal: this.#open.signal,
    });
    if (!response.ok) throw await Refused.by(response);
    if (!response.headers.get("Content-Type")?.startsWith(type)) {
      this.#sseAt = Date.now() + this.timing.sseAgainMs;
      throw new Error(`the answer is not ${type}`);
    }
    this.#heard(this.timing.firstMs);
    return response;
  }

  /** The request lives; it is given up when the next sign of it takes longer than that. */
  #heard(ms = this.timing.quietMs) {
    clearTimeout(this.#watch);
    const open = this.#open;
    this.#heardAt = Date.now();
    this.#watch = setTimeout(() => open?.abort(new Error(`nothing was heard for ${ms / 1000} s`)), ms);
  }

  /** @param {import("./follow.js").Page} page */
  #take({ rows, head, upto }) {
    if (this.#stopped) return;
    if (head < this.seen) {
      this.seen = this.fromNow ? head : 0;
      this.#anew = true;
      throw AGAIN; // the app lost what it had
    }
    /** @type {StreamRow[]} */
    const fresh = [];
    for (const row of rows) if (row.seq > (fresh.at(-1)?.seq ?? this.seen)) fresh.push(row);
    if (this.#anew || fresh.length) this.#runOver = this.hand(fresh, this.#anew) === true;
    this.#anew = false;
    this.seen = Math.max(this.seen, upto);
    this.#over = this.#runOver && upto >= head;
    this.#failures = 0;
  }

  /** How long to wait after this error. @param {unknown} error @param {boolean} listening */
  #failed(error, listening) {
    if (error instanceof ChannelLost) {
      this.#channelAt = Date.now() + this.timing.channelAgainMs;
      this.#instead = `Realtime is not used: ${error.message}.`;
      return 0;
    }
    if (error === AGAIN || this.#open?.signal.reason === AGAIN) return 0;
    const refused = error instanceof Refused ? error : undefined;
    if (refused?.final) return this.#end(refused.link);
    if (refused?.link.status === 503 && listening) {
      this.#sseAt = Date.now() + (refused.retryMs || this.timing.fullMs);
      return 0;
    }
    const detail = `The app cannot be reached: ${error instanceof Error ? error.message : error}.`;
    this.#say("none", refused?.link ?? { status: 0, code: "unreachable", detail, hint: "" });
    const waits = this.timing.waitsMs;
    const wait = waits[Math.min(this.#failures, waits.length - 1)];
    this.#failures += 1;
    return Math.max(wait, refused?.retryMs ?? 0);
  }

  /** With jitter, so that not all who lost a server come back at once. @param {number} ms */
  async #pause(ms) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms * (0.75 + Math.random() / 2));
      this.#wake = () => resolve(clearTimeout(timer));
    });
  }

  /** @param {LinkError} [error] */
  #end(error) {
    this.#say("none", error, true);
    this.#stopped = true;
    return 0;
  }

  /** @param {Link["via"]} via @param {LinkError} [error] @param {true} [ended] */
  #say(via, error, ended) {
    const link = this.#link;
    const instead = via === "sse" || via === "polling" ? this.#instead : undefined;
    const same =
      via === link.via && error?.code === link.error?.code && ended === link.ended && instead === link.instead;
    if (same || this.#stopped) return;
    this.#link = { via, since: Date.now(), ...(error && { error }), ...(ended && { ended }), ...(instead && { instead }) };
    tell(this.options.onLink, this.#link);
  }
}
