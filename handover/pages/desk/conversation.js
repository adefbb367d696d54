/**
 * One conversation of the agent: its messages by sequence number, what is on its way, what is being written.
 *
 * Events: `change` (`detail.added`: new messages), `status` (anything else that is shown), `returned` (`detail`: a
 * text that was not taken, and why).
 */

import { backOff, pause } from "/widget/stream.js";
import { mayPass, Problem } from "./api.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Details} Details */
/** @typedef {import("./types.js").Mine} Mine */
/** @typedef {import("./types.js").Pending} Pending */

const TYPING_EVERY_MS = 3_000;
const TYPING_ENDS_MS = 5_000;
/** A citizen who types says so again and again; without that it is over. */
const TYPING_FADES_MS = 8_000;
const GAP_MS = 1_000;

export class Conversation extends EventTarget {
  #api;
  #waker;
  /** @type {Map<number, Message>} */
  #messages = new Map();
  /** @type {Pending[]} */
  #pending = [];
  #sending = false;
  #heardFirst = false;
  #filling = false;
  #typedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingEnds;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingFades;
  #telling = false;
  /** Up to this number nothing is missing. */
  known = 0;
  /** @type {Mine | null} */
  entry = null;
  /** @type {Details | null} */
  details = null;
  /** Whether the agent has it; and since when, by the service's clock. */
  mine = false;
  takenAt = 0;
  /** What is in the message field. Only ever in memory. */
  draft = "";
  /** What the search of the catalogue was asked last. */
  searched = "";
  typing = false;
  citizenRead = 0;
  agentRead = 0;

  /**
   * @param {string} id
   * @param {import("./api.js").Api} api
   * @param {EventTarget} waker its event `wake` ends waiting for the next attempt
   */
  constructor(id, api, waker) {
    super();
    this.id = id;
    this.#api = api;
    this.#waker = waker;
  }

