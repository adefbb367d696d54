/**
 * The open conversations, one or two side by side. One of them is active: it is what helps and shortcuts are about.
 *
 * Events: `change`.
 */

import { byId } from "./nodes.js";
import { Pane } from "./pane.js";

/** @typedef {import("./conversation.js").Conversation} Conversation */

const KEPT = "stadtbot-desk-open";

export class Panes extends EventTarget {
  #desk;
  #acts;
  #element = byId("panes");
  /** @type {Pane[]} */
  #panes = [];
  /** @type {Pane | null} */
  active = null;
  sideBySide = false;
  /** @type {Set<string>} what was open before the page was loaded again */
  #before = new Set();

  /**
   * @param {import("./desk.js").Desk} desk
   * @param {Omit<import("./pane.js").Acts, "activate" | "close" | "numberOf">} acts
   */
  constructor(desk, acts) {
    super();
    this.#desk = desk;
    this.#acts = {
      ...acts,
      numberOf: (/** @type {Conversation} */ conversation) => desk.mine.indexOf(conversation) + 1,
      activate: (/** @type {Pane} */ pane) => this.#activate(pane),
      close: (/** @type {Pane} */ pane) => this.#leave(pane),
    };
    this.#before = new Set(sessionStorage.getItem(KEPT)?.split(" "));
    desk.addEventListener("conversation", (event) => this.#changed(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {Conversation} conversation */
  isShown(conversation) {
    return this.#panes.some((pane) => pane.conversation === conversation);
  }

  /**
   * Show a conversation, beside another one if that is wanted.
   * @param {Conversation} conversation
   * @param {{focus?: boolean}} [options]
   */
  open(conversation, { focus = false } = {}) {
    let pane = this.#panes.find((one) => one.conversation === conversation);
    if (!pane) {
      pane = new Pane(conversation, this.#acts);
      this.#place(pane);
    }
    this.#activate(pane);
    if (focus) pane.focus();
  }

  /** @param {boolean} sideBySide */
  arrange(sideBySide) {
    this.sideBySide = sideBySide;
    for (const pane of sideBySide ? [] : this.#panes.filter((one) => one !== this.active)) this.#remove(pane);
    const other = this.#desk.mine.find((conversation) => !this.isShown(conversation));
    if (sideBySide && this.#panes.length === 1 && other) this.#place(new Pane(other, this.#acts));
    this.#tell();
  }

  /** Show what has changed around the panes. */
  show() {
    for (const pane of this.#panes) pane.show();
  }

  /** What is in view counts as read. */
  look() {
    for (const pane of this.#panes) pane.look();
  }

  /** @param {Conversation} conversation one that is new here, or has changed hands */
  #changed(conversation) {
    const pane = this.#panes.find((one) => one.conversation === conversation);
    if (this.#desk.conversation(conversation.id) !== conversation) {
      if (pane) this.#leave(pane);
    } else if (!pane && conversation.mine && (this.#before.delete(conversation.id) || !this.#panes.length)) {
      if (this.sideBySide || !this.#panes.length) this.open(conversation);
    }
    this.#tell();
  }

  /** @param {Pane} pane */
  #place(pane) {
    const room = this.sideBySide ? 2 : 1;
    const leaving = this.#panes.length < room ? null : (this.#panes.find((one) => one !== this.active) ?? this.active);
    if (leaving) this.#remove(leaving);
    const after = this.#panes.find((one) => one.number > pane.number) ?? null;
    this.#element.insertBefore(pane.element, after?.element ?? null);
    this.#panes.splice(after ? this.#panes.indexOf(after) : this.#panes.length, 0, pane);
    this.active ??= pane;
    pane.placed();
  }

  /** @param {Pane} pane */
  #remove(pane) {
    this.#panes = this.#panes.filter((one) => one !== pane);
    if (this.active === pane) this.active = this.#panes[0] ?? null;
    pane.dispose();
    this.#desk.drop(pane.conversation);
  }

  /** @param {Pane} pane one that is not needed any more; the next conversation takes its place */
  #leave(pane) {
    const hadFocus = pane.element.contains(document.activeElement) || document.activeElement === document.body;
    this.#remove(pane);
    const next = this.#desk.mine.find((conversation) => !this.isShown(conversation));
    if (next && !this.#panes.length) this.#place(new Pane(next, this.#acts));
    if (hadFocus) (this.active ?? byId("inhalt")).focus();
    this.#tell();
  }

  /** @param {Pane} pane */
  #activate(pane) {
    if (this.active === pane && pane.element.classList.contains("active")) return;
    this.active = pane;
    this.#tell();
    pane.look();
  }

  #tell() {
    for (const pane of this.#panes) pane.element.classList.toggle("active", pane === this.active);
    this.#element.classList.toggle("two", this.#panes.length > 1);
    byId("panes-empty").hidden = this.#panes.length > 0;
    sessionStorage.setItem(KEPT, this.#panes.map((pane) => pane.conversation.id).join(" "));
    this.dispatchEvent(new Event("change"));
  }
}
