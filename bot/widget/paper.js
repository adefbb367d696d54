/** Saving and printing without leaving the page and without a style attribute. */

import { el } from "./dom.js";

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
