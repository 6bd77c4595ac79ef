/** Follows for the tests: the options are one JSON argument, each call of a callback one line of JSON out.
 *  `cutEvery` bytes the answers are cut; at `seq` `stopAt` a callback stops the following. With `channel` there is
 *  one, on which is heard what a line of JSON on stdin says: a word, a batch, or `{error}`. */
import { createInterface } from "node:readline";
import { followArticle, followProject } from "../briefworks/static/follow.js";

const options = JSON.parse(process.argv[2]);
const say = (what) => console.log(JSON.stringify(what));
const window = new EventTarget(); // what a browser has and Node has not
globalThis.addEventListener = window.addEventListener.bind(window);
globalThis.removeEventListener = window.removeEventListener.bind(window);

const { cutEvery, stopAt } = options;
if (cutEvery) {
  const { fetch } = globalThis;
  globalThis.fetch = async (...asked) => {
    const response = await fetch(...asked);
    const cut = new TransformStream({
      transform(bytes, out) {
        for (let from = 0; from < bytes.length; from += cutEvery) out.enqueue(bytes.slice(from, from + cutEvery));
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
}

let hear = () => {};
const channel = (project, heard) => {
  say({ channel: "opened", project });
  hear = heard;
  return () => say({ channel: "closed" });
};
if (options.channel) options.channel = channel;

const onLink = (link) => say({ link });
const stop =
  options.article === undefined
    ? followProject({ ...options, onLink, onRows: (rows, anew) => say({ rows, anew }) })
    : followArticle({
        ...options,
        onLink,
        onState(state, rows) {
          say({ state, rows });
          if (state.seq === stopAt) stop();
        },
      });

createInterface({ input: process.stdin }).on("line", (word) => {
  if (word === "stop") stop();
  else if (/^[{"]/.test(word)) {
    const what = JSON.parse(word);
    hear(what.error ? new Error(what.error) : what);
  }
  else window.dispatchEvent(new Event(word));
});
process.stdin.unref();
