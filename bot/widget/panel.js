/** The open chat: loads the site, shows the conversation, keeps focus and announcements in order. */

import { Activity } from "./activity.js";
import { Api, Problem } from "./api.js";
import { CallbackForm } from "./callback.js";
import { Composer } from "./composer.js";
import { Conversation, Superseded } from "./conversation.js";
import { button, el } from "./dom.js";
import { ended } from "./ended.js";
import { Head } from "./head.js";
import { HumanRow } from "./human.js";
import { Log } from "./log.js";
import { Look } from "./look.js";
import { Menu } from "./menu.js";
import { spoken, withPhone } from "./message.js";
import { messageText, printText, saveText } from "./paper.js";
import { TabStorage } from "./storage.js";
import { backOff, pause } from "./stream.js";
import { FULL_SCREEN, SHORT, panelSheet } from "./style.js";
import { Texts } from "./texts.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Site} Site */
/** @typedef {{element: HTMLElement, hide: () => void}} View stands in for the conversation while it is open */

const ROOT = new URL("..", import.meta.url).href;

export class Panel {
  #host;
  #api = new Api(`${ROOT}api/chat`);
  #texts = new Texts();
  #look = new Look();
  #storage;
  #conversation;
  /** @type {Site | null} */
  #site = null;
  #open = false;
  #loading = false;
  #question = "";
  /** Messages that were there before are not announced. */
  #quiet = false;
  #escapedAt = 0;
  #narrow = matchMedia(FULL_SCREEN);
  #short = matchMedia(SHORT);

  #announced = "";
  #head = new Head(this.#texts, { menu: () => this.#toggleMenu(), close: () => this.#host.close() });
  #main = el("div", { class: "main" });
  #log;
  // The log itself is not live: what is new is said here, in words fit for it and even when they are the same again.
  #live = el("div", { class: "hidden", "aria-live": "polite", "aria-relevant": "additions" });
  #problem = el("p", { class: "problem", role: "alert" });
  #foot = el("div", { class: "foot" });
  #dialog = el("dialog", { class: "panel", "aria-labelledby": "title" });
  /** @type {Composer | null} */
  #composer = null;
  /** @type {HumanRow | null} */
  #humans = null;
  /** @type {Menu | null} */
  #menu = null;
  /** @type {CallbackForm | null} */
  #callback = null;
  /** @type {View | null} */
  #view = null;
  /** Where the focus was before a view was opened. @type {HTMLElement | null} */
  #opener = null;
  #activity = new Activity((sign) => this.#conversation.active(sign));

