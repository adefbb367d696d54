/** What helps with the active conversation: answers of the catalogue, notes, facts. */

import { button, el } from "/widget/dom.js";
import { markdown } from "/widget/markdown.js";
import { byId, fill, put } from "./nodes.js";
import { clock } from "./times.js";

/** @typedef {import("./pane.js").Pane} Pane */
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./types.js").CatalogueAnswer} CatalogueAnswer */

const KEPT = "stadtbot-desk-aside";
/** Where the helps stand beside the conversation, and not over it. */
const WIDE = "(min-width: 75rem)";
const TABS = ["answers", "notes", "facts"];

export class Aside {
  #desk;
  #panes;
  #replies;
  #given;
  #say;
  #element = byId("aside");
  #toggle = byId("aside-toggle");
  #search = byId("answers-search", HTMLInputElement);
  #found = byId("answers-found");
  /** @type {Conversation | null} */
  #shown = null;
  /** @type {WeakMap<Conversation, {question: string, answers: CatalogueAnswer[]}>} */
  #answers = new WeakMap();
  /** @type {WeakMap<Conversation, string>} */
  #notes = new WeakMap();
  #suggested = "";

  /**
   * @param {import("./desk.js").Desk} desk
   * @param {import("./panes.js").Panes} panes
   * @param {import("./replies.js").Replies} replies
   * @param {import("./types.js").Given} given
   * @param {import("./types.js").Say} say
   */
  constructor(desk, panes, replies, given, say) {
    this.#desk = desk;
    this.#panes = panes;
    this.#replies = replies;
    this.#given = given;
    this.#say = say;
    this.#toggle.addEventListener("click", () => this.open(Boolean(this.#element.hidden), { keep: true }));
    byId("aside-close").addEventListener("click", () => {
      this.open(false, { keep: true });
      this.#toggle.focus();
    });
    this.#element.addEventListener("keydown", (event) => event.key === "Escape" && byId("aside-close").click());
    byId("tabs").addEventListener("keydown", (event) => this.#walk(event));
    for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => this.choose(name));
    byId("answers-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
    byId("note-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#addNote();
    });
    byId("note").addEventListener("input", () => {
      if (this.#shown) this.#notes.set(this.#shown, byId("note", HTMLTextAreaElement).value);
    });
    // Where it would cover the conversation it waits to be asked for.
    this.open(matchMedia(WIDE).matches && localStorage.getItem(KEPT) !== "closed");
    panes.addEventListener("change", () => this.show());
  }

  /**
   * @param {boolean} open
   * @param {{keep?: boolean}} [options]
   */
  open(open, { keep = false } = {}) {
    this.#element.hidden = !open;
    this.#toggle.setAttribute("aria-expanded", String(open));
    byId("columns").classList.toggle("with-aside", open);
    if (keep) localStorage.setItem(KEPT, open ? "open" : "closed");
    if (open) this.#suggest();
  }

  /** @param {string} chosen */
  choose(chosen) {
    for (const name of TABS) {
      const tab = byId(`tab-${name}`);
      tab.setAttribute("aria-selected", String(name === chosen));
      tab.tabIndex = name === chosen ? 0 : -1;
      byId(`panel-${name}`).hidden = name !== chosen;
    }
  }

  /**
   * Put a text into the active conversation's message field, which must not stay covered.
   * @param {string} text
   */
  insert(text) {
    if (!matchMedia(WIDE).matches) this.open(false);
    this.#panes.active?.insert(text);
  }

  /** Open the search of the catalogue and go there. */
  searchAnswers() {
    this.open(true);
    this.choose("answers");
    const question = this.#shown?.lastQuestion ?? "";
    if (question && this.#search.value === this.#suggested) this.#search.value = this.#suggested = question;
    this.#search.focus();
    this.#search.select();
  }

  /** Show what belongs to the active conversation. */
  show() {
    const pane = this.#panes.active;
    const conversation = pane?.conversation ?? null;
    const whose = pane ? this.#say("aside.whose", { number: pane.number, topic: pane.topic }) : this.#say("aside.nobody");
    put(byId("aside-whose"), whose);
    if (conversation !== this.#shown) this.#turnTo(conversation);
    this.#showNotes(conversation);
    this.#showFacts(conversation);
  }

  /** @param {Conversation | null} conversation */
  #turnTo(conversation) {
    this.#shown = conversation;
    const known = conversation && this.#answers.get(conversation);
    this.#search.value = this.#suggested = known?.question ?? conversation?.lastQuestion ?? "";
    byId("note", HTMLTextAreaElement).value = (conversation && this.#notes.get(conversation)) ?? "";
    this.#showAnswers(known?.answers ?? null);
    this.#replies.show();
    this.#suggest();
  }

  /** Look up the last question as soon as somebody would see the result. */
  #suggest() {
    const { conversation } = this.#panes.active ?? {};
    if (!conversation || this.#element.hidden || this.#answers.has(conversation)) return;
    if (!this.#search.value) this.#search.value = this.#suggested = conversation.lastQuestion;
    if (this.#search.value.trim()) this.#ask();
  }

  async #ask() {
    const conversation = this.#shown;
    const question = this.#search.value.trim();
    if (!question) return this.#search.focus();
    const state = byId("answers-state");
    put(state, this.#say("answers.searching"));
    try {
      const answers = await this.#desk.answers(question);
      if (conversation) this.#answers.set(conversation, { question, answers });
      if (conversation === this.#shown) this.#showAnswers(answers);
    } catch {
      put(state, this.#say("unreachable"));
    }
  }

  /** @param {CatalogueAnswer[] | null} answers */
  #showAnswers(answers) {
    /** @type {Map<string, CatalogueAnswer[]>} */
    const services = new Map();
    for (const answer of answers ?? []) services.set(answer.service_id, [...(services.get(answer.service_id) ?? []), answer]);
    const count = services.size;
    const key = count === 0 ? "answers.none" : count === 1 ? "answers.one" : "answers.count";
    put(byId("answers-state"), answers ? this.#say(key, { count }) : "");
    const nodes = [...services.values()].map((aspects, index) => this.#serviceNode(aspects, index === 0));
    this.#found.replaceChildren(...nodes);
  }

  /**
   * @param {CatalogueAnswer[]} aspects
   * @param {boolean} open
   */
  #serviceNode(aspects, open) {
    const entries = aspects.map((answer) => {
      const insert = button(this.#say("answers.insert"), () => this.#insert(answer), { class: "small" });
      insert.append(el("span", { class: "hidden" }, ` ${answer.title}, ${answer.label}`));
      const head = el("p", { class: "aspect" }, el("strong", {}, answer.label), insert);
      return el("li", {}, head, el("div", { class: "text" }, ...markdown(answer.text, this.#say("new-tab"))));
    });
    return el("details", { class: "service", open }, el("summary", {}, aspects[0]?.title ?? ""), el("ul", {}, ...entries));
  }

  /** @param {CatalogueAnswer} answer */
  #insert(answer) {
    const source = answer.source_url && this.#say("answers.source", { url: answer.source_url });
    this.insert([answer.text, source].filter(Boolean).join("\n\n"));
  }

  /** @param {Conversation | null} conversation */
  #showNotes(conversation) {
    const notes = conversation?.details?.notes ?? [];
    const entries = notes.map((note, index) => ({ key: `${conversation?.id} ${index}`, note }));
    fill(byId("notes"), entries, ({ key }) => key, ({ note }) => {
      const by = el("p", { class: "by" }, el("span", { class: "author" }, note.author), " ", el("time", { datetime: note.at }, clock(note.at)));
      return el("li", {}, by, el("p", { class: "text" }, note.text));
    });
    if (!notes.length) byId("notes").replaceChildren(el("li", { class: "empty" }, this.#say("notes.none")));
    byId("note-form").hidden = !conversation;
    const name = this.#say("tab.notes");
    put(byId("tab-notes"), notes.length ? `${name} (${notes.length})` : name);
  }

  async #addNote() {
    const field = byId("note", HTMLTextAreaElement);
    const conversation = this.#shown;
    if (!conversation || !field.value.trim()) return field.focus();
    const text = field.value;
    try {
      await this.#desk.addNote(conversation, text);
      this.#notes.delete(conversation);
      if (conversation === this.#shown && field.value === text) field.value = "";
      field.setCustomValidity("");
      this.show();
    } catch {
      field.setCustomValidity(this.#say("unreachable"));
      field.reportValidity();
      field.setCustomValidity("");
    }
  }

  /** @param {Conversation | null} conversation */
  #showFacts(conversation) {
    const details = conversation?.details;
    const say = this.#say;
    const earlier = details?.earlier.map((one) =>
      say("fact.earlier.one", {
        department: one.department.name,
        begun: clock(one.begun),
        ended: clock(one.ended),
        end: say(`end.${one.end}`),
      }),
    );
    /** @type {[string, string][]} */
    const facts = details
      ? [
          ["channel", say(`channel.${details.channel}`)],
          ["site", this.#given.sites[details.site] ?? details.site],
          ["language", language(details.language)],
          ["department", details.department.name],
          ["service", details.service?.name ?? say("no-service")],
          ["since", clock(details.since)],
          ["earlier", earlier?.join("; ") || say("fact.earlier.none")],
        ]
      : [];
    if (details?.channel === "phone") facts.push(["caller", details.caller ?? say("fact.caller.none")]);
    const entries = facts.flatMap(([key, value]) => [
      { key: `${key} dt`, node: () => el("dt", {}, say(`fact.${key}`)) },
      { key: `${key} ${value}`, node: () => el("dd", {}, value) },
    ]);
    fill(byId("facts"), entries, ({ key }) => key, ({ node }) => node());
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const at = TABS.findIndex((name) => byId(`tab-${name}`) === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const name = TABS[(to + TABS.length) % TABS.length] ?? "answers";
    this.choose(name);
    byId(`tab-${name}`).focus();
  }
}

/** @param {string} code */
function language(code) {
  return new Intl.DisplayNames("de-DE", { type: "language" }).of(code) ?? code;
}
