/** A question before something that cannot be taken back; the harmless answer has the focus, Esc gives it. */
import { el, say } from "./dom.js";

/**
 * @typedef {{title: string, text: string, no: string, yes: string}} Question
 * @param {string} id of its title, one for each dialog of a page
 */
export function confirmation(id) {
  let confirmed = () => {};
  const [title, text] = [el("h2", { id }), el("p")];
  const root = el("dialog", { "aria-labelledby": id });
  const no = el("button", { class: "quiet", autofocus: true, onclick: () => root.close() });
  const yes = el("button", {
    class: "danger",
    onclick: () => {
      root.close();
      confirmed();
    },
  });
  root.append(title, text, el("div", { class: "choices" }, no, yes));
  /** @param {Question} question @param {() => void} then */
  const ask = (question, then) => {
    confirmed = then;
    say(title, question.title);
    say(text, question.text);
    say(no, question.no);
    say(yes, question.yes);
    root.showModal();
  };
  return { root, ask, close: () => root.open && root.close() };
}

/** @param {string} name of the article @param {boolean} open whether a run of it is alive @returns {Question} */
export const deletion = (name, open) => ({
  title: `Delete “${name}”?`,
  text: `${open ? "Its run stops at once. " : ""}Its text, its sources and what the model answered are erased for good.`,
  no: "Keep it",
  yes: "Delete it",
});
