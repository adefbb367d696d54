/** The open chat: loads the site, shows the conversation, keeps focus and announcements in order. */

import { Api, Problem } from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { button, el, icon } from "./dom.js";
import { Look } from "./look.js";
import { Menu } from "./menu.js";
import { messageNode, pendingNode, phoneLink, readableDate, spoken } from "./message.js";
import { printText, saveText } from "./paper.js";
import { TabStorage } from "./storage.js";
import { backOff, pause } from "./stream.js";
import { FULL_SCREEN, SHORT, panelSheet } from "./style.js";
import { Texts } from "./texts.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Site} Site */

const ROOT = new URL("..", import.meta.url).href;
const TYPING_AFTER_MS = 400;
const MARGIN = 8;

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
  /** @type {Map<number, HTMLLIElement>} */
  #nodes = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typingTimer;
  #narrow = matchMedia(FULL_SCREEN);
  #short = matchMedia(SHORT);

  #title = el("h2", { id: "title", tabindex: -1 });
  #who = el("p", { class: "who" });
  #buttons = el("div", { class: "buttons" });
  #banner = el("p", { class: "banner", role: "status" });
  #main = el("div", { class: "main" });
  #log = el("div", { class: "log", role: "log", tabindex: 0, "aria-live": "off" });
  #before = el("div", { class: "before" });
  #list = el("ol", { class: "messages" });
  #typing = el("p", { class: "typing", hidden: true });
  #newer = el("button", { type: "button", class: "newer", hidden: true, onclick: () => this.#showNewest() });
  // The log itself is not live: what is new is said here, in words fit for it and even when they are the same again.
  #live = el("div", { class: "hidden", "aria-live": "polite", "aria-relevant": "additions" });
  #problem = el("p", { class: "problem", role: "alert" });
  #foot = el("div", { class: "foot" });
  #dialog = el("dialog", { class: "panel", "aria-labelledby": "title" });
  /** @type {Composer | null} */
  #composer = null;
  /** @type {Menu | null} */
  #menu = null;
  #menuButton = el("button", { type: "button", class: "head-button", "aria-expanded": "false", onclick: () => this.#toggleMenu() });

  /** @param {import("./types.js").Host} host */
  constructor(host) {
    this.#host = host;
    this.#storage = new TabStorage(`stadtbot ${ROOT} ${host.site}`);
    this.#conversation = new Conversation(this.#api, this.#storage, `stadtbot ${ROOT}`);
    const root = /** @type {ShadowRoot} */ (host.shadowRoot);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, panelSheet, this.#look.sheet];
    this.#look.scale = this.#storage.kept.scale ?? 1;
    this.#log.append(this.#before, this.#list, this.#typing);
    this.#main.append(this.#log, this.#newer, this.#problem, this.#foot);
    this.#dialog.append(
      el("div", { class: "head" }, this.#title, this.#buttons, this.#who),
      this.#banner,
      this.#main,
      this.#live,
    );
    root.append(this.#dialog);
    this.#writeHead();
    this.#listen();
  }

  /** @param {{focus: boolean}} options */
  open({ focus }) {
    if (this.#open) return focus ? this.#focusInput() : undefined;
    this.#open = true;
    this.#storage.keep({ open: true });
    this.#show();
    if (focus) this.#title.focus();
    if (this.#site && this.#conversation.state !== "none") this.#conversation.follow();
    else this.#load();
    if (focus && this.#composer) this.#focusInput();
    this.#showNewest();
  }

  close() {
    this.#open = false;
    this.#storage.keep({ open: false });
    this.#conversation.leave();
    if (this.#dialog.open) this.#dialog.close();
  }

  /**
   * Ask as soon as there is a conversation.
   * @param {string} question
   */
  ask(question) {
    this.#hideMenu();
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
    this.#log.addEventListener("scroll", () => {
      if (this.#isAtEnd()) this.#newer.hidden = true;
    });
    addEventListener("pagehide", () => this.#conversation.leave());
    addEventListener("pageshow", () => this.#open && this.#conversation.follow());
    const conversation = this.#conversation;
    /** @type {Record<string, (detail: any) => void>} */
    const handlers = {
      change: ({ added }) => this.#render(added),
      state: () => this.#showState(),
      connection: (connected) => this.#warn(connected ? "" : this.#texts.get("connection.lost")),
      typing: (typing) => this.#showTyping(typing),
      queue: (queue) => this.#showQueue(queue),
      problem: (text) => this.#complain(text),
      returned: (text) => this.#composer?.giveBack(text),
    };
    for (const [name, handle] of Object.entries(handlers)) {
      conversation.addEventListener(name, (event) => handle(/** @type {CustomEvent} */ (event).detail));
    }
  }

  #escape() {
    if (this.#menu && !this.#menu.element.hidden) this.#hideMenu({ focus: true });
    else this.#host.close();
  }

  /** On a touch screen the keyboard would cover the greeting, on a short one the field itself: the title it is. */
  #focusInput() {
    const covers = this.#short.matches || matchMedia("(pointer: coarse)").matches;
    (covers ? this.#title : (this.#composer?.field ?? this.#title)).focus();
  }

  // Loading

  async #load() {
    if (this.#loading) return;
    this.#loading = true;
    for (let failures = 0; this.#open; failures += 1) {
      try {
        if (!this.#site) await this.#loadSite();
        this.#warn("");
        if (this.#site?.bot) await this.#converse();
        break;
      } catch (error) {
        if (error instanceof Problem && !error.passing) {
          if (!error.gone || this.#conversation.state !== "gone") this.#warn(error.message);
          break;
        }
        const detail = error instanceof Problem && error.message;
        this.#warn(detail || this.#texts.get("unreachable"), this.#texts.get("retry.now"));
        await pause((error instanceof Problem && error.retryAfter) || backOff(failures), this.#conversation);
      }
    }
    this.#loading = false;
  }

  async #loadSite() {
    const { site, language } = this.#host;
    if (!this.#title.textContent) this.#writeHead();
    this.#banner.textContent ||= this.#texts.get("loading");
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
    const focused = this.#host.shadowRoot?.activeElement === this.#title;
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
    this.#hideMenu();
    this.#complain("");
    try {
      await this.#begin();
      this.#warn("");
      this.#focusInput();
      if (this.#question) this.#say(this.#question);
      this.#question = "";
    } catch (error) {
      this.#complain((error instanceof Problem && error.message) || this.#texts.get("unreachable"));
    }
  }

  // Building

  #writeHead() {
    const { get } = this.#texts;
    this.#title.textContent = get("title");
    const close = button(icon("M6 6l12 12M18 6 6 18"), () => this.#host.close(), { class: "head-button" });
    close.append(el("span", {}, get("close")));
    if (this.#site) this.#menuButton.replaceChildren(icon("M4 7h16M4 12h16M4 17h16"), el("span", {}, get("menu")));
    this.#buttons.replaceChildren(...(this.#site ? [this.#menuButton] : []), close);
  }

  /** @param {Site} site */
  #build(site) {
    const texts = this.#texts;
    this.#writeHead();
    this.#who.textContent = texts.get("who.bot");
    this.#log.setAttribute("aria-label", texts.get("log"));
    this.#typing.textContent = texts.get("typing");
    this.#newer.textContent = texts.get("newer");
    const phone = phoneLink(site.hotline.phone);
    const contact = el("p", { class: "notice" }, site.reachability.text, " ", phone);
    this.#before.replaceChildren(
      ...(site.notice ? [el("p", { class: "notice", role: "note" }, site.notice.text)] : []),
      ...(site.bot ? [] : [el("p", { class: "notice" }, texts.get("bot.off")), contact]),
    );
    this.#composer = new Composer(texts, (text) => this.#say(text));
    this.#foot.replaceChildren(...(site.bot ? [this.#composer.element] : []));
    this.#menu = new Menu(
      texts,
      {
        back: () => this.#hideMenu({ focus: true }),
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
    this.#main.before(this.#menu.element);
  }

  // Messages

  /** @param {Message[]} added */
  #render(added) {
    if (!this.#site) return;
    const atEnd = this.#isAtEnd() || this.#conversation.waiting || this.#quiet;
    const messages = this.#conversation.messages;
    if (!messages.length) this.#clear();
    for (const node of this.#list.querySelectorAll(".pending")) node.remove();
    this.#insert(messages);
    for (const pending of this.#conversation.pending) {
      const node = pendingNode(pending, this.#texts);
      node.classList.add("pending");
      this.#list.append(node);
    }
    if (added.length) this.#complain("");
    if (!this.#conversation.waiting) this.#showTyping(false);
    else if (!added.length) this.#showTyping(true);
    this.#announce(added);
    if (atEnd) this.#showNewest();
    else if (added.length) this.#newer.hidden = false;
  }

  #clear() {
    this.#nodes.clear();
    this.#list.replaceChildren();
  }

  /** @param {Message[]} messages in order */
  #insert(messages) {
    /** @type {Element | null} */
    let next = null;
    for (const message of messages.reverse()) {
      let node = this.#nodes.get(message.seq);
      if (!node) {
        node = this.#messageNode(message);
        this.#nodes.set(message.seq, node);
        this.#list.insertBefore(node, next);
      }
      next = node;
    }
  }

  /** @param {Message} message */
  #messageNode(message) {
    return messageNode(message, {
      texts: this.#texts,
      choose: (choice) => this.#speak(() => this.#conversation.choose(choice)),
      rate: (seq, rating) => this.#conversation.rate(seq, rating),
      save: (saved) => saveText(`${this.#plain(saved)}\n`, this.#fileName("answer.file")),
      print: (printed) => this.#printMessage(printed),
    });
  }

  /** @param {Message[]} added */
  #announce(added) {
    if (this.#quiet) return;
    for (const message of added) {
      if (message.author === "citizen") continue;
      this.#live.append(el("p", { lang: message.lang }, spoken(message, this.#texts)));
    }
    while (this.#live.childElementCount > 3) this.#live.firstElementChild?.remove();
  }

  /** @param {string} text */
  #say(text) {
    this.#speak(() => this.#conversation.say(text));
  }

  /** @param {() => void} utter */
  #speak(utter) {
    this.#complain("");
    utter();
    this.#showNewest();
  }

  #isAtEnd() {
    if (this.#short.matches) return true;
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight < 48;
  }

  /** Show the newest exchange from its beginning: a long answer is read from its top. */
  #showNewest() {
    const citizens = this.#list.querySelectorAll(".citizen");
    const start = citizens[citizens.length - 1];
    const room = this.#short.matches ? this.#dialog : this.#log;
    if (!start) room.scrollTop = 0;
    else room.scrollTop += start.getBoundingClientRect().top - room.getBoundingClientRect().top - MARGIN;
    this.#newer.hidden = true;
  }

  // States

  #showState() {
    const { state, alive } = this.#conversation;
    if (!this.#site || state === "none") return;
    const { get } = this.#texts;
    this.#who.textContent = get(state === "agent" || state === "queued" ? `who.${state}` : "who.bot");
    if (alive) {
      if (this.#composer) this.#foot.replaceChildren(this.#composer.element);
      if (this.#open) this.#conversation.follow();
    } else {
      const again = button(get("menu.new"), () => this.#renew(), { class: "primary" });
      const text = el("p", { role: "status" }, get(`ended.${state}`));
      this.#foot.replaceChildren(el("div", { class: "ended" }, text, again));
      this.#showTyping(false);
    }
  }

  /** @param {boolean} typing */
  #showTyping(typing) {
    clearTimeout(this.#typingTimer);
    if (!typing) this.#typing.hidden = !this.#conversation.waiting || this.#typing.hidden;
    else this.#typingTimer = setTimeout(() => (this.#typing.hidden = false), TYPING_AFTER_MS);
  }

  /** @param {{position?: number, wait_minutes?: number, text?: string}} queue */
  #showQueue({ position, wait_minutes: minutes, text }) {
    const words = position ? this.#texts.get("queue.position", { position }) : "";
    const wait = minutes ? this.#texts.get("queue.wait", { minutes }) : "";
    this.#warn(text ?? [words, wait].filter(Boolean).join(" "));
  }

  /**
   * @param {string} text nothing takes the banner away
   * @param {string} [retry] label of a button that tries at once
   */
  #warn(text, retry = "") {
    if (this.#banner.firstChild?.textContent === text && text) return;
    this.#banner.replaceChildren(...(text ? [el("span", {}, text)] : []));
    if (retry) this.#banner.append(button(retry, () => this.#conversation.wake(), { class: "plain" }));
  }

  /** @param {string} text */
  #complain(text) {
    this.#problem.textContent = text;
  }

  // Menu

  #toggleMenu() {
    if (!this.#menu) return;
    if (!this.#menu.element.hidden) return this.#hideMenu({ focus: true });
    this.#main.hidden = true;
    this.#menuButton.setAttribute("aria-expanded", "true");
    this.#menu.show(this.#conversation.alive || this.#conversation.state === "closed");
  }

  #hideMenu({ focus = false } = {}) {
    if (!this.#menu || this.#menu.element.hidden) return;
    this.#menu.hide();
    this.#main.hidden = false;
    this.#menuButton.setAttribute("aria-expanded", "false");
    if (focus) this.#menuButton.focus();
  }

  async #save() {
    await this.#withTranscript((text) => saveText(text, this.#fileName("menu.file")));
  }

  async #print() {
    await this.#withTranscript((text) => printText(this.#dialog, this.#about, text));
  }

  /** @param {(text: string) => void} use */
  async #withTranscript(use) {
    this.#hideMenu({ focus: true });
    try {
      use(await this.#conversation.transcript());
    } catch (error) {
      this.#complain((error instanceof Problem && error.message) || this.#texts.get("connection.lost"));
    }
  }

  async #erase() {
    await this.#conversation.erase();
    this.#hideMenu();
    this.#clear();
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

  /** @param {Message} message */
  #plain(message) {
    const texts = this.#texts;
    const { answer } = message;
    const office = answer?.office;
    const source = answer?.source_url && `${texts.get("source")}: ${answer.source_url}`;
    const asOf = answer?.as_of && `${texts.get("as_of")}: ${readableDate(answer.as_of, message.lang)}`;
    return [
      answer?.title,
      message.text.replace(/\*\*/g, "").replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, "$1 ($2)"),
      ...(answer?.actions ?? []).map((action) => `${action.label}: ${action.url}`),
      office && [office.name, office.phone, office.hours_today].filter(Boolean).join(", "),
      [source, asOf].filter(Boolean).join(", "),
    ]
      .filter(Boolean)
      .join("\n\n");
  }

  /** @param {Message} message */
  #printMessage(message) {
    printText(this.#dialog, this.#about, this.#plain(message));
  }
}
