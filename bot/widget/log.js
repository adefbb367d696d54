/** What was said, in order: messages, what is on its way, who is writing. It scrolls, or on a short screen all does. */

import { button, el } from "./dom.js";
import { messageNode, nameAgent, pendingNode } from "./message.js";

/** @typedef {import("./types.js").Message} Message */

const TYPING_AFTER_MS = 400;
const NEAR_END = 48;
const MARGIN = 8;

export class Log {
  element = el("div", { class: "log", role: "log", tabindex: 0, "aria-live": "off" });
  newer = button(null, () => this.showNewest(), { class: "newer", hidden: true });
  #list = el("ol", { class: "messages" });
  #typing = el("p", { class: "typing", hidden: true });
  #offer = el("div", { class: "offered" });
  #context;
  #room;
  /** @type {Map<number, HTMLLIElement>} */
  #nodes = new Map();
  /** Who wrote the agents' messages, as far as it is known. @type {Map<number, string>} */
  #names = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingTimer;
  #height = 0;
  #wasAtEnd = false;

  /**
   * @param {import("./message.js").Context} context
   * @param {() => HTMLElement | null} room what scrolls instead of the log, where something does
   */
  constructor(context, room) {
    this.#context = context;
    this.#room = room;
    this.element.append(this.#list, this.#typing, this.#offer);
    this.element.addEventListener("scroll", () => {
      if (this.element.clientHeight === this.#height) this.#wasAtEnd = this.atEnd;
      if (this.atEnd) this.newer.hidden = true;
    });
    new ResizeObserver(() => this.#resized()).observe(this.element);
  }

  /** Write the labels, once the texts are known. */
  label() {
    const { get } = this.#context.texts;
    this.element.setAttribute("aria-label", get("log"));
    this.newer.textContent = get("newer");
  }

  /**
   * @param {Message[]} messages in order
   * @param {import("./types.js").Pending[]} pending
   */
  render(messages, pending) {
    if (!messages.length) this.clear();
    for (const node of this.#list.querySelectorAll(".pending")) node.remove();
    this.#insert(messages);
    for (const utterance of pending) {
      const node = pendingNode(utterance, this.#context.texts);
      node.classList.add("pending");
      this.#list.append(node);
    }
  }

  clear() {
    this.#nodes.clear();
    this.#names.clear();
    this.#list.replaceChildren();
    this.offer(null);
  }

  /**
   * Write the agents' names, each once before what they say in one go.
   * @param {Message[]} messages in order
   * @param {import("./types.js").Agent | null} agent who is there now
   */
  nameAgents(messages, agent) {
    const told = agent ? messages.findLastIndex(({ author, text }) => author === "system" && text.includes(agent.name)) : -1;
    messages.forEach(({ seq, author }, index) => {
      const node = this.#nodes.get(seq);
      if (author !== "agent" || !node) return;
      if (agent && told >= 0 && index > told) this.#names.set(seq, agent.name);
      nameAgent(node, this.#names.get(seq), messages[index - 1]?.author !== "agent", this.#context.texts);
    });
  }

  /**
   * Something that is no message, until the next one comes.
   * @param {HTMLElement | null} node
   */
  offer(node) {
    this.#offer.replaceChildren(...(node ? [node] : []));
    if (node) this.showNewest();
  }

  /** @param {string} text empty while nobody is writing */
  showTyping(text) {
    if (text && this.#typing.textContent === text) return;
    clearTimeout(this.#typingTimer);
    this.#typing.textContent = text;
    this.#typing.hidden = true;
    if (!text) return;
    this.#typingTimer = setTimeout(() => {
      const { atEnd } = this;
      this.#typing.hidden = false;
      if (atEnd) this.#typing.scrollIntoView({ block: "nearest" });
    }, TYPING_AFTER_MS);
  }

  get atEnd() {
    if (this.#room()) return true;
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  /** Show the newest exchange from its beginning: a long answer is read from its top. */
  showNewest() {
    const start = [...this.element.querySelectorAll(".citizen, .agent, .system, .offer")].at(-1);
    const room = this.#room() ?? this.element;
    if (!start) room.scrollTop = 0;
    else room.scrollTop += start.getBoundingClientRect().top - room.getBoundingClientRect().top - MARGIN;
    this.newer.hidden = true;
    this.#wasAtEnd = this.atEnd;
  }

  /** Where what is below takes more room than before, the newest message must not vanish behind it. */
  #resized() {
    this.#height = this.element.clientHeight;
    if (this.#wasAtEnd && !this.#room()) this.element.scrollTop = this.element.scrollHeight;
  }

  /** @param {Message[]} messages in order */
  #insert(messages) {
    /** @type {Element | null} */
    let next = null;
    for (const message of [...messages].reverse()) {
      let node = this.#nodes.get(message.seq);
      if (!node) {
        node = messageNode(message, this.#context);
        this.#nodes.set(message.seq, node);
        this.#list.insertBefore(node, next);
      }
      next = node;
    }
  }
}
