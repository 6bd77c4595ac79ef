/**
 * Hears of rows by a channel that may lose, double or withhold messages, as Supabase's Realtime may: what it brings in
 * order is taken, all else is read. The channel itself is opened by whoever has one (`supabase.js`).
 *
 * @typedef {{from_seq: number, to_seq: number, rows?: import("./fold.js").StreamRow[]}} Batch
 * @typedef {"joined" | "ready" | "lost" | Batch | Error} Heard "lost": it is not joined now, and joins again by
 *   itself; an error: it is closed for good
 * @typedef {(project: string, heard: (what: Heard) => void) => () => void} OpenChannel gives what closes it
 *
 * What the follower lends: the seq it has seen, whether it is done, how it reads all there is and takes a batch.
 * @typedef {{seen: () => number, over: () => boolean, read: (via?: "realtime" | "polling") => Promise<void>,
 *   take: (batch: Required<Batch>) => void}} Reader
 */

const FRUITLESS = 3; // channels in a row that closed and brought nothing

/** The channel is not to be had, or brings nothing: follow in another way. */
export class ChannelLost extends Error {}

/** Hears until the reader is done; `run` throws `ChannelLost` when it must follow in another way. */
export class Hearing {
  /** @type {(Heard | "read")[]} */ #inbox = [];
  #ring = () => {};
  #joined = false;
  #begun = false; // this channel was joined once
  #deadline = 0; // to join
  #checkAt = 0; // compare the head then: a lost last message leaves no gap
  #owed = 0; // a check found rows up to here that the channel had not brought
  #fruitless = 0;
  #close = () => {};

  /** @param {OpenChannel} open @param {string} project @param {Reader} reader @param {import("./follow.js").Timing} timing */
  constructor(open, project, reader, timing) {
    this.open = open;
    this.project = project;
    this.reader = reader;
    this.timing = timing;
  }

  /** Read now: network or reader are back. */
  wake = () => this.#put("read");

  async run() {
    const { reader } = this;
    await reader.read(); // whoever comes back waits for no channel
    try {
      if (!reader.over()) this.#anew();
      while (!reader.over()) {
        if (Date.now() >= this.#due) await this.#check();
        else await this.#handle(this.#inbox.shift() ?? (await this.#next()));
      }
    } finally {
      this.#close();
    }
  }

  get #due() {
    return this.#joined ? this.#checkAt : Math.min(this.#checkAt, this.#deadline);
  }

  #anew() {
    this.#close();
    this.#inbox = this.#inbox.filter((what) => what === "read");
    this.#begun = false;
    this.#unjoined();
    let current = true;
    const close = this.open(this.project, (what) => current && this.#put(what));
    this.#close = () => {
      current = false;
      close();
    };
  }

  #unjoined() {
    this.#joined = false;
    this.#deadline = Date.now() + this.timing.joinMs;
    this.#checkAt = Date.now() + this.timing.pollMs;
  }

  /** @param {Heard | "read"} what */
  #put(what) {
    if (what !== "read" || !this.#inbox.includes("read")) this.#inbox.push(what);
    this.#ring();
  }

  /** @returns {Promise<Heard | "read" | undefined>} nothing when a check is due */
  async #next() {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#due - Date.now());
      this.#ring = () => resolve(clearTimeout(timer));
    });
    return this.#inbox.shift();
  }

  /** @param {Heard | "read" | undefined} what */
  async #handle(what) {
    if (what === undefined || this.reader.over()) return;
    if (what === "joined") {
      this.#joined = this.#begun = true;
      this.#checkAt = Date.now() + this.timing.checkMs;
    }
    if (typeof what === "object") await this.#batch(what);
    else if (what === "lost") this.#unjoined();
    else await this.reader.read(this.#via);
  }

  get #via() {
    return this.#joined ? "realtime" : undefined;
  }

  /** @param {Batch | Error} what */
  async #batch(what) {
    if (what instanceof Error) {
      this.#fruitless += 1;
      if (!this.#begun || this.#fruitless >= FRUITLESS) throw new ChannelLost(what.message);
      return this.#anew();
    }
    const { from_seq: from, to_seq: to, rows } = what;
    const seen = this.reader.seen();
    if (to <= seen) return; // doubled, or read already
    this.#fruitless = 0;
    if (!(to < this.#owed)) this.#owed = 0;
    if (Array.isArray(rows) && from <= seen + 1) this.reader.take({ ...what, rows });
    else await this.reader.read(this.#via);
  }

  /** Compares the head with what came: rows that a joined channel never brought, twice, and it is given up. */
  async #check() {
    if (!this.#joined && Date.now() >= this.#deadline) throw new ChannelLost("it was not joined in time");
    const before = this.reader.seen();
    await this.reader.read(this.#joined ? "realtime" : "polling");
    const found = this.reader.seen();
    this.#checkAt = Date.now() + (this.#joined ? this.timing.checkMs : this.timing.pollMs);
    if (!this.#joined || found <= before) return;
    if (this.#owed) throw new ChannelLost("it brings nothing");
    this.#owed = found;
  }
}
