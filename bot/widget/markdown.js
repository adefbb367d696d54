/** The subset of Markdown that messages use: paragraphs, `**bold**`, `- ` and `1. ` lists, `[label](address)`. */

import { el, link } from "./dom.js";

const INLINE = /\*\*(.+?)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g;
const ENTRY = /^\s*(?:[-*]|(\d+)\.)\s+(.*)$/;

/**
 * @param {string} text
 * @param {string} newTab what a link that opens a new tab says of it
 * @returns {Node[]}
 */
export function markdown(text, newTab) {
  return text.split(/\n{2,}/).flatMap((block) => blocks(block.split("\n"), newTab));
}

/**
 * @param {string[]} lines
 * @param {string} newTab
 * @returns {Node[]}
 */
function blocks(lines, newTab) {
  /** @type {Node[]} */
  const nodes = [];
  /** @type {HTMLElement} */
  let open = el("p");
  for (const line of lines) {
    if (!line.trim()) continue;
    const entry = ENTRY.exec(line);
    const tag = entry ? (entry[1] ? "ol" : "ul") : "p";
    const last = nodes.at(-1);
    if (!(last instanceof HTMLElement) || last.localName !== tag) {
      open = el(tag, entry?.[1] && entry[1] !== "1" ? { start: entry[1] } : {});
      nodes.push(open);
    } else if (!entry) {
      open.append(el("br"));
    }
    if (entry) open.append(el("li", {}, ...inline(entry[2] ?? "", newTab)));
    else open.append(...inline(line, newTab));
  }
  return nodes;
}

/**
 * @param {string} line
 * @param {string} newTab
 * @returns {(Node | string)[]}
 */
function inline(line, newTab) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  let from = 0;
  for (const match of line.matchAll(INLINE)) {
    nodes.push(line.slice(from, match.index));
    nodes.push(match[1] ? el("strong", {}, ...inline(match[1], newTab)) : link(match[3] ?? "", match[2] ?? "", newTab));
    from = match.index + match[0].length;
  }
  nodes.push(line.slice(from));
  return nodes.filter((node) => node !== "");
}
