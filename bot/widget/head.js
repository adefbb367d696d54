/** The top of the panel: its title, who answers, the state of the connection, what the city announces. */

import { button, el, icon } from "./dom.js";
import { markdown } from "./markdown.js";

export class Head {
  title = el("h2", { id: "title", tabindex: -1 });
  menuButton;
  #close;
  #texts;
  #who = el("p", { class: "who" });
  #buttons = el("div", { class: "buttons" });
  #banner = el("p", { class: "banner", role: "status" });
  #notices = el("div", { class: "notices", role: "region", tabindex: 0, hidden: true });

  /**
   * @param {import("./texts.js").Texts} texts
   * @param {{menu: () => void, close: () => void}} acts
   */
  constructor(texts, { menu, close }) {
    this.#texts = texts;
    this.#close = close;
    this.menuButton = button(null, menu, { class: "head-button", "aria-expanded": "false" });
  }

  /** From top to bottom. */
  get nodes() {
    return [el("div", { class: "head" }, this.title, this.#buttons, this.#who), this.#banner, this.#notices];
  }

  /** @param {boolean} full whether there is a menu, and texts from the service */
  write(full) {
    const { get } = this.#texts;
    this.title.textContent = get("title");
    const close = button(icon("M6 6l12 12M18 6 6 18"), this.#close, { class: "head-button" });
    close.append(el("span", {}, get("close")));
    if (full) {
      this.menuButton.replaceChildren(icon("M4 7h16M4 12h16M4 17h16"), el("span", {}, get("menu")));
      this.#notices.setAttribute("aria-label", get("notices"));
    }
    this.#buttons.replaceChildren(...(full ? [this.menuButton] : []), close);
  }

  /**
   * Say who answers.
   * @param {string} text
   * @returns {boolean} whether it was somebody else before
   */
  introduce(text) {
    const before = this.#who.textContent;
    this.#who.textContent = text;
    return before !== "" && before !== text;
  }

  /**
   * @param {import("./types.js").SiteNotice} told
   * @returns {string} what is shown
   */
  announce({ notice, bot }) {
    const { get } = this.#texts;
    this.#notices.replaceChildren(
      ...(bot ? [] : [el("p", {}, get("bot.off"))]),
      ...(notice ? markdown(notice.text, get("new_tab")) : []),
    );
    this.#notices.hidden = !this.#notices.childElementCount;
    return [...this.#notices.children].map((node) => node.textContent).join(" ");
  }

  /** @param {string} text about the connection; nothing takes it away */
  warn(text) {
    if (this.#banner.firstChild?.textContent === text && text) return;
    this.#banner.replaceChildren(...(text ? [el("span", {}, text)] : []));
  }

  /**
   * @param {string} text
   * @param {string} label of a button that tries at once
   * @param {() => void} retry
   */
  warnAndRetry(text, label, retry) {
    if (this.#banner.firstChild?.textContent === text) return;
    this.warn(text);
    this.#banner.append(button(label, retry, { class: "plain" }));
  }

  /** @param {string} text shown if there is no warning */
  load(text) {
    this.#banner.textContent ||= text;
  }
}
