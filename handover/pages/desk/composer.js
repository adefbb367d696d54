/** The message field of a conversation: Enter sends, what is not sent yet stays with the conversation. */

import { button, el } from "/widget/dom.js";
import { put } from "./nodes.js";
import { firstGap } from "./replies.js";

const COUNT_FROM_LEFT = 200;
const MAX_ROWS = 8;

export class Composer {
  element;
  field;
  #conversation;
  #say;
  #limit;
  #openReplies;
  #counter;
  #problem;

  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {object} given
   * @param {import("./types.js").Say} given.say
   * @param {number} given.limit characters of a message
   * @param {() => void} given.openReplies
   */
  constructor(conversation, { say, limit, openReplies }) {
    this.#conversation = conversation;
    this.#say = say;
    this.#limit = limit;
    this.#openReplies = openReplies;
    const id = `message-${conversation.id}`;
    this.#counter = el("p", { class: "counter", id: `${id}-counter`, "aria-live": "polite" });
    this.#problem = el("p", { class: "problem", role: "alert" });
    this.field = el("textarea", {
      id,
      rows: 2,
      autocomplete: "off",
      enterkeyhint: "send",
      placeholder: say("message.hint"),
      "aria-describedby": `${id}-counter`,
      "aria-keyshortcuts": "Alt+M",
      oninput: () => this.#typed(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
    });
    this.element = el(
      "form",
      {
        class: "composer",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          this.#submit();
        },
      },
      el("label", { class: "hidden", for: id }, say("message")),
      this.#problem,
      this.field,
      el(
        "div",
        { class: "composer-foot" },
        button(say("replies"), openReplies, { class: "small", "aria-haspopup": "dialog" }),
        this.#counter,
        el("button", { type: "submit", class: "small primary" }, say("send")),
      ),
    );
    this.field.value = conversation.draft;
  }

  /** Lets the field have the height of its text; only possible once it is on the page. */
  grow() {
    this.field.rows = 2;
    while (this.field.rows < MAX_ROWS && this.field.scrollHeight > this.field.clientHeight + 2) this.field.rows += 1;
  }

  /**
   * Put a text where the cursor is, apart from what stands there, and go on at its first gap.
   * @param {string} text
   */
  insert(text) {
    const { field } = this;
    const before = field.value.slice(0, field.selectionStart).trimEnd();
    const after = field.value.slice(field.selectionEnd).trimStart();
    const start = before ? before.length + 2 : 0;
    field.value = [before, text, after].filter(Boolean).join("\n\n");
    const gap = firstGap(text);
    const from = start + (gap ? gap.index : text.length);
    field.focus();
    field.setSelectionRange(from, from + (gap ? gap.text.length : 0));
    this.#changed();
  }

  /**
   * Give back what was not taken, before what has been written since.
   * @param {string} text
   * @param {string} reason
   */
  giveBack(text, reason) {
    this.field.value = [text, this.field.value].filter(Boolean).join("\n");
    this.#changed();
    put(this.#problem, this.#say("not-sent", { reason: reason || this.#say("failed") }));
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "/" && !this.field.value && !event.altKey && !event.ctrlKey) {
      event.preventDefault();
      this.#openReplies();
    }
  }

  #typed() {
    this.#changed();
    if (this.field.value.trim()) this.#conversation.typed();
    else this.#conversation.stoppedTyping();
  }

  #submit() {
    const text = this.field.value.trim();
    if (!text) return this.field.focus();
    const gap = firstGap(text);
    if (gap) {
      const from = this.field.value.indexOf(gap.text);
      this.field.setSelectionRange(from, from + gap.text.length);
      return put(this.#problem, this.#say("gap", { gap: gap.text }));
    }
    if ([...text].length > this.#limit) return this.#changed();
    this.field.value = "";
    this.#changed();
    this.#conversation.say(text);
  }

  #changed() {
    this.#conversation.draft = this.field.value;
    this.grow();
    const left = this.#limit - [...this.field.value.trim()].length;
    const key = left < 0 ? "counter.over" : "counter.left";
    put(this.#counter, left <= COUNT_FROM_LEFT ? this.#say(key, { count: Math.abs(left) }) : "");
    this.field.setAttribute("aria-invalid", String(left < 0));
    put(this.#problem, "");
  }
}
