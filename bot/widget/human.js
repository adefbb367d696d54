/** Below the field: the way to a human, the place in the queue, the way back. */

import { busyButton, button, el } from "./dom.js";

/** @typedef {import("./types.js").State} State */
/**
 * @typedef {object} Acts
 * @property {() => Promise<void>} request
 * @property {() => Promise<void>} leave
 * @property {() => void} callBack
 */

export class HumanRow {
  element = el("div", { class: "humans", role: "group", tabindex: -1 });
  #place = el("p", { class: "place" });
  #texts;
  #acts;
  /** @type {State} */
  #state = "bot";

  /**
   * @param {import("./texts.js").Texts} texts
   * @param {Acts} acts
   */
  constructor(texts, acts) {
    this.#texts = texts;
    this.#acts = acts;
    this.element.setAttribute("aria-label", texts.get("humans"));
    this.#fill();
  }

  /**
   * @param {State} state who has the conversation
   * @param {string} place where the citizen stands, in words
   */
  show(state, place) {
    if (this.#place.textContent !== place) this.#place.textContent = place;
    if (this.#state === state) return;
    this.#state = state;
    this.#fill();
  }

  #fill() {
    const { get } = this.#texts;
    const { request, leave, callBack } = this.#acts;
    if (this.#state === "queued") {
      this.#replace(
        this.#place,
        busyButton(get("queue.leave"), leave, { class: "plain" }),
        button(get("queue.callback"), callBack, { class: "plain" }),
      );
    } else if (this.#state === "agent") {
      this.#replace(button(get("agent.leave"), () => this.#confirm(), { class: "plain" }));
    } else {
      this.#replace(busyButton(get("human"), request, { class: "plain" }));
    }
  }

  /** A conversation with a human cannot be taken up again with the same one. */
  #confirm() {
    const { get } = this.#texts;
    const back = () => {
      this.#fill();
      this.element.querySelector("button")?.focus();
    };
    this.#replace(
      el("p", { class: "place asked" }, get("agent.leave.question")),
      busyButton(get("agent.leave.yes"), this.#acts.leave, { class: "plain" }),
      button(get("agent.leave.no"), back, { class: "plain" }),
    );
  }

  /** @param {HTMLElement[]} nodes in place of those that are there; the focus stays in the row */
  #replace(...nodes) {
    const focused = this.element.matches(":focus-within");
    this.element.replaceChildren(...nodes);
    if (focused) this.element.focus();
  }
}
