/**
 * Everything that the workspace knows, kept up to date by its event stream, and all that an agent can do.
 *
 * Events: `board`, `conversation` (`detail`: one that is new here or has changed hands), `message` (`detail`:
 * conversation and message of a citizen, as it happens), `offered` (`detail`: who waits), `told` (`detail`: a key of
 * something that happened to the agent), `connection`.
 */

import { SignedOut } from "./api.js";
import { Conversation } from "./conversation.js";
import { Live } from "./live.js";

/** @typedef {import("./types.js").Board} Board */
/** @typedef {import("./types.js").ServerEvent} ServerEvent */

/** An offer that follows the first word of somebody this soon is no news. */
const AGAIN_MS = 10_000;

export class Desk extends EventTarget {
  #api;
  /** @type {Map<string, Conversation>} */
  #conversations = new Map();
  /** @type {Map<string, {at: number, offered: boolean}>} who waits, and when that was told */
  #told = new Map();
  /** The status that the agent has chosen. */
  #wish = "";
  /** @type {Board | null} */
  board = null;
  /** How much the service's clock is ahead of ours, in milliseconds. */
  ahead = 0;

  /** @param {import("./api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
    this.live = new Live(api, () => this.#cursor());
    this.live.addEventListener("event", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("connection", () => this.#tell("connection"));
  }

  /** The agent's conversations, the oldest first. */
  get mine() {
    const listed = this.board?.mine.map((entry) => this.#conversations.get(entry.conversation)) ?? [];
    const taken = [...this.#conversations.values()].filter((one) => one.mine && !listed.includes(one));
    return [...listed, ...taken].filter((one) => one !== undefined && one.mine).map((one) => /** @type {Conversation} */ (one));
  }

  /** How many messages wait to be read. */
  get unread() {
    return this.mine.reduce((sum, conversation) => sum + conversation.unread, 0);
  }

  start() {
    this.live.follow();
  }

  /** @param {string} id */
  conversation(id) {
    return this.#conversations.get(id) ?? null;
  }

  /** @param {Conversation} conversation one that the agent has closed on this page */
  drop(conversation) {
    if (!conversation.mine) this.#conversations.delete(conversation.id);
  }

  // What an agent does

  /**
   * @param {string} status
   * @param {string} note
   */
  setStatus(status, note) {
    this.#wish = status;
    return this.#api.fetch("/presence", { method: "PUT", body: { status, note } });
  }

  /** @param {string} handover */
  async claim(handover) {
    const details = await this.#api.json(`/handovers/${encodeURIComponent(handover)}/claim`, { method: "POST" });
    const conversation = this.#keep(details.conversation);
    conversation.takenAt = Date.parse(details.messages.at(-1)?.at ?? details.since);
    conversation.learn(details);
    this.#tell("conversation", conversation);
    return conversation;
  }

  /** @param {string} handover */
  decline(handover) {
    return this.#api.fetch(`/handovers/${encodeURIComponent(handover)}/decline`, { method: "POST" });
  }

  /**
   * @param {Conversation} conversation
   * @param {{department?: string, colleague?: string}} to
   */
  async transfer(conversation, to) {
    await this.#api.fetch(conversation.path("/transfer"), { method: "POST", body: to });
    this.#give(conversation);
  }

  /**
   * @param {Conversation} conversation
   * @param {{to_bot: boolean, reason: string, tags: string[]}} end
   */
  async finish(conversation, end) {
    await this.#api.fetch(conversation.path("/finish"), { method: "POST", body: end });
    this.#give(conversation);
  }

  /**
   * @param {Conversation} conversation
   * @param {string} text
   */
  async addNote(conversation, text) {
    await this.#api.fetch(conversation.path("/notes"), { method: "POST", body: { text } });
    await conversation.load();
  }

  /**
   * @param {string} question
   * @returns {Promise<import("./types.js").CatalogueAnswer[]>}
   */
  answers(question) {
    return this.#api.json(`/answers?q=${encodeURIComponent(question)}`);
  }

  /** @returns {Promise<import("./types.js").CannedReply[]>} */
  replies() {
    return this.#api.json("/replies");
  }

  // What the service tells

  /** @param {ServerEvent} event */
  #hear({ name, data }) {
    if (name === "board") return this.#hearBoard(data);
    const conversation = this.#conversations.get(data.conversation);
    if (name === "message") this.#hearMessage(data);
    else if (name === "typing") conversation?.citizenTypes(data.typing === true);
    else if (name === "read") conversation?.citizenHasRead(data.seq);
    else if (name === "note") conversation?.load().catch(() => {});
    else if (name === "released" || (name === "lapsed" && this.#wish === "available")) this.#tell("told", name);
  }

  /** @param {Board} board */
  #hearBoard(board) {
    const before = this.board;
    this.board = board;
    this.ahead = Date.parse(board.at) - Date.now();
    const listed = new Map(board.mine.map((entry) => [entry.conversation, entry]));
    for (const entry of board.mine) this.#keep(entry.conversation).list(entry);
    for (const conversation of this.#conversations.values()) {
      const entry = listed.get(conversation.id) ?? null;
      if (entry === null && conversation.mine && conversation.takenAt < Date.parse(board.at)) this.#lose(conversation);
      else if (entry !== null && conversation.details === null) this.#load(conversation);
    }
    this.#tell("board");
    if (before) this.#noticeStatus(before.me.status, board.me.status);
    this.#noticeWaiting(board, before !== null);
  }

  /**
   * Say that the service has taken the agent out, who may not have noticed why.
   * @param {string} before
   * @param {string} now
   */
  #noticeStatus(before, now) {
    if (now === before || now === this.#wish) return;
    if (now !== "available") this.#tell("told", now);
    this.#wish = now;
  }

  /**
   * Say who is new: everybody once, and every offer, if it does not follow at once.
   * @param {Board} board
   * @param {boolean} live whether this is news, and not what was there before the page
   */
  #noticeWaiting(board, live) {
    const now = Date.now();
    /** @type {Map<string, {at: number, offered: boolean}>} */
    const told = new Map();
    for (const one of board.waiting) {
      const before = this.#told.get(one.handover);
      const offered = one.offered_until !== null;
      const isNews = before ? offered && !before.offered && now - before.at > AGAIN_MS : one.claimable && (live || offered);
      if (isNews && board.me.status !== "offline") this.#tell("offered", one);
      told.set(one.handover, { at: isNews || !before ? now : before.at, offered });
    }
    this.#told = told;
  }

  /** @param {{conversation: string, message: import("./types.js").Message}} data */
  #hearMessage({ conversation: id, message }) {
    const conversation = this.#keep(id);
    const isNews = message.seq > conversation.newest && conversation.details !== null;
    conversation.take([message]);
    if (isNews && message.author === "citizen") this.#tell("message", { conversation, message });
  }

  /** @param {string} id */
  #keep(id) {
    const known = this.#conversations.get(id);
    if (known) return known;
    const conversation = new Conversation(id, this.#api, this.live);
    this.#conversations.set(id, conversation);
    return conversation;
  }

  /** @param {Conversation} conversation */
  #load(conversation) {
    conversation.load().then(
      () => this.#tell("conversation", conversation),
      (error) => error instanceof SignedOut || undefined,
    );
  }

  /** @param {Conversation} conversation one that the agent has given away */
  #give(conversation) {
    conversation.draft = "";
    conversation.list(null);
    this.#conversations.delete(conversation.id);
    this.#tell("conversation", conversation);
  }

  /** @param {Conversation} conversation one that is somebody else's or nobody's now */
  #lose(conversation) {
    conversation.list(null);
    this.#tell("conversation", conversation);
  }

  #cursor() {
    const known = [...this.#conversations.values()].filter((one) => one.mine && one.known > 0);
    return known.map((one) => `${one.id}:${one.known}`).join(" ");
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