  /** Messages in order. */
  get messages() {
    return [...this.#messages.values()].sort((a, b) => a.seq - b.seq);
  }

  /** What is on its way; the first is hidden once its message has come by event. */
  get pending() {
    return this.#heardFirst ? this.#pending.slice(1) : this.#pending;
  }

  get newest() {
    return Math.max(0, ...this.#messages.keys());
  }

  /** How many messages of the citizen nobody has seen here. */
  get unread() {
    if (!this.mine) return 0;
    return this.messages.filter((message) => message.author === "citizen" && message.seq > this.agentRead).length;
  }

  get lastSaid() {
    return this.messages.findLast((message) => message.author === "citizen" || message.author === "agent")?.text ?? "";
  }

  /** What the citizen asked last; that they wanted a human is no question for the catalogue. */
  get lastQuestion() {
    const messages = this.messages;
    const isQuestion = (/** @type {Message} */ message, /** @type {number} */ index) => {
      const next = messages[index + 1];
      const ledHere = next?.author === "system" || next?.answer?.kind === "handover" || next?.answer?.kind === "smalltalk";
      return message.author === "citizen" && !ledHere;
    };
    return messages.findLast(isQuestion)?.text ?? "";
  }

  /** @param {Mine | null} entry as the board has it; null where the agent does not have it any more */
  list(entry) {
    if (entry) {
      this.entry = entry;
      this.agentRead = Math.max(this.agentRead, entry.agent_read);
      this.citizenRead = Math.max(this.citizenRead, entry.citizen_read);
    }
    this.mine = entry !== null;
    this.#tell("status");
  }

  /** @param {Details} details */
  learn(details) {
    this.details = details;
    this.mine = this.mine || details.mine;
    this.take(details.messages);
    this.known = Math.max(this.known, details.messages.at(-1)?.seq ?? 0);
    this.#tell("status");
  }

  /** Ask for everything that is known of the conversation. */
  async load() {
    this.learn(await this.#api.json(this.path()));
  }

  /** @param {string} [rest] */
  path(rest = "") {
    return `/conversations/${encodeURIComponent(this.id)}${rest}`;
  }

  /** @param {Message[]} messages */
  take(messages) {
    const added = messages.filter((message) => !this.#messages.has(message.seq));
    for (const message of added) {
      this.#messages.set(message.seq, message);
      if (message.author === "agent" && this.#sending) this.#heardFirst = true;
    }
    while (this.#messages.has(this.known + 1)) this.known += 1;
    if (added.some((message) => message.author === "citizen")) this.citizenTypes(false);
    this.#tell("change", { added });
    if (this.newest > this.known) this.#fill();
  }

  /** @param {boolean} typing */
  citizenTypes(typing) {
    clearTimeout(this.#typingFades);
    if (typing) this.#typingFades = setTimeout(() => this.citizenTypes(false), TYPING_FADES_MS);
    if (this.typing === typing) return;
    this.typing = typing;
    this.#tell("status");
  }

  /** @param {number} seq */
  citizenHasRead(seq) {
    this.citizenRead = Math.max(this.citizenRead, seq);
    this.#tell("status");
  }

  // What the agent does

  /** @param {string} text */
  say(text) {
    clearTimeout(this.#typingEnds);
    this.#typedAt = 0;
    this.#pending.push({ id: newId(), text });
    this.#tell("change", { added: [] });
    this.#send();
  }

  /** The agent is writing. */
  typed() {
    if (!this.mine) return;
    clearTimeout(this.#typingEnds);
    this.#typingEnds = setTimeout(() => this.stoppedTyping(), TYPING_ENDS_MS);
    const now = Date.now();
    if (now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#sign({ typing: true });
  }

  stoppedTyping() {
    clearTimeout(this.#typingEnds);
    if (this.#typedAt && this.mine) this.#sign({ typing: false });
    this.#typedAt = 0;
  }

  /** The agent has seen everything up to now. */
  async seen() {
    const seq = this.newest;
    if (!this.mine || seq <= this.agentRead || this.#telling) return;
    this.#telling = true;
    const told = await this.#sign({ read: seq });
    this.#telling = false;
    if (!told) return;
    this.agentRead = Math.max(this.agentRead, seq);
    this.#tell("status");
  }

  // Parts of the above

  /** @param {{typing?: boolean, read?: number}} body */
  #sign(body) {
    const sent = this.#api.fetch(this.path("/activity"), { method: "POST", body });
    return sent.then(() => true, () => false);
  }

  /** One message after the other, each again with its own id until it is answered. */
  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    for (let failures = 0; this.#pending[0]; ) {
      const { id, text } = this.#pending[0];
      try {
        const body = { text, client_id: id };
        const message = await this.#api.json(this.path("/messages"), { method: "POST", body });
        failures = 0;
        this.take([message]);
        this.#dequeue();
      } catch (error) {
        if (mayPass(error)) await this.#waitToSend(error, failures++);
        else this.#refused(error);
      }
    }
    this.#sending = false;
  }

  /**
   * @param {unknown} error
   * @param {number} failures
   */
  #waitToSend(error, failures) {
    const wait = error instanceof Problem ? error.retryAfter : null;
    return pause(wait ?? backOff(failures), this.#waker);
  }

  /** @param {unknown} error */
  #refused(error) {
    const refused = this.#dequeue();
    const reason = error instanceof Problem ? error.message : "";
    this.#tell("change", { added: [] });
    this.#tell("returned", { text: refused?.text ?? "", reason });
  }

  #dequeue() {
    this.#heardFirst = false;
    return this.#pending.shift();
  }

  /** Ask for what is missing in between, if the stream does not bring it by itself. */
  async #fill() {
    if (this.#filling) return;
    this.#filling = true;
    await pause(GAP_MS, new EventTarget());
    if (this.newest > this.known) await this.load().catch(() => {});
    this.#filling = false;
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** A random id; `randomUUID` is missing on pages without TLS. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
