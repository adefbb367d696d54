/** Messages as nodes: plain text, choices, the card of an answer. */

import { button, el, icon, link, safeAddress } from "./dom.js";
import { markdown } from "./markdown.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Answer} Answer */
/**
 * @typedef {object} Context
 * @property {import("./texts.js").Texts} texts
 * @property {(choice: import("./types.js").Choice) => void} choose
 * @property {(seq: number, rating: "up" | "down") => Promise<void>} rate
 * @property {() => void} callBack
 * @property {(message: Message) => void} print
 * @property {(message: Message) => void} save
 */

const THUMB = "M7 11v9H3v-9zM7 11l4-8c2 0 3 1 3 3l-1 4h6c1.5 0 2 1 2 2l-2 7c0 1-1 1-2 1H7";
const PRIMARY = ["online", "appointment"];
const CARDS = ["service", "office"];

/**
 * @param {Message} message
 * @param {Context} context
 * @returns {HTMLLIElement}
 */
export function messageNode(message, context) {
  const { answer, author } = message;
  const card = answer !== null && CARDS.includes(answer.kind);
  const kind = ["message", author, card && "card", answer?.kind === "emergency" && "emergency"].filter(Boolean).join(" ");
  return el(
    "li",
    { class: kind, "data-seq": message.seq },
    authorLine(author, context.texts),
    el("div", { class: "said", lang: message.lang }, ...content(message, card, context)),
    card && footer(message, answer, context),
  );
}

/**
 * An utterance that has no answer yet.
 * @param {import("./types.js").Pending} pending
 * @param {import("./texts.js").Texts} texts
 */
export function pendingNode(pending, texts) {
  const text = el("div", { class: "said" }, el("p", {}, pending.label));
  return el("li", { class: "message citizen" }, authorLine("citizen", texts), text);
}

/**
 * Write who says an agent's message.
 * @param {HTMLElement} node the message
 * @param {string | undefined} name
 * @param {boolean} seen whether it is the first that the agent says in one go
 * @param {import("./texts.js").Texts} texts
 */
export function nameAgent(node, name, seen, texts) {
  const line = node.querySelector(".author");
  if (!line) return;
  line.textContent = agentLabel(name, texts);
  line.classList.toggle("hidden", !seen);
}

/**
 * @param {string | undefined} name
 * @param {import("./texts.js").Texts} texts
 */
function agentLabel(name, texts) {
  return name ? texts.get("author.agent.named", { name }) : texts.get("author.agent");
}

/**
 * What a screen reader says of a new message.
 * @param {Message} message
 * @param {import("./types.js").Agent | null} agent who is there
 * @param {import("./texts.js").Texts} texts
 * @returns {string}
 */
export function spoken(message, agent, texts) {
  const text = markdown(message.text, "").map((node) => [...node.childNodes].map((part) => part.textContent).join(" "));
  const title = message.answer && CARDS.includes(message.answer.kind) ? message.answer.title : null;
  const choices = isQuestion(message) ? message.choices.map((choice, index) => `${index + 1}. ${choice.label}`) : [];
  const offered = choices.length ? [texts.get("choices"), ...choices] : [];
  const author = message.author === "agent" ? agentLabel(agent?.name, texts) : texts.get(`author.${message.author}`);
  return [author, title, ...text, ...offered].filter(Boolean).join(": ").replace(/([.?!]):/g, "$1");
}

/**
 * @param {Message["author"]} author
 * @param {import("./texts.js").Texts} texts
 */
function authorLine(author, texts) {
  return el("p", { class: author === "agent" ? "author" : "author hidden" }, texts.get(`author.${author}`));
}

/**
 * @param {Message} message
 * @param {boolean} card
 * @param {Context} context
 */
function content(message, card, context) {
  const { answer, author } = message;
  const newTab = context.texts.get("new_tab");
  const text = author === "citizen" ? lines(message.text) : markdown(message.text, newTab);
  return [
    card && answer?.title && el("h3", {}, answer.title),
    el("div", { class: "text" }, ...text),
    message.choices.length > 0 && choices(message, card, context),
    answer && actions(answer, newTab),
    answer?.kind === "handover" && button(context.texts.get("callback"), context.callBack, { class: "choice call-back" }),
    card && answer?.office && officeLine(answer.office),
  ];
}

/** @param {string} text */
function lines(text) {
  return [el("p", {}, ...text.split("\n").flatMap((line, index) => (index ? [el("br"), line] : [line])))];
}

/** @param {Message} message */
const isQuestion = (message) => message.expects === "choice" || message.expects === "yes_no";

/**
 * @param {Message} message
 * @param {boolean} card
 * @param {Context} context
 */
