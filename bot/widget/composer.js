/** Where the citizen writes: a growing field, a counter near the limit, and the way to a human. */

import { el, icon } from "./dom.js";

const MAX_LENGTH = 2000;
const COUNT_FROM = 1800;
const MAX_ROWS = 6;

export class Composer {
  element;
  field;
  #counter = el("p", { class: "counter", id: "counter", "aria-live": "polite" });
  #label;
  #texts;
  #say;
  #typing;

  /**
   * @param {import("./texts.js").Texts} texts
   * @param {(text: string) => void} say
   * @param {{typing: () => void, below: HTMLElement}} options what to do when something is typed; what stands below
   */
  constructor(texts, say, { typing, below }) {
    this.#texts = texts;
    this.#say = say;
    this.#typing = typing;
    this.#label = el("label", { for: "question" }, texts.get("question"));
    this.field = el("textarea", {
      id: "question",
      rows: 1,
      autocomplete: "off",
      enterkeyhint: "send",
      "aria-describedby": "counter",
      oninput: () => this.#typed(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        this.#submit();
      },
    });
    const send = el("button", { type: "submit", class: "primary send" }, icon("M4 12h15M13 6l6 6-6 6"), el("span", {}, texts.get("send")));
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit();
    };
    this.element = el(
      "form",
      { class: "composer", onsubmit: submit },
      this.#label,
      el("div", { class: "line" }, this.field, send),
      this.#counter,
      below,
    );
  }

  /**
   * Give a text back, without losing what has been typed since.
   * @param {string} text
   */
  giveBack(text) {
    this.field.value = [text, this.field.value].filter(Boolean).join("\n");
    this.#changed();
  }

  /** @param {string} key of the field's label, which depends on whom one writes to */
  address(key) {
    const text = this.#texts.get(key);
    if (this.#label.textContent !== text) this.#label.textContent = text;
  }

  #typed() {
    this.#changed();
    if (this.field.value.trim()) this.#typing();
  }

  #submit() {
    const text = this.field.value.trim();
    if (!text) return this.field.focus();
    if (length(text) > MAX_LENGTH) return this.#changed();
    this.field.value = "";
    this.#changed();
    this.#say(text);
  }

  #changed() {
    this.field.rows = 1;
    while (this.field.rows < MAX_ROWS && this.field.scrollHeight > this.field.clientHeight + 2) this.field.rows += 1;
    const left = MAX_LENGTH - length(this.field.value.trim());
    const key = left < 0 ? "counter.over" : "counter.left";
    this.#counter.textContent = left <= MAX_LENGTH - COUNT_FROM ? this.#texts.get(key, { count: Math.abs(left) }) : "";
    this.field.setAttribute("aria-invalid", String(left < 0));
  }
}

/**
 * Characters as the service counts them.
 * @param {string} text
 */
const length = (text) => [...text].length;