  /** @param {import("./types.js").Host} host */
  constructor(host) {
    this.#host = host;
    this.#storage = new TabStorage(`stadtbot ${ROOT} ${host.site}`);
    this.#conversation = new Conversation(this.#api, this.#storage, `stadtbot ${ROOT}`);
    const root = /** @type {ShadowRoot} */ (host.shadowRoot);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, panelSheet, this.#look.sheet];
    this.#look.scale = this.#storage.kept.scale ?? 1;
    this.#log = this.#newLog();
    this.#main.append(this.#log.element, this.#log.newer, this.#problem, this.#foot);
    this.#dialog.append(...this.#head.nodes, this.#main, this.#live);
    root.append(this.#dialog);
    this.#head.write(false);
    this.#listen();
  }

  /** @param {{focus: boolean}} options */
  open({ focus }) {
    if (this.#open) return focus ? this.#focusInput() : undefined;
    this.#open = true;
    this.#storage.keep({ open: true });
    this.#show();
    if (focus) this.#head.title.focus();
    if (this.#site && this.#conversation.state !== "none") this.#conversation.follow();
    else this.#load();
    if (focus && this.#composer) this.#focusInput();
    this.#log.showNewest();
    this.#see();
  }

  close() {
    this.#open = false;
    this.#storage.keep({ open: false });
    this.#activity.stop();
    this.#conversation.leave();
    if (this.#dialog.open) this.#dialog.close();
  }

  /**
   * Ask as soon as there is a conversation.
   * @param {string} question
   */
  ask(question) {
    this.#hideView();
    if (this.#conversation.alive) return this.#say(question);
    this.#question = question;
    if (["closed", "gone", "erased"].includes(this.#conversation.state)) this.#renew();
  }

  // Window

  /** A window beside the page, or over all of it where there is no room for both. */
  #show() {
    if (this.#narrow.matches) this.#dialog.showModal();
    else this.#dialog.show();
  }

  #listen() {
    this.#dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      this.#escapedAt = event.timeStamp;
      this.#escape();
    });
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      if (event.timeStamp - this.#escapedAt > 200) this.#escape();
    });
    this.#dialog.addEventListener("close", () => {
      if (this.#open && !this.#dialog.open) this.#host.close();
    });
    this.#narrow.addEventListener("change", () => {
      if (!this.#open) return;
      const focused = this.#host.shadowRoot?.activeElement;
      this.#dialog.close();
      this.#show();
      if (focused instanceof HTMLElement) focused.focus();
    });
    document.addEventListener("visibilitychange", () => this.#see());
    addEventListener("pagehide", () => this.#conversation.leave());
    addEventListener("pageshow", () => this.#open && this.#conversation.follow());
    const conversation = this.#conversation;
    /** @type {Record<string, (detail: any) => void>} */
    const handlers = {
      change: ({ added }) => this.#render(added),
      state: () => this.#showState(),
      connection: (connected) => this.#head.warn(connected ? "" : this.#texts.get("connection.lost")),
      typing: () => this.#showTyping(),
      site: (notice) => this.#heed(notice),
      problem: (text) => this.#complain(text),
      returned: (text) => this.#composer?.giveBack(text),
    };
    for (const [name, handle] of Object.entries(handlers)) {
      conversation.addEventListener(name, (event) => handle(/** @type {CustomEvent} */ (event).detail));
    }
  }

  #escape() {
    if (this.#view) this.#hideView({ focus: true });
    else this.#host.close();
  }

  /** On a touch screen the keyboard would cover the greeting, on a short one the field itself: the title it is. */
  #focusInput() {
    const covers = this.#short.matches || matchMedia("(pointer: coarse)").matches;
    (covers ? this.#head.title : (this.#composer?.field ?? this.#head.title)).focus();
  }

  // Loading

  async #load() {
    if (this.#loading) return;
    this.#loading = true;
    for (let failures = 0; this.#open; failures += 1) {
      try {
        if (!this.#site) await this.#loadSite();
        this.#head.warn("");
        await this.#converse();
        break;
      } catch (error) {
        if (error instanceof Problem && !error.passing) {
          if (!error.gone || this.#conversation.state !== "gone") this.#head.warn(error.message);
          break;
        }
        const detail = error instanceof Problem && error.message;
        const { get } = this.#texts;
        this.#head.warnAndRetry(detail || get("unreachable"), get("retry.now"), () => this.#conversation.wake());
        await pause((error instanceof Problem && error.retryAfter) || backOff(failures), this.#conversation);
      }
    }
    this.#loading = false;
  }

  async #loadSite() {
    const { site, language } = this.#host;
    this.#head.load(this.#texts.get("loading"));
    const path = `/sites/${encodeURIComponent(site)}?language=${encodeURIComponent(language)}`;
    this.#site = /** @type {Site} */ (await this.#api.json(path));
    this.#texts.learn(this.#site.texts, { site: this.#site.name });
    if (!this.#host.hasAttribute("position")) this.#host.setAttribute("position", this.#site.look.position);
    this.#look.accent = this.#pageAccent() || this.#site.look.accent;
    this.#build(this.#site);
  }

  /** The page's own accent, if it sets one on the element. */
  #pageAccent() {
    return getComputedStyle(this.#host).getPropertyValue("--stadtbot-accent").trim();
  }

  async #converse() {
    const focused = this.#host.shadowRoot?.activeElement === this.#head.title;
    if (this.#conversation.remembered) {
      this.#quiet = true;
      await this.#conversation.resume().finally(() => (this.#quiet = false));
    } else {
      await this.#begin();
    }
    if (focused) this.#focusInput();
    if (this.#question && this.#conversation.alive) this.#say(this.#question);
    this.#question = "";
  }

  async #begin() {
    await this.#conversation.start(this.#host.site, this.#host.language);
  }

  async #renew() {
    this.#hideView();
    this.#complain("");
    try {
      await this.#begin();
      this.#head.warn("");
      this.#focusInput();
      if (this.#question) this.#say(this.#question);
      this.#question = "";
    } catch (error) {
      this.#complain((error instanceof Problem && error.message) || this.#texts.get("unreachable"));
    }
  }

  // Building

  /** @param {Site} site */
  #build(site) {
    const texts = this.#texts;
    this.#head.write(true);
    this.#log.label();
    this.#humans = new HumanRow(texts, {
      request: () => this.#requestHuman(),
      leave: () => this.#attempt(() => this.#conversation.backToBot()),
      callBack: () => this.#askCallback(),
    });
    this.#composer = new Composer(texts, (text) => this.#say(text), { typing: () => this.#activity.key(), below: this.#humans.element });
    this.#foot.replaceChildren(this.#composer.element);
    this.#callback = new CallbackForm(texts, site.legal.privacy, () => this.#hideView({ focus: true }), (wish) => this.#callBack(wish));
    this.#menu = new Menu(
      texts,
      {
        back: () => this.#hideView({ focus: true }),
        callBack: () => this.#askCallback(),
        renew: () => this.#renew(),
        save: () => this.#save(),
        print: () => this.#print(),
        erase: () => this.#erase(),
        scale: (scale) => {
          this.#look.scale = scale;
          this.#storage.keep({ scale });
        },
      },
      site.legal,
      this.#storage.kept.scale ?? 1,
    );
    this.#main.before(this.#menu.element, this.#callback.element);
    this.#announced = this.#head.announce(site);
    this.#showWho();
  }

  #newLog() {
    return new Log(
      {
        texts: this.#texts,
        choose: (choice) => this.#speak(() => this.#conversation.choose(choice)),
        rate: (seq, rating) => this.#conversation.rate(seq, rating),
        callBack: () => this.#askCallback(),
        save: (saved) => saveText(`${messageText(saved, this.#texts)}\n`, this.#fileName("answer.file")),
        print: (printed) => printText(this.#dialog, this.#about, messageText(printed, this.#texts)),
      },
      () => (this.#short.matches ? this.#dialog : null),
    );
  }

  // Messages

  /** @param {Message[]} added */
  #render(added) {
    if (!this.#site) return;
    const conversation = this.#conversation;
    const { messages } = conversation;
    const stay = !this.#log.atEnd && !conversation.waiting && !this.#quiet;
    this.#log.render(messages, conversation.pending);
    this.#log.nameAgents(messages, conversation.agent);
    if (!messages.length) this.#activity.forget();
    if (added.length) {
      this.#complain("");
      this.#log.offer(null);
    }
    this.#showTyping();
    this.#announceMessages(added);
    if (!stay) this.#log.showNewest();
    else if (added.length) this.#log.newer.hidden = false;
    this.#see();
  }

  /** @param {Message[]} added */
  #announceMessages(added) {
    for (const message of added) {
      if (message.author !== "citizen") this.#announce(spoken(message, this.#conversation.agent, this.#texts), message.lang);
    }
  }

  /**
   * @param {string} text
   * @param {string} [language]
   */
  #announce(text, language = this.#host.language) {
    if (this.#quiet || !text) return;
    this.#live.append(el("p", { lang: language }, text));
    while (this.#live.childElementCount > 3) this.#live.firstElementChild?.remove();
  }

  /** @param {string} text */
  #say(text) {
    this.#activity.stop();
    this.#speak(() => this.#conversation.say(text));
  }

  /** @param {() => void} utter */
  #speak(utter) {
    this.#complain("");
    utter();
    this.#log.showNewest();
  }

  /** Tell the agent what can be seen here. */
  #see() {
    const { state, messages } = this.#conversation;
    if (!this.#open || document.hidden || this.#view || (state !== "queued" && state !== "agent")) return;
    this.#activity.saw(messages.at(-1)?.seq ?? 0);
  }

  // States

  #showState() {
    const { state, alive, messages, agent } = this.#conversation;
    if (!this.#site || state === "none") return;
    this.#dialog.dataset.state = state;
    this.#showWho();
    this.#showTyping();
    this.#log.nameAgents(messages, agent);
    if (state !== "bot") this.#log.offer(null);
    if (alive) this.#showComposer();
    else this.#showEnd();
    this.#see();
  }

  #showWho() {
    const { state, alive, agent } = this.#conversation;
    const { get } = this.#texts;
    const idle = this.#site?.bot ? "bot" : "off";
    const owner = state === "agent" || state === "queued" ? state : alive || state === "none" ? idle : "nobody";
    const text = owner === "agent" && agent ? get("who.agent.named", { ...agent }) : get(`who.${owner}`);
    if (this.#head.introduce(text)) this.#announce(text);
  }

  #showComposer() {
    const { state, place } = this.#conversation;
    const composer = this.#composer;
    if (!composer || (state !== "bot" && state !== "queued" && state !== "agent")) return;
    const text = state === "queued" ? (place?.text ?? this.#texts.get("queue.unknown")) : "";
    if (text && this.#place !== text && place) this.#announce(text);
    this.#place = text;
    this.#humans?.show(state, text);
    composer.address(state === "bot" ? "question" : "question.agent");
    if (!composer.element.isConnected) this.#foot.replaceChildren(composer.element);
    if (this.#open) this.#conversation.follow();
  }

  #place = "";

  #showEnd() {
    const { state, endedByAgent } = this.#conversation;
    const text = this.#texts.get(endedByAgent ? "ended.agent" : `ended.${state}`);
    const rate = (/** @type {number} */ rating, /** @type {string} */ comment) => this.#conversation.rateAll(rating, comment);
    const focused = this.#foot.matches(":focus-within");
    this.#foot.replaceChildren(ended(text, this.#texts, () => this.#renew(), state === "closed" ? rate : null));
    if (focused) this.#foot.querySelector("button")?.focus();
  }

  #showTyping() {
    const { typist, agent } = this.#conversation;
    const { get } = this.#texts;
    const named = typist === "agent" && agent;
    this.#log.showTyping(named ? get("typing.agent", { name: agent.name }) : typist ? get("typing") : "");
  }

  /** @param {import("./types.js").SiteNotice} told what holds on the site now */
  #heed({ notice, bot }) {
    if (!this.#site) return;
    this.#site = { ...this.#site, notice, bot };
    const before = this.#announced;
    this.#announced = this.#head.announce({ notice, bot });
    this.#showWho();
    if (this.#announced !== before) this.#announce(this.#announced);
  }

  /** @param {string} text */
  #complain(text) {
    this.#problem.textContent = text;
  }

  // Humans

  #requestHuman() {
    return this.#attempt(async () => {
      try {
        await this.#conversation.requestHuman();
      } catch (error) {
        if (!(error instanceof Problem && error.code === "not-reachable")) throw error;
        this.#offerCallback(error.message);
      }
    });
  }

