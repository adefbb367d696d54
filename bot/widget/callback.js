/** The wish for a callback: a page of the panel. What is typed here is sent once, as a wish, and kept nowhere. */

import { Problem } from "./api.js";
import { newId } from "./conversation.js";
import { button, el, link } from "./dom.js";

/** @typedef {import("./types.js").CallbackWish} CallbackWish */
/** @typedef {"name" | "phone" | "email" | "concern" | "consent"} Name */

const MAX_LENGTH = 2000;
/** @type {Name[]} */
const NAMES = ["name", "phone", "email", "concern", "consent"];
/** Fields at which a mistake is shown that is not theirs alone. @type {Record<string, Name>} */
const SHOWN_AT = { reach: "phone" };

export class CallbackForm {
  element = el("div", { class: "page", hidden: true });
  #texts;
  #back;
  #send;
  #privacy;
  /** The last wish that was sent, to give the same one the same id. */
  #sent = { body: "", id: "" };
  #failed = el("p", { class: "problem", role: "alert" });
  #submit = el("button", { type: "submit", class: "primary" });
  #form = el("form", { class: "fields", novalidate: true, onsubmit: (/** @type {Event} */ event) => this.#submitted(event) });
  #heading = el("h3", { tabindex: -1, id: "callback-title" });
  #hint = el("p", {});
  /** @type {Record<Name, HTMLInputElement | HTMLTextAreaElement>} */
  #fields = {
    name: el("input", { type: "text", autocomplete: "name", maxlength: 100 }),
    phone: el("input", { type: "tel", autocomplete: "tel", maxlength: 40 }),
    email: el("input", { type: "email", autocomplete: "email", maxlength: 200 }),
    concern: el("textarea", { rows: 3, autocomplete: "off", maxlength: MAX_LENGTH }),
    consent: el("input", { type: "checkbox" }),
  };
  /** @type {Map<Name, HTMLElement>} */
  #mistakes = new Map();

  /**
   * @param {import("./texts.js").Texts} texts
   * @param {string} privacy address of the page on data protection
   * @param {() => void} back
   * @param {(wish: CallbackWish) => Promise<string>} send resolves to what the citizen is told
   */
  constructor(texts, privacy, back, send) {
    this.#texts = texts;
    this.#privacy = privacy;
    this.#back = back;
    this.#send = send;
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-labelledby", this.#heading.id);
    this.#submit.textContent = texts.get("callback.send");
    this.#failed.setAttribute("id", "callback-failed");
    this.#build();
  }

  /** @param {string} hint what else has to be known */
  show(hint) {
    if (!this.#form.isConnected) this.#ask();
    this.#hint.textContent = hint;
    this.element.hidden = false;
    this.element.scrollTop = 0;
    this.#heading.focus();
  }

  hide() {
    this.element.hidden = true;
  }

  #build() {
    const { get } = this.#texts;
    const consent = [get("callback.consent"), " ", link(this.#privacy, get("legal.privacy"), get("new_tab"))];
    this.#form.append(
      this.#row("name", get("callback.name")),
      el(
        "fieldset",
        {},
        el("legend", {}, get("callback.reach")),
        this.#row("phone", get("callback.phone")),
        this.#row("email", get("callback.email")),
      ),
      this.#row("concern", get("callback.concern")),
      this.#row("consent", ...consent),
      this.#failed,
      this.#submit,
    );
    this.#ask();
  }

  /** Show the form. */
  #ask() {
    const { get } = this.#texts;
    this.#heading.textContent = get("callback.title");
    const back = button(get("menu.back"), this.#back, { class: "entry back" });
    this.element.replaceChildren(back, this.#heading, el("p", {}, get("callback.about")), this.#hint, this.#form);
  }

  /**
   * A field with its label, and the place for what is wrong with it.
   * @param {Name} name
   * @param {(Node | string)[]} label
   */
  #row(name, ...label) {
    const field = this.#fields[name];
    const mistake = el("p", { class: "mistake", id: `callback-${name}-mistake` });
    field.setAttribute("id", `callback-${name}`);
    field.setAttribute("name", name);
    field.setAttribute("aria-describedby", mistake.id);
    this.#mistakes.set(name, mistake);
    const labelled = el("label", { for: field.id }, ...label);
    const box = name === "consent";
    return el("div", { class: box ? "field consent" : "field" }, ...(box ? [field, labelled] : [labelled, field]), mistake);
  }

  /** @param {Event} event */
  async #submitted(event) {
    event.preventDefault();
    if (this.#submit.getAttribute("aria-disabled") === "true") return;
    this.#submit.setAttribute("aria-disabled", "true");
    this.#show({}, "");
    try {
      this.#thank(await this.#send(this.#wish));
    } catch (error) {
      this.#refuse(error);
    }
    this.#submit.removeAttribute("aria-disabled");
  }

  /** @returns {CallbackWish} the same id for the same words: sent again, it is still one wish */
  get #wish() {
    const { name, phone, email, concern, consent } = this.#fields;
    const words = {
      name: name.value.trim(),
      phone: phone.value.trim() || null,
      email: email.value.trim() || null,
      concern: concern.value.trim(),
      consent: consent instanceof HTMLInputElement && consent.checked,
    };
    const body = JSON.stringify(words);
    if (body !== this.#sent.body) this.#sent = { body, id: newId() };
    return { ...words, client_id: this.#sent.id };
  }

  /** @param {unknown} error */
  #refuse(error) {
    const { get } = this.#texts;
    if (!(error instanceof Problem)) return this.#show({}, get("callback.lost"));
    if (error.gone) return this.#show({}, get("ended.gone"));
    const known = Object.keys(error.fields).length > 0;
    this.#show(error.fields, known ? "" : error.message || get("callback.lost"));
  }

  /**
   * Say what is wrong, next to the fields; the first of them gets the focus.
   * @param {Record<string, string>} mistakes
   * @param {string} failed what is wrong with none of them
   */
  #show(mistakes, failed) {
    const shown = Object.fromEntries(Object.entries(mistakes).map(([name, text]) => [SHOWN_AT[name] ?? name, text]));
    for (const name of NAMES) {
      const mistake = this.#mistakes.get(name);
      if (mistake) mistake.textContent = shown[name] ?? "";
      this.#fields[name].setAttribute("aria-invalid", String(name in shown));
    }
    this.#failed.textContent = failed;
    const first = NAMES.find((name) => name in shown);
    if (first) this.#fields[first].focus();
  }

  /** @param {string} text */
  #thank(text) {
    const { get } = this.#texts;
    this.#form.reset();
    this.#sent = { body: "", id: "" };
    this.#heading.textContent = get("callback.thanks");
    this.#hint.textContent = "";
    this.element.replaceChildren(this.#heading, el("p", { class: "thanks" }, text), button(get("menu.back"), this.#back, { class: "primary" }));
    if (!this.element.hidden) this.#heading.focus();
  }
}
