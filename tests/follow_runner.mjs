/** Follows for the tests: the options are one JSON argument, each call of a callback one line of JSON out. */
import { createInterface } from "node:readline";
import { followArticle, followProject } from "../briefworks/static/follow.js";

const options = JSON.parse(process.argv[2]);
const say = (what) => console.log(JSON.stringify(what));
const window = new EventTarget(); // what a browser has and Node has not
globalThis.addEventListener = window.addEventListener.bind(window);
globalThis.removeEventListener = window.removeEventListener.bind(window);

const onLink = (link) => say({ link });
const stop =
  options.article === undefined
    ? followProject({ ...options, onLink, onRows: (rows, anew) => say({ rows, anew }) })
    : followArticle({ ...options, onLink, onState: (state, rows) => say({ state, rows }) });

createInterface({ input: process.stdin }).on("line", (word) => {
  if (word === "stop") stop();
  else window.dispatchEvent(new Event(word));
});
process.stdin.unref();
