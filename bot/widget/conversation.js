/**
 * One conversation with the service: its messages by sequence number, what is still on its way, and who owns it.
 *
 * Events: `change` (`detail.added`: new messages), `state` (the owner, the place in the queue or the agent is another),
 * `connection` (`detail`: whether it holds), `typing`, `site` (`detail`: what is announced there), `problem` (`detail`: a
 * sentence), `returned` (`detail`: a text that was not taken).
 */

import { Problem } from "./api.js";
import { backOff, pause, serverEvents } from "./stream.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Pending} Pending */
/** @typedef {import("./types.js").Turn} Turn */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").ServerEvent} ServerEvent */

const POLL_MS = 5_000;
/** Whoever has said that he types, and nothing more for so long, has stopped. */
const TYPING_MS = 10_000;

/** Another conversation has begun since this was asked. */
export class Superseded extends Error {}

export class Conversation extends EventTarget {
  #api;
  #storage;
  #lock;
  #id = "";
  #token = "";
  /** @type {Map<number, Message>} */
  #messages = new Map();
  /** Up to this number nothing is missing. */
  #known = 0;
  /** @type {Pending[]} */
  #pending = [];
  #sending = false;
  #heardFirst = false;
  #connected = true;
  /** @type {AbortController | null} */
  #following = null;
  /** @type {State | "none" | "gone" | "erased"} */
  state = "none";
  /** Number of the state, as the service counts: one that is lower comes late. */
  #version = 0;
  /** The place in the queue, if it is known. @type {import("./types.js").Place | null} */
  place = null;
  /** The member of staff who has the conversation, if it is known who. @type {import("./types.js").Agent | null} */
  agent = null;
  /** The agent has ended the conversation. */
  endedByAgent = false;
  /** @type {"bot" | "agent" | null} */
  #typist = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typistTimer;

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./storage.js").TabStorage} storage
   * @param {string} lock name under which the tabs of a browser share one event stream
   */
  constructor(api, storage, lock) {
    super();
    this.#api = api;
    this.#storage = storage;
    this.#lock = lock;
    document.addEventListener("visibilitychange", () => this.#refollow());
    addEventListener("focus", () => this.#refollow());
  }

  /** Messages in order. */
  get messages() {
    return [...this.#messages.values()].sort((a, b) => a.seq - b.seq);
  }

  /** Utterances that have no answer yet. The first one is hidden once its message has come by event. */
  get pending() {
    return this.#heardFirst ? this.#pending.slice(1) : this.#pending;
  }

  get waiting() {
    return this.#pending.length > 0;
  }

  /** Who is writing something for the citizen, if anybody is. */
  get typist() {
    if (this.state === "bot") return this.waiting || this.#typist === "bot" ? "bot" : null;
    return this.state === "agent" && this.#typist === "agent" ? "agent" : null;
  }

  /** A callback was left in this conversation. */
  get calledBack() {
    return this.#storage.kept.callback === true;
  }

  /** The tab remembers a conversation. */
  get remembered() {
    return Boolean(this.#storage.kept.token);
  }

  /** There is somebody to talk to. */
  get alive() {
    return this.state === "bot" || this.state === "queued" || this.state === "agent";
  }

  /**
   * Begin a conversation; the former one, if any, is forgotten here.
   * @param {string} site
   * @param {string} language
   */
  async start(site, language) {
    const body = { site, channel: "web", language };
    const { id, token, messages } = await this.#api.json("/conversations", { method: "POST", body });
    this.#forget();
    this.#remember(id, token);
    this.#takeInOrder(messages);
    this.#own("bot", 0);
  }

  /** Take up the conversation that the tab remembers, and what was on its way when the page was left. */
  async resume() {
    const { id = "", token = "", pending = [] } = this.#storage.kept;
    this.#id = id;
    this.#token = token;
    this.#pending = pending;
    const { messages, state, version } = await this.#new();
    this.#takeInOrder(messages);
    this.#own(state, version);
    this.#send();
  }

  /** @param {string} text */
  say(text) {
    this.#post({ text }, text);
  }

  /** @param {import("./types.js").Choice} choice */
  choose(choice) {
    this.#post({ choice: choice.value }, choice.label);
  }

  /**
   * @param {number} seq
   * @param {"up" | "down"} rating
   */
  async rate(seq, rating) {
    await this.#fetch("/feedback", { method: "POST", body: { rating, seq } });
  }

  /**
   * Rate the conversation as a whole.
   * @param {number} rating from 1, the best, to 6
   * @param {string} comment
   */
  async rateAll(rating, comment) {
    await this.#fetch("/feedback", { method: "POST", body: { rating, ...(comment && { comment }) } });
  }

  // Humans

  /** Wait for a human; throws the problem `not-reachable` where nobody is there. */
  async requestHuman() {
    await this.#handOver("POST");
  }

  /** Wait no longer, or let the human go: the bot has the conversation again. */
  async backToBot() {
    await this.#handOver("DELETE");
  }

  /** @param {string} method */
  async #handOver(method) {
    this.#take(await this.#ask("/handover", { method }).catch((error) => this.#lose(error)));
  }

  /**
   * Leave a callback. It is no message, and the browser keeps nothing of it.
   * @param {import("./types.js").CallbackWish} wish
   * @returns {Promise<string>} when the office gets in touch
   */
  async callBack(wish) {
    const response = await this.#fetch("/callback", { method: "POST", body: wish }).catch((error) => this.#lose(error));
    const { text, messages } = await response.json();
    this.#storage.keep({ callback: true });
    this.#merge(messages);
    return text;
  }

  /**
   * Let the agent know what happens here.
   * @param {import("./types.js").Sign} sign
   * @returns {Promise<boolean>} whether the service knows now
   */
  async active(sign) {
    if (this.state !== "queued" && this.state !== "agent") return false;
    return this.#fetch("/activity", { method: "POST", body: sign }).then(
      () => true,
      () => false,
    );
  }

  /** @returns {Promise<string>} the conversation as text */
  async transcript() {
    return (await this.#fetch("/transcript")).text();
  }

  /** End the conversation and erase all that was said. */
  async erase() {
    this.leave();
    try {
      await this.#fetch("", { method: "DELETE" });
    } catch (error) {
      if (!(error instanceof Problem && error.gone)) {
        this.follow();
        throw error;
      }
    }
    this.#forget();
    this.#remember("", "");
    this.#own("erased");
  }

  /** Try again now whatever waits for its next attempt. */
  wake() {
    this.dispatchEvent(new Event("wake"));
  }

  // Following: events while the panel is open

  /** Follow what happens, by one event stream for the whole browser. */
  follow() {
    if (this.#following || !this.alive) return;
    const following = (this.#following = new AbortController());
    this.#lead(following.signal).finally(() => {
      if (this.#following === following) this.#following = null;
    });
  }

  leave() {
    this.#following?.abort();
    this.#following = null;
    this.wake();
  }

  /** The window in front takes the stream; the others poll. */
  #refollow() {
    if (!this.#following || document.hidden || !this.#polling) return;
    this.leave();
    this.follow();
  }

  #polling = false;

  /** @param {AbortSignal} signal */
  async #lead(signal) {
    if (!navigator.locks) return this.#stream(signal);
    const stolen = new AbortController();
    signal.addEventListener("abort", () => stolen.abort());
    try {
      await navigator.locks.request(this.#lock, { steal: true }, () => this.#stream(stolen.signal));
    } catch {
      stolen.abort();
      await this.#poll(signal);
    }
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    this.#polling = true;
    this.place = null;
    this.#tell("state", this.state);
    while (!signal.aborted && this.alive) {
      await pause(POLL_MS, this);
      if (!signal.aborted) await this.#catchUp().catch(() => {});
    }
    this.#polling = false;
  }

  /** @param {AbortSignal} signal */
  async #stream(signal) {
    let failures = 0;
    while (!signal.aborted && this.alive) {
      let wait = 0;
      try {
        const headers = { "Last-Event-ID": String(this.#known) };
        const response = await this.#fetch("/events", { headers, signal, keep: true });
        if (response.body) {
          for await (const event of serverEvents(response.body)) {
            if (signal.aborted) return;
            failures = 0;
            this.#connect(true);
            this.#hear(event);
          }
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.gone) return this.#own("gone");
        wait = error instanceof Problem ? (error.retryAfter ?? POLL_MS) : 0;
        if (failures > 0 || !navigator.onLine) this.#connect(false);
      }
      if (!signal.aborted && this.alive) await pause(Math.max(wait, backOff(failures++)), this);
    }
  }

  /** @param {ServerEvent} event */
  #hear({ name, data }) {
    if (name === "message") this.#hearMessage(data);
    else if (name === "state") this.#own(data.state, data.version);
    else if (name === "typing" && (data.typing || data.author === this.#typist)) this.#type(data.typing ? data.author : null);
    else if (name === "queue") this.#stand(data);
    else if (name === "presence") this.#meet(data.agent);
    else if (name === "site") this.#tell("site", data);
  }

  /** @param {"bot" | "agent" | null} author */
  #type(author) {
    clearTimeout(this.#typistTimer);
    this.#typist = author;
    if (author) this.#typistTimer = setTimeout(() => this.#type(null), TYPING_MS);
    this.#tell("typing", author);
  }

  /** @param {Message} message */
  #hearMessage(message) {
    if (message.author === "citizen" && this.#sending && !this.#messages.has(message.seq)) this.#heardFirst = true;
    this.#takeInOrder([message]);
  }

  // Sending: one after the other, each again with its own id until it is answered

  /**
   * @param {Pending["body"]} body
   * @param {string} label
   */
  #post(body, label) {
    this.#pending.push({ id: newId(), label, body });
    this.#storage.keep({ pending: this.#pending });
    this.#tell("change", { added: [] });
    this.#send();
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    for (let failures = 0; this.#pending[0] && this.alive; ) {
      const next = this.#pending[0];
      try {
        const body = { ...next.body, client_id: next.id };
        const turn = await this.#ask("/messages", { method: "POST", body });
        if (this.#pending[0] !== next) continue;
        failures = 0;
        this.#connect(true);
        this.#dequeue();
        this.#take(turn);
      } catch (error) {
        if (this.#pending[0] !== next) continue;
        if (error instanceof Problem && !error.passing) this.#refuse(error);
        else await this.#waitToSend(error, failures++);
      }
    }
    this.#sending = false;
    if (!this.alive) this.#giveBack();
  }

  /**
   * @param {unknown} error
   * @param {number} failures
   */
  async #waitToSend(error, failures) {
    if (error instanceof Problem && error.message) this.#tell("problem", error.message);
    else this.#connect(false);
    await pause((error instanceof Problem && error.retryAfter) || backOff(failures), this);
  }

  /**
   * The service will never take this utterance: give it back.
   * @param {Problem} problem
   */
  #refuse(problem) {
    if (problem.gone) return this.#own("gone");
    if (problem.status === 409) return this.#own("closed");
    const refused = this.#dequeue();
    if (refused && "text" in refused.body) this.#tell("returned", refused.body.text);
    this.#tell("change", { added: [] });
    this.#tell("problem", problem.message);
  }

  /** Nobody hears any more what is left. */
  #giveBack() {
    const left = this.pending.flatMap(({ body }) => ("text" in body ? [body.text] : []));
    if (!this.#pending.length) return;
    this.#pending = [];
    this.#heardFirst = false;
    this.#storage.keep({ pending: [] });
    if (left.length) this.#tell("returned", left.join("\n"));
    this.#tell("change", { added: [] });
  }

  #dequeue() {
    const first = this.#pending.shift();
    this.#heardFirst = false;
    this.#storage.keep({ pending: this.#pending });
    return first;
  }

  // Taking in what was said

  /** @param {Turn} turn */
  #take({ messages, state, version, queue = null }) {
    this.#merge(messages);
    this.#own(state, version);
    if (queue) this.#stand(queue);
  }

  /**
   * Messages of which some before them may be missing.
   * @param {Message[]} messages
   */
  #merge(messages) {
    this.#add(messages);
    while (this.#messages.has(this.#known + 1)) this.#known += 1;
    const newest = Math.max(0, ...this.#messages.keys());
    if (newest > this.#known) this.#catchUp().catch(() => {});
  }

  /**
   * Messages behind which nothing is missing: the service gives them from a number on, in order.
   * @param {Message[]} messages
   */
  #takeInOrder(messages) {
    const last = messages.at(-1);
    if (last) this.#known = Math.max(this.#known, last.seq);
    this.#add(messages);
  }

  async #catchUp() {
    const { messages, state, version } = await this.#new();
    this.#connect(true);
    this.#takeInOrder(messages);
    this.#own(state, version);
  }

  /** @returns {Promise<Turn>} what has been said since */
  #new() {
    return this.#ask(`/messages?after=${this.#known}`).catch((error) => this.#lose(error));
  }

  /** @param {Message[]} messages */
  #add(messages) {
    const added = messages.filter((message) => !this.#messages.has(message.seq));
    for (const message of added) this.#messages.set(message.seq, message);
    if (added.some(({ author }) => author === this.#typist)) this.#typist = null;
    this.#tell("change", { added });
  }

  // Parts of the above

  /**
   * @param {string} path
   * @param {import("./api.js").Request} [request]
   */
  async #fetch(path, request) {
    const id = this.#id;
    const address = `/conversations/${encodeURIComponent(id)}${path}`;
    try {
      const response = await this.#api.fetch(address, { token: this.#token, ...request });
      if (id === this.#id) return response;
    } catch (error) {
      if (id === this.#id) throw error;
    }
    throw new Superseded();
  }

  /**
   * @param {string} path
   * @param {import("./api.js").Request} [request]
   * @returns {Promise<Turn>}
   */
  async #ask(path, request) {
    return (await this.#fetch(path, request)).json();
  }

  /**
   * @param {unknown} error
   * @returns {never}
   */
  #lose(error) {
    if (error instanceof Problem && error.gone) this.#own("gone");
    throw error;
  }

  /**
   * @param {typeof this.state} state
   * @param {number} [version] nothing for what is certain
   */
  #own(state, version = this.#version) {
    if (version < this.#version) return;
    this.#version = version;
    if (this.state === state) return;
    this.endedByAgent = this.state === "agent" && state === "closed";
    this.state = state;
    if (state !== "queued") this.place = null;
    if (state !== "agent") this.agent = null;
    this.#typist = null;
    if (!this.alive) this.leave();
    this.#tell("state", state);
    if (state === "closed") this.#catchUp().catch(() => {});
    if (!this.alive && !this.#sending) this.#giveBack();
  }

  /** @param {import("./types.js").Place} place */
  #stand(place) {
    this.place = place;
    this.#tell("state", this.state);
  }

  /** @param {import("./types.js").Agent | null} agent */
  #meet(agent) {
    this.agent = agent;
    this.#tell("state", this.state);
  }

  /** @param {boolean} connected */
  #connect(connected) {
    if (this.#connected === connected) return;
    this.#connected = connected;
    if (!connected) this.#type(null);
    this.#tell("connection", connected);
  }

  #forget() {
    this.leave();
    this.#messages.clear();
    this.#pending = [];
    this.#known = 0;
    this.#heardFirst = false;
    this.state = "none";
    this.#version = 0;
    this.place = this.agent = null;
    this.#tell("change", { added: [] });
  }

  /**
   * @param {string} id
   * @param {string} token
   */
  #remember(id, token) {
    this.#id = id;
    this.#token = token;
    this.#storage.keep({ id, token, pending: [], callback: undefined });
  }

  /**
   * @param {string} name
   * @param {unknown} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** A random id; `randomUUID` is missing on pages without TLS. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
