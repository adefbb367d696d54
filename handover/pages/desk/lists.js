/** Who waits, and the agent's own conversations. */

import { button, el } from "/widget/dom.js";
import { byId, fill, put, updating } from "./nodes.js";
import { age, clock } from "./times.js";

/** @typedef {import("./types.js").Waiting} Waiting */
/** @typedef {import("./conversation.js").Conversation} Conversation */
/**
 * @typedef {object} Acts
 * @property {(waiting: Waiting) => void} claim
 * @property {(waiting: Waiting) => void} decline
 * @property {(conversation: Conversation) => void} open
 * @property {(conversation: Conversation) => boolean} isShown
 */

export class Lists {
  #desk;
  #say;
  #acts;
  #waiting = byId("waiting");
  #mine = byId("mine");

  /**
   * @param {import("./desk.js").Desk} desk
   * @param {import("./types.js").Say} say
   * @param {Acts} acts
   */
  constructor(desk, say, acts) {
    this.#desk = desk;
    this.#say = say;
    this.#acts = acts;
  }

  /** Show what is known now; times go on by calling this every second. */
  show() {
    const { board } = this.#desk;
    if (!board) return;
    fill(this.#waiting, board.waiting, (one) => one.handover, (one) => this.#waitingNode(one));
    fill(this.#mine, this.#desk.mine, (one) => one.id, (one) => this.#mineNode(one));
    const empty = board.me.status === "available" ? "waiting.none" : "waiting.none.offline";
    put(byId("waiting-empty"), this.#say(empty));
    byId("waiting-empty").hidden = board.waiting.length > 0;
    byId("mine-empty").hidden = this.#desk.mine.length > 0;
  }

  /** @param {Waiting} first */
  #waitingNode(first) {
    const say = this.#say;
    let entry = first;
    const department = el("span", { class: "department" });
    const channel = el("span");
    const urgent = el("span", { class: "badge warn" }, say("urgent"));
    const span = el("span");
    const since = el("span", { class: "age" }, el("span", { class: "hidden" }, say("waits")), " ", span);
    const topic = el("strong", { class: "topic" });
    const preview = el("p", { class: "preview" });
    const state = el("p", { class: "offer" });
    const whom = el("span", { class: "hidden" });
    const claim = button(say("claim"), () => this.#acts.claim(entry), { class: "small primary" });
    claim.append(whom);
    const decline = button(say("decline"), () => this.#acts.decline(entry), { class: "small" });
    const head = el("p", { class: "entry-head" }, channel, " ", department, " ", urgent, since);
    const acts = el("div", { class: "row-acts" }, claim, decline);
    return updating(el("li", { class: "entry" }, head, el("p", {}, topic), preview, state, acts), (/** @type {Waiting} */ now) => {
      entry = now;
      const name = now.service ?? say("no-service");
      put(department, now.department.name);
      channelMark(channel, now.channel, say);
      urgent.hidden = !now.urgent;
      put(span, age(now.since, this.#now, say));
      put(topic, name);
      put(preview, now.preview || say("no-text"));
      put(whom, ` ${now.department.name}, ${name}`);
      claim.hidden = !now.claimable;
      decline.hidden = now.offered_until === null;
      put(state, this.#stateOf(now));
      state.hidden = !state.textContent;
      state.classList.toggle("to-me", now.offered_until !== null);
    });
  }

  /** @param {Waiting} waiting */
  #stateOf(waiting) {
    const me = this.#desk.board?.me;
    if (waiting.offered_until !== null) {
      const left = Math.max(0, Math.ceil((Date.parse(waiting.offered_until) - this.#now) / 1000));
      return this.#say("offer", { count: left });
    }
    if (waiting.offered_to_other) return this.#say("offered-elsewhere");
    if (waiting.claimable || !me) return "";
    if (waiting.channel === "phone" && me.extension === null) return this.#say("claim.no-extension");
    return this.#say("claim.full", { count: me.capacity });
  }

  /** @param {Conversation} conversation */
  #mineNode(conversation) {
    const say = this.#say;
    const number = el("span", { class: "number" });
    const topic = el("strong", { class: "topic" });
    const channel = el("span");
    const unread = el("span", { class: "badge warn" });
    const here = el("span", { class: "here" });
    const preview = el("span", { class: "preview" });
    const open = button(el("span", { class: "mine-topic" }, number, topic), () => this.#acts.open(conversation), { class: "entry" });
    const facts = el("span", { class: "mine-facts" }, channel, " ", unread, " ", here);
    open.append(" ", facts, " ", el("span", { class: "mine-preview" }, preview));
    return updating(el("li", {}, open), () => {
      const shown = conversation.entry ?? conversation.details;
      put(number, String(this.#desk.mine.indexOf(conversation) + 1));
      put(topic, topicOf(conversation, say));
      if (shown) channelMark(channel, shown.channel, say);
      put(unread, conversation.unread ? say("unread", { count: conversation.unread }) : "");
      unread.hidden = conversation.unread === 0;
      put(here, hereOf(conversation, say));
      put(preview, conversation.lastSaid);
      const isShown = this.#acts.isShown(conversation);
      open.setAttribute("aria-current", String(isShown));
    });
  }

  get #now() {
    return Date.now() + this.#desk.ahead;
  }
}

/**
 * What a conversation is about.
 * @param {Conversation} conversation
 * @param {import("./types.js").Say} say
 */
export function topicOf({ entry, details }, say) {
  return entry?.service ?? details?.service?.name ?? say("no-service");
}

/**
 * What the citizen does, as far as it can be seen.
 * @param {Conversation} conversation
 * @param {import("./types.js").Say} say
 */
export function hereOf({ entry, details, typing }, say) {
  if (typing) return say("types");
  if (!entry || details?.channel === "phone") return "";
  return say(entry.citizen_here ? "here" : "not-here");
}

/**
 * Since when somebody has the conversation.
 * @param {Conversation} conversation
 * @param {import("./types.js").Say} say
 */
export function sinceOf({ entry, details }, say) {
  const since = entry?.since ?? details?.since;
  return since ? say("since", { time: clock(since) }) : "";
}

/**
 * The channel, by word and by shape.
 * @param {HTMLElement} mark
 * @param {import("./types.js").Channel} channel
 * @param {import("./types.js").Say} say
 */
export function channelMark(mark, channel, say) {
  mark.className = `channel ${channel}`;
  put(mark, say(`channel.${channel}`));
}