function choices(message, card, { texts, choose }) {
  const numbered = message.expects === "choice";
  const more = card && !isQuestion(message);
  const entries = message.choices.map((choice, index) => {
    const number = numbered && el("span", { class: "number" }, `${index + 1}.`);
    const entry = button(number || choice.label, () => choose(choice), { class: "choice" });
    if (number) entry.append(" ", el("span", {}, choice.label));
    return el("li", {}, entry);
  });
  const label = more ? texts.get("more_about", { title: message.answer?.title ?? "" }) : texts.get("choices");
  const list = el("ul", { class: more ? "more" : numbered ? "choices" : "choices row", "aria-label": label }, ...entries);
  if (!more) return list;
  return el("div", { class: "more-row" }, el("span", { class: "more-label", "aria-hidden": "true" }, texts.get("more")), list);
}

/**
 * @param {Answer} answer
 * @param {string} newTab
 */
function actions(answer, newTab) {
  const usable = answer.actions.filter((action) => safeAddress(action.url));
  const first = answer.kind === "emergency" ? usable[0] : usable.find((action) => PRIMARY.includes(action.kind));
  const others = usable.filter((action) => action !== first);
  if (!usable.length) return null;
  return el(
    "div",
    { class: "actions" },
    first && link(first.url, first.label, newTab, { class: "primary" }),
    ...others.map((action) => link(action.url, action.label, newTab, { class: "action" })),
  );
}

/** @param {import("./types.js").Office} office */
function officeLine({ name, phone, hours_today: hours }) {
  return el(
    "p",
    { class: "office" },
    el("strong", {}, name),
    hours && el("span", { class: "hours" }, hours),
    phone && phoneLink(phone),
  );
}

/**
 * A sentence in which a number can be called.
 * @param {string} text
 * @param {string} phone
 */
export function withPhone(text, phone) {
  const [before = "", ...after] = text.split(phone);
  if (!after.length) return [text, " ", phoneLink(phone)];
  return [before, phoneLink(phone), after.join(phone)];
}

/** @param {string} phone */
export function phoneLink(phone) {
  return el("a", { href: `tel:${phone.replace(/[^+\d]/g, "")}`, class: "phone" }, phone);
}

/**
 * @param {Message} message
 * @param {Answer} answer
 * @param {Context} context
 */
function footer(message, answer, context) {
  const { texts } = context;
  return el(
    "div",
    { class: "footer" },
    el("p", { class: "source" }, ...source(answer, message.lang, texts)),
    rating(message.seq, context),
    el(
      "p",
      { class: "paper" },
      button(texts.get("answer.save"), () => context.save(message), { class: "plain" }),
      button(texts.get("answer.print"), () => context.print(message), { class: "plain" }),
    ),
  );
}

/**
 * @param {Answer} answer
 * @param {string} language
 * @param {import("./texts.js").Texts} texts
 */
function source(answer, language, texts) {
  const address = safeAddress(answer.source_url);
  const host = address && new URL(address).hostname.replace(/^www\./, "");
  return [
    address && el("span", {}, `${texts.get("source")}: `, link(address, host ?? "", texts.get("new_tab"))),
    answer.as_of && el("span", {}, `${texts.get("as_of")}: ${readableDate(answer.as_of, language)}`),
  ];
}

/**
 * A date of the precision that is known: "29. Mai 2026", "Mai 2026" or "2026".
 * @param {string} partial ISO date, month or year
 * @param {string} language
 */
export function readableDate(partial, language) {
  const [year = 0, month = 0, day = 0] = partial.split("-").map(Number);
  if (!month) return partial;
  const format = new Intl.DateTimeFormat(language, { year: "numeric", month: "long", day: day ? "numeric" : undefined });
  return format.format(new Date(year, month - 1, day || 1));
}

/**
 * @param {number} seq
 * @param {Context} context
 */
function rating(seq, { texts, rate }) {
  const done = el("span", { role: "status" });
  const entries = /** @type {("up" | "down")[]} */ (["up", "down"]).map((value) => {
    const entry = button(icon(THUMB), () => choose(value), { class: `thumb ${value}`, "aria-pressed": "false" });
    entry.append(texts.get(`rate.${value}`));
    return entry;
  });
  /** @param {"up" | "down"} value */
  async function choose(value) {
    try {
      await rate(seq, value);
      for (const entry of entries) entry.setAttribute("aria-pressed", String(entry.classList.contains(value)));
      done.textContent = texts.get("rate.thanks");
    } catch {
      done.textContent = texts.get("rate.failed");
    }
  }
  const id = `rate-${seq}`;
  return el(
    "div",
    { class: "rating", role: "group", "aria-labelledby": id },
    el("span", { id }, texts.get("rate.question")),
    ...entries,
    done,
  );
}
