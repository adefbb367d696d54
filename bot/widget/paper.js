/** Saving and printing without leaving the page and without a style attribute. */

import { el } from "./dom.js";
import { readableDate } from "./message.js";

/**
 * One message on paper: what the card shows, in plain words.
 * @param {import("./types.js").Message} message
 * @param {import("./texts.js").Texts} texts
 */
export function messageText({ answer, lang, text }, texts) {
  const office = answer?.office;
  const source = answer?.source_url && `${texts.get("source")}: ${answer.source_url}`;
  const asOf = answer?.as_of && `${texts.get("as_of")}: ${readableDate(answer.as_of, lang)}`;
  return [
    answer?.title,
    text.replace(/\*\*/g, "").replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, "$1 ($2)"),
    ...(answer?.actions ?? []).map((action) => `${action.label}: ${action.url}`),
    office && [office.name, office.phone, office.hours_today].filter(Boolean).join(", "),
    [source, asOf].filter(Boolean).join(", "),
  ]
    .filter(Boolean)
    .join("\n\n");
}

/**
 * Offer a text as a file.
 * @param {string} text
 * @param {string} name
 */
export function saveText(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/**
 * Print a text on a page of its own.
 * @param {ParentNode & Node} place where the invisible page may stand
 * @param {{language: string, title: string}} about
 * @param {string} text
 */
export function printText(place, { language, title }, text) {
  const frame = el("iframe", { class: "paper-frame", title, "aria-hidden": "true", tabindex: -1 });
  place.append(frame);
  const page = frame.contentDocument;
  const view = /** @type {(Window & typeof globalThis) | null} */ (frame.contentWindow);
  if (!page || !view) return frame.remove();
  const sheet = new view.CSSStyleSheet();
  sheet.replaceSync("body { font: 12pt/1.5 system-ui, sans-serif; max-width: 60ch; color: #000; white-space: pre-wrap; }");
  page.adoptedStyleSheets = [sheet];
  page.documentElement.lang = language;
  page.title = title;
  page.body.append(text);
  view.addEventListener("afterprint", () => setTimeout(() => frame.remove()));
  view.focus();
  view.print();
}
