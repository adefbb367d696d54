/** Builds nodes. Text only ever becomes text: nothing here or elsewhere in the widget parses HTML. */

/** @typedef {string | boolean | number | null | undefined | ((event: any) => void)} Value */
/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Value>} [attributes] functions become listeners (`onclick`), `null` and `false` are left out
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * @param {Child} label
 * @param {() => void} act
 * @param {Record<string, Value>} [attributes]
 */
export function button(label, act, attributes = {}) {
  return el("button", { type: "button", onclick: act, ...attributes }, label);
}

/**
 * A button whose act takes its time: pressing it again meanwhile does nothing.
 * @param {string} label
 * @param {() => Promise<void>} act
 * @param {Record<string, Value>} [attributes]
 */
export function busyButton(label, act, attributes = {}) {
  const node = button(label, press, attributes);
  async function press() {
    if (node.getAttribute("aria-disabled") === "true") return;
    node.setAttribute("aria-disabled", "true");
    await act().finally(() => node.removeAttribute("aria-disabled"));
  }
  return node;
}

/**
 * A decorative line drawing in a 24 × 24 box.
 * @param {string} path
 */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const SAFE = new Set(["http:", "https:", "tel:", "mailto:"]);

/**
 * The address if a link may lead there, else nothing: `javascript:` and its kin never become links.
 * @param {string | null | undefined} address
 */
export function safeAddress(address) {
  try {
    return address && SAFE.has(new URL(address).protocol) ? address : null;
  } catch {
    return null;
  }
}

/**
 * A link. One that leaves for another page opens a new tab, so that the conversation stays, and says so.
 * @param {string} address
 * @param {string} label
 * @param {string} newTab
 * @param {Record<string, Value>} [attributes]
 */
export function link(address, label, newTab, attributes = {}) {
  const href = safeAddress(address);
  if (!href) return el("span", {}, label);
  if (!href.startsWith("http")) return el("a", { href, ...attributes }, label);
  const hint = el("span", { class: "hidden" }, ` (${newTab})`);
  return el("a", { href, target: "_blank", rel: "noopener", ...attributes }, label, icon("M9 5h10v10M19 5 7 17"), hint);
}
