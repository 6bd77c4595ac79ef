/**
 * What `follow.js` stands on: how the app's answers are read (server-sent events, problem documents).
 *
 * @typedef {{status: number, code: string, detail: string, hint: string}} LinkError `status` 0: there was no answer
 */

/** An answer with another status than 200; what its problem document says. */
export class Refused extends Error {
  /** @param {Response} response @param {Partial<LinkError>} problem */
  constructor({ status, headers }, { code = `http-${status}`, detail = `The app answered ${status}.`, hint = "" }) {
    super(detail);
    this.link = { status, code, detail, hint };
    this.final = status >= 400 && status < 500 && ![408, 425, 429].includes(status);
    this.retryMs = 1000 * Math.min(Number(headers.get("Retry-After")) || 0, 300);
  }

  /** @param {Response} response */
  static async by(response) {
    const said = /json/.test(response.headers.get("Content-Type") ?? "");
    return new Refused(response, (said && (await response.json().catch(() => null))) || {});
  }
}

/**
 * Reads the lines of server-sent events, however they are cut.
 * @param {(message: {event: string, id: string, data: string}) => void} onMessage
 * @returns {(text: string) => void}
 */
export function sseParser(onMessage) {
  let line = "";
  let returned = false; // the text so far ends with \r; a \n after it is the same line's end
  let message = { event: "", id: "", data: "" };
  const endLine = () => {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? ["", "", ""];
    if (!line) {
      const { data } = message;
      if (data || message.id) onMessage({ ...message, data: data.slice(0, -1) });
      message = { event: "", id: "", data: "" };
    } else if (name === "data") message.data += `${value}\n`;
    else if (name === "event" || name === "id") message[name] = value;
    line = "";
  };
  return (text) => {
    const rest = returned && text.startsWith("\n") ? text.slice(1) : text;
    if (text) returned = text.endsWith("\r");
    const [first, ...more] = rest.split(/\r\n|\n|\r/);
    line += first;
    for (const next of more) {
      endLine();
      line = next;
    }
  };
}

/**
 * A callback's error is its owner's, not the connection's.
 * @template {unknown[]} A
 * @param {((...args: A) => void) | undefined} callback
 * @param {A} args
 */
export function tell(callback, ...args) {
  try {
    callback?.(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
