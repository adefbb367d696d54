/** Canned replies: found by a word, their gaps filled. */

import { button, el } from "/widget/dom.js";
import { byId, fill } from "./nodes.js";

/** @typedef {import("./types.js").CannedReply} CannedReply */
/** @typedef {import("./conversation.js").Conversation} Conversation */

const GAP = /\{(name|amt|stadt|telefon|leistung)\}/;

/**
 * The first gap that a text still has.
 * @param {string} text
 */
export function firstGap(text) {
  const match = GAP.exec(text);
  return match ? { index: match.index, text: match[0] } : null;
}

/** The replies of the agent's departments, in the panel and in the dialog that `/` opens. */
export class Replies {
  #desk;
  #given;
  #current;
  #insertText;
  /** @type {CannedReply[]} */
  #replies = [];
  #picker = byId("picker", HTMLDialogElement);

  /**
   * @param {import("./desk.js").Desk} desk
   * @param {import("./types.js").Given} given
   * @param {() => import("./pane.js").Pane | null} current the pane that a reply goes to
   * @param {(text: string) => void} insert
   */
  constructor(desk, given, current, insert) {
    this.#desk = desk;
    this.#given = given;
    this.#current = current;
    this.#insertText = insert;
    for (const place of ["replies", "picker"]) this.#install(place);
    this.#picker.addEventListener("keydown", (event) => this.#walk(event));
  }

  /** Ask for them again: somebody may have changed them. */
  async load() {
    this.#replies = await this.#desk.replies().catch(() => this.#replies);
    this.show();
  }

  /** Open the dialog. */
  pick() {
    byId("picker-search", HTMLInputElement).value = "";
    this.show();
    this.load();
    this.#picker.showModal();
  }

  show() {
    for (const place of ["replies", "picker"]) this.#list(place);
  }

  /** @param {string} place */
  #install(place) {
    const search = byId(`${place}-search`, HTMLInputElement);
    search.addEventListener("input", () => this.#list(place));
    search.addEventListener("keydown", (event) => {
      const first = this.#found(search.value)[0];
      if (event.key !== "Enter" || !first) return;
      event.preventDefault();
      this.#insert(first);
    });
  }

  /** @param {string} place */
  #list(place) {
    const found = this.#found(byId(`${place}-search`, HTMLInputElement).value);
    const values = this.#values();
    const keyOf = (/** @type {CannedReply} */ reply) => `${reply.id} ${filled(reply.text, values)}`;
    fill(byId(`${place}-found`), found, keyOf, (reply) => {
      const entry = button(el("strong", {}, reply.title), () => this.#insert(reply), { class: "reply" });
      entry.append(" ", el("span", {}, filled(reply.text, values)));
      return el("li", {}, entry);
    });
    byId(`${place}-none`).hidden = found.length > 0;
  }

  /** @param {string} text */
  #found(text) {
    const words = text.toLocaleLowerCase("de").split(/\s+/).filter(Boolean);
    const department = this.#current()?.conversation.details?.department.id;
    const found = this.#replies.filter((reply) => {
      const where = `${reply.title} ${reply.text}`.toLocaleLowerCase("de");
      return words.every((word) => where.includes(word));
    });
    return found.sort((a, b) => Number(b.department === department) - Number(a.department === department));
  }

  /** @param {CannedReply} reply */
  #insert(reply) {
    this.#picker.close();
    this.#insertText(filled(reply.text, this.#values()));
  }

  /** What fills the gaps; a gap without a value stays, for the agent to fill. */
  #values() {
    const details = this.#current()?.conversation.details;
    return {
      name: this.#desk.board?.me.name,
      amt: details?.department.name,
      stadt: this.#given.city,
      telefon: this.#given.phone,
      leistung: details?.service?.name,
    };
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const stops = [byId("picker-search"), ...byId("picker-found").querySelectorAll("button")];
    const at = stops.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    stops[Math.min(stops.length - 1, Math.max(0, at + step))]?.focus();
  }
}

/**
 * @param {string} text
 * @param {Record<string, string | undefined>} values
 */
function filled(text, values) {
  return text.replace(new RegExp(GAP, "g"), (gap, name) => values[name] ?? gap);
}
