/** Below a conversation that is over: that it is, how it was, and the way to a new one. */

import { button, el } from "./dom.js";

const BEST = 1;
const WORST = 6;

/**
 * @param {string} text that it is over
 * @param {import("./texts.js").Texts} texts
 * @param {() => void} renew
 * @param {((rating: number, comment: string) => Promise<void>) | null} rate nothing where there is nothing to rate
 */
export function ended(text, texts, renew, rate) {
  return el(
    "div",
    { class: "ended" },
    el("div", { class: "line-of-end" }, el("p", { role: "status" }, text), button(texts.get("menu.new"), renew, { class: "primary" })),
    rate && rating(texts, rate),
  );
}

/**
 * @param {import("./texts.js").Texts} texts
 * @param {(rating: number, comment: string) => Promise<void>} rate
 */
function rating({ get }, rate) {
  const done = el("p", { role: "status", class: "done" });
  const grades = Array.from({ length: WORST }, (_, index) => grade(index + BEST));
  const comment = el("textarea", { id: "rating-comment", rows: 2, maxlength: 2000, autocomplete: "off" });
  const more = el("div", { class: "rating-more", hidden: true }, el("label", { for: comment.id }, get("rating.comment")), comment);
  const send = el("button", { type: "submit", class: "thumb" }, get("rating.send"));
  more.append(send);

  /** @param {number} value */
  function grade(value) {
    const key = value === BEST || value === WORST ? `rating.${value}` : "";
    const input = el("input", { type: "radio", name: "rating", value, onchange: () => (more.hidden = false) });
    return el("label", { class: "grade" }, input, el("span", {}, String(value)), key && el("span", { class: "hidden" }, get(key)));
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    const value = Number(new FormData(form).get("rating"));
    if (!value || send.getAttribute("aria-disabled") === "true") return;
    send.setAttribute("aria-disabled", "true");
    try {
      await rate(value, comment.value.trim());
      form.replaceChildren(done);
      done.textContent = get("rate.thanks");
      done.tabIndex = -1;
      done.focus();
    } catch {
      done.textContent = get("rate.failed");
      send.removeAttribute("aria-disabled");
    }
  }

  const form = el(
    "form",
    { class: "whole-rating", onsubmit: submit },
    el(
      "fieldset",
      {},
      el("legend", {}, get("rating.question")),
      el("div", { class: "grades" }, ...grades),
      el("p", { class: "meanings", "aria-hidden": "true" }, ...[BEST, WORST].map((value) => el("span", {}, get(`rating.${value}`)))),
    ),
    more,
    done,
  );
  return form;
}
