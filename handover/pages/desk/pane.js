/** One conversation in the middle of the page: head, messages, message field. */

import { button, el } from "/widget/dom.js";
import { Composer } from "./composer.js";
import { channelMark, hereOf, sinceOf, topicOf } from "./lists.js";
import { messageNode, pendingNode } from "./message.js";
import { fill, put } from "./nodes.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */
/**
 * @typedef {object} Acts
 * @property {import("./types.js").Say} say
 * @property {number} limit characters of a message
 * @property {(conversation: Conversation) => number} numberOf
 * @property {() => string} extension where calls are put through to
 * @property {() => void} openReplies
 * @property {(pane: Pane) => void} transfer
 * @property {(pane: Pane) => void} finish
 * @property {(pane: Pane) => void} close
 * @property {(pane: Pane) => void} activate
 */

const AT_END_PX = 40;

export class Pane {
  element;
  conversation;
  composer;
  #acts;
  #number = 0;
  #life = new AbortController();
  #title = el("span");
  #numeral = el("span", { class: "number" });
  #heading = el("h2", { tabindex: "-1" }, this.#numeral, " ", this.#title);
  #channel = el("span");
  #facts = el("span");
  #here = el("span", { class: "here" });
  #list = el("ol");
  #log;
  #newer;
  /** The newest message is in view, and stays there whatever changes around it. */
  #atEnd = true;
  #resizing = new ResizeObserver(() => this.#atEnd && this.#toEnd());
  #banner = el("p", { class: "notice", role: "status" });
  #transfer;
  #finish;
  #close;

  /**
   * @param {Conversation} conversation
   * @param {Acts} acts
   */
  constructor(conversation, acts) {
    const { say } = acts;
    this.conversation = conversation;
    this.#acts = acts;
    this.composer = new Composer(conversation, {
      say,
      limit: acts.limit,
      openReplies: () => {
        acts.activate(this);
        acts.openReplies();
      },
    });
    this.#transfer = button(say("transfer"), () => acts.transfer(this), { class: "small", "aria-haspopup": "dialog" });
    this.#finish = button(say("finish"), () => acts.finish(this), { class: "small", "aria-haspopup": "dialog", "aria-keyshortcuts": "Alt+B" });
    this.#close = button(say("close"), () => acts.close(this), { class: "small" });
    this.#log = el("div", { class: "messages", role: "group", "aria-label": say("messages"), tabindex: "0", onscroll: () => this.#scrolled() }, this.#list);
    this.#newer = button(say("newer"), () => this.#toEnd(), { class: "small newer" });
    this.element = el(
      "section",
      { class: "pane", onfocusin: () => acts.activate(this), onpointerdown: () => acts.activate(this) },
      el(
        "header",
        { class: "pane-head" },
        el("div", { class: "pane-title" }, this.#heading, el("p", { class: "pane-facts" }, this.#channel, " ", this.#facts, " ", this.#here)),
        el("div", { class: "row-acts" }, this.#transfer, this.#finish, this.#close),
      ),
      this.#log,
      this.#newer,
      this.#banner,
      this.composer.element,
    );
    this.#newer.hidden = true;
    this.#resizing.observe(this.#log);
    const options = { signal: this.#life.signal };
    conversation.addEventListener("change", (event) => this.#changed(/** @type {CustomEvent} */ (event).detail.added), options);
    conversation.addEventListener("status", () => this.show(), options);
    conversation.addEventListener("returned", (event) => this.#returned(/** @type {CustomEvent} */ (event).detail), options);
  }

  get topic() {
    return topicOf(this.conversation, this.#acts.say);
  }

  get number() {
    this.#number = this.#acts.numberOf(this.conversation) || this.#number;
    return this.#number;
  }

  /** The pane is on the page now. */
  placed() {
    this.show();
    this.#showMessages();
    this.composer.grow();
    this.#toEnd();
  }

  dispose() {
    this.#life.abort();
    this.#resizing.disconnect();
    this.element.remove();
  }

  /** @param {string} text */
  insert(text) {
    this.composer.insert(text);
  }

  /** Go to where the agent writes, or else to the head. */
  focus() {
    if (this.composer.element.hidden) this.#heading.focus();
    else this.composer.field.focus();
  }

  /** Show everything but the messages. */
  show() {
    const { conversation } = this;
    const { say } = this.#acts;
    const { details, entry, mine } = conversation;
    const channel = entry?.channel ?? details?.channel;
    put(this.#title, this.topic);
    put(this.#numeral, mine ? String(this.number) : "");
    this.element.setAttribute("aria-label", say("pane", { number: this.number, topic: this.topic }));
    if (channel) channelMark(this.#channel, channel, say);
    put(this.#facts, [entry?.department.name ?? details?.department.name ?? "", sinceOf(conversation, say)].join(", "));
    put(this.#here, mine ? hereOf(conversation, say) : "");
    const calls = channel === "phone";
    const banner = mine ? (calls ? say("phone.through", { extension: this.#acts.extension() }) : "") : say("lost");
    put(this.#banner, banner);
    this.#banner.hidden = !banner;
    this.#transfer.hidden = this.#finish.hidden = !mine;
    this.#close.hidden = mine;
    // What was written stays readable after the conversation has gone.
    this.composer.element.hidden = calls || (!mine && !conversation.draft);
    this.composer.element.classList.toggle("lost", !mine);
    this.composer.field.readOnly = !mine;
    this.#showRead();
  }

  /** The agent looks at the page: what is in view counts as read. */
  look() {
    if (document.hidden || !this.element.checkVisibility() || !this.#showsEnd) return;
    this.#newer.hidden = true;
    this.conversation.seen();
  }

  /** @param {import("./types.js").Message[]} added */
  #changed(added) {
    this.#showMessages();
    const own = this.conversation.pending.length > 0 || added.some((message) => message.author === "agent");
    if (this.#atEnd || own) this.#toEnd();
    else if (added.length > 0) this.#newer.hidden = false;
    this.look();
  }

  /** @param {{text: string, reason: string}} detail */
  #returned({ text, reason }) {
    this.composer.giveBack(text, reason);
    this.show();
  }

  #showMessages() {
    const { messages, pending, details } = this.conversation;
    const { say } = this.#acts;
    const titles = details?.titles ?? {};
    /** @type {{key: string, node: () => HTMLLIElement}[]} */
    const entries = [
      ...messages.map((message) => ({ key: `${message.seq}`, node: () => messageNode(message, titles, say) })),
      ...pending.map((one) => ({ key: one.id, node: () => pendingNode(one, say) })),
    ];
    fill(this.#list, entries, ({ key }) => key, ({ node }) => node());
    this.#showRead();
  }

  /** Mark the last message of ours that the citizen has seen. */
  #showRead() {
    const { citizenRead } = this.conversation;
    const marks = [...this.#list.querySelectorAll(".agent[data-seq]")];
    const last = marks.findLast((node) => Number(node.getAttribute("data-seq")) <= citizenRead);
    for (const node of marks) {
      const mark = node.querySelector(".read");
      if (mark) put(mark, node === last ? this.#acts.say("read") : "");
    }
  }

  get #showsEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight < AT_END_PX;
  }

  #scrolled() {
    this.#atEnd = this.#showsEnd;
    this.look();
  }

  #toEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#atEnd = true;
    this.look();
  }
}
