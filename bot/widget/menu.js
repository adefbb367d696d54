/** The menu: a page of the panel that stands in for the conversation while it is open. */

import { button, el, link } from "./dom.js";
import { SCALES } from "./look.js";

/**
 * @typedef {object} Acts
 * @property {() => void} back
 * @property {() => void} renew
 * @property {() => void} save
 * @property {() => void} print
 * @property {() => void} callBack
 * @property {() => Promise<void>} erase rejects with an error whose message is for the citizen
 * @property {(scale: number) => void} scale
 */

export class Menu {
  element = el("div", { class: "menu", hidden: true, tabindex: -1 });
  #texts;
  #acts;
  #legal;
  #scale;
  #conversation = { there: false, calledBack: false };

  /**
   * @param {import("./texts.js").Texts} texts
   * @param {Acts} acts
   * @param {import("./types.js").Site["legal"]} legal
   * @param {number} scale
   */
  constructor(texts, acts, legal, scale) {
    this.#texts = texts;
    this.#acts = acts;
    this.#legal = legal;
    this.#scale = scale;
    this.element.setAttribute("aria-label", texts.get("menu"));
    this.element.setAttribute("role", "group");
  }

  /** @param {{there: boolean, calledBack: boolean}} conversation whether there is one, with a wish for a callback */
  show(conversation) {
    const { get } = this.#texts;
    const acts = this.#acts;
    const alive = conversation.there;
    this.#conversation = conversation;
    this.element.replaceChildren(
      button(get("menu.back"), acts.back, { class: "entry back" }),
      button(get("menu.new"), acts.renew, { class: "entry" }),
      button(get("callback"), acts.callBack, { class: "entry", disabled: !alive }),
      button(get("menu.save"), acts.save, { class: "entry", disabled: !alive }),
      button(get("menu.print"), acts.print, { class: "entry", disabled: !alive }),
      this.#textSize(),
      button(get("menu.erase"), () => this.#confirm(), { class: "entry", disabled: !alive }),
      this.#legalLinks(),
    );
    this.element.hidden = false;
    this.element.scrollTop = 0;
    this.element.focus();
  }

  #textSize() {
    const { get } = this.#texts;
    const output = el("span", { role: "status", class: "size" });
    const smaller = button("A−", () => step(-1), { "aria-label": get("size.smaller"), class: "size-step" });
    const larger = button("A+", () => step(1), { "aria-label": get("size.larger"), class: "size-step" });
    const show = () => {
      output.textContent = `${Math.round(this.#scale * 100)} %`;
      smaller.setAttribute("aria-disabled", String(this.#scale === SCALES[0]));
      larger.setAttribute("aria-disabled", String(this.#scale === SCALES.at(-1)));
    };
    /** @param {number} by */
    const step = (by) => {
      this.#scale = SCALES[SCALES.indexOf(this.#scale) + by] ?? this.#scale;
      this.#acts.scale(this.#scale);
      show();
    };
    show();
    const label = el("span", { id: "size-label" }, get("size"));
    return el("div", { class: "entry sizes", role: "group", "aria-labelledby": "size-label" }, label, smaller, output, larger);
  }

  #legalLinks() {
    const { get } = this.#texts;
    const { privacy, imprint, accessibility } = this.#legal;
    return el(
      "p",
      { class: "legal" },
      link(privacy, get("legal.privacy"), get("new_tab")),
      link(imprint, get("legal.imprint"), get("new_tab")),
      link(accessibility, get("legal.accessibility"), get("new_tab")),
    );
  }

  #confirm() {
    const { get } = this.#texts;
    const failed = el("p", { role: "alert", class: "problem" });
    const heading = el("h3", { tabindex: -1, id: "erase-title" }, get("erase.title"));
    const erase = async () => {
      try {
        await this.#acts.erase();
      } catch {
        failed.textContent = get("erase.failed");
      }
    };
    this.element.replaceChildren(
      el(
        "div",
        { class: "confirm", role: "group", "aria-labelledby": "erase-title" },
        heading,
        el("p", {}, get("erase.text")),
        this.#conversation.calledBack && el("p", {}, get("erase.callback")),
        failed,
        button(get("erase.yes"), erase, { class: "primary" }),
        button(get("erase.no"), () => this.show(this.#conversation), { class: "entry" }),
      ),
    );
    heading.focus();
  }

  hide() {
    this.element.hidden = true;
    this.element.replaceChildren();
  }
}
