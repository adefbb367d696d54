/** Messages as agents see them: with what the bot's answers are made of. */

import { el, link, safeAddress } from "/widget/dom.js";
import { markdown } from "/widget/markdown.js";
import { readableDate } from "/widget/message.js";
import { clock } from "./times.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Say} Say */

/**
 * @param {Message} message
 * @param {Record<string, string>} titles names of services by id
 * @param {Say} say
 */
export function messageNode(message, titles, say) {
  const { answer, author } = message;
  const text = author === "citizen" ? lines(message.text) : markdown(message.text, say("new-tab"));
  const isCard = answer !== null && (answer.kind === "service" || answer.kind === "office");
  return el(
    "li",
    { class: `message ${author}`, "data-seq": message.seq },
    el(
      "p",
      { class: "by" },
      el("span", { class: "author" }, say(`author.${author}`)),
      " ",
      el("time", { datetime: message.at }, clock(message.at)),
      author === "agent" && el("span", { class: "read" }),
    ),
    el(
      "div",
      { class: "said", lang: message.lang },
      isCard && answer.title && el("p", { class: "title" }, answer.title),
      el("div", { class: "text" }, ...text),
      message.choices.length > 0 && choices(message, say),
    ),
    answer && found(answer, message.lang, titles, say),
  );
}

/**
 * Something that the service has not confirmed yet.
 * @param {import("./types.js").Pending} pending
 * @param {Say} say
 */
export function pendingNode(pending, say) {
  const by = el("p", { class: "by" }, el("span", { class: "author" }, say("author.agent")), " ", el("span", {}, say("sending")));
  return el("li", { class: "message agent pending" }, by, el("div", { class: "text" }, ...markdown(pending.text, say("new-tab"))));
}

/** @param {string} text */
function lines(text) {
  return [el("p", {}, ...text.split("\n").flatMap((line, index) => (index ? [el("br"), line] : [line])))];
}

/**
 * @param {Message} message
 * @param {Say} say
 */
function choices(message, say) {
  const labels = message.choices.map((choice) => choice.label).join(" · ");
  return el("p", { class: "choices" }, `${say("answer.choices")}: ${labels}`);
}

/**
 * @param {Answer} answer
 * @param {string} language
 * @param {Record<string, string>} titles
 * @param {Say} say
 */
function found(answer, language, titles, say) {
  if (answer.kind === "smalltalk") return null;
  const candidates = answer.candidates.map((id) => titles[id] ?? id);
  const score = answer.score === null ? "" : answer.score.toLocaleString("de-DE", { style: "percent" });
  const address = safeAddress(answer.source_url);
  /** @type {[string, Node | string][]} */
  const facts = [
    ["kind", say(`answer.kind.${answer.kind}`)],
    ["aspect", answer.aspect ? say(`aspect.${answer.aspect}`) : ""],
    ["score", score],
    ["candidates", candidates.join(", ")],
    ["source", address ? link(address, new URL(address).hostname, say("new-tab")) : ""],
    ["as-of", answer.as_of ? readableDate(answer.as_of, language) : ""],
  ];
  const entries = facts.filter(([, value]) => value !== "");
  return el(
    "details",
    { class: "found-by-bot" },
    el("summary", {}, say("answer.found")),
    el("dl", { class: "facts" }, ...entries.flatMap(([key, value]) => [el("dt", {}, say(`answer.${key}`)), el("dd", {}, value)])),
  );
}