  /** @param {() => Promise<void>} act */
  async #attempt(act) {
    this.#complain("");
    try {
      await act();
    } catch (error) {
      if (error instanceof Superseded) return;
      this.#complain((error instanceof Problem && error.message) || this.#texts.get("connection.failed"));
    }
  }

  /**
   * Nobody is there: say when somebody is, and what can be done meanwhile.
   * @param {string} text
   */
  #offerCallback(text) {
    const callBack = button(this.#texts.get("callback"), () => this.#askCallback(), { class: "primary" });
    const words = el("p", {}, ...withPhone(text, this.#site?.hotline.phone ?? ""));
    this.#log.offer(el("div", { class: "offer" }, words, callBack));
    this.#announce(text);
  }

  #askCallback() {
    if (!this.#callback) return;
    this.#showView(this.#callback);
    this.#callback.show(this.#conversation.state === "queued" ? this.#texts.get("callback.queued") : "");
  }

  /** @param {import("./types.js").CallbackWish} wish */
  async #callBack(wish) {
    const text = await this.#conversation.callBack(wish);
    if (this.#conversation.state === "queued") this.#attempt(() => this.#conversation.backToBot());
    return text;
  }

  // Menu

  #toggleMenu() {
    if (!this.#menu) return;
    if (this.#view === this.#menu) return this.#hideView({ focus: true });
    this.#showView(this.#menu);
    this.#opener = this.#head.menuButton;
    this.#head.menuButton.setAttribute("aria-expanded", "true");
    const { alive, state, calledBack } = this.#conversation;
    this.#menu.show({ there: alive || state === "closed", calledBack });
  }

  /** @param {View} view */
  #showView(view) {
    const focused = this.#host.shadowRoot?.activeElement;
    if (!this.#view) this.#opener = focused instanceof HTMLElement ? focused : null;
    if (this.#view !== view) this.#hideView();
    this.#view = view;
    this.#main.hidden = true;
  }

  #hideView({ focus = false } = {}) {
    if (!this.#view) return;
    this.#view.hide();
    this.#view = null;
    this.#main.hidden = false;
    this.#head.menuButton.setAttribute("aria-expanded", "false");
    this.#see();
    if (!focus) return;
    if (this.#opener?.checkVisibility()) this.#opener.focus();
    else this.#focusInput();
  }

  async #save() {
    await this.#withTranscript((text) => saveText(text, this.#fileName("menu.file")));
  }

  async #print() {
    await this.#withTranscript((text) => printText(this.#dialog, this.#about, text));
  }

  /** @param {(text: string) => void} use */
  async #withTranscript(use) {
    this.#hideView({ focus: true });
    try {
      use(await this.#conversation.transcript());
    } catch (error) {
      this.#complain((error instanceof Problem && error.message) || this.#texts.get("connection.lost"));
    }
  }

  async #erase() {
    await this.#conversation.erase();
    this.#hideView();
    this.#live.replaceChildren();
    this.#foot.querySelector("button")?.focus();
  }

  // Paper

  get #about() {
    return { language: this.#host.language, title: this.#texts.get("title") };
  }

  /** @param {string} key */
  #fileName(key) {
    return `${this.#texts.get(key)}-${new Date().toLocaleDateString("sv")}.txt`;
  }
}
