/** Shortcuts, each with Alt: single letters would get into the way of screen readers and of typing. */

/**
 * @typedef {object} Acts
 * @property {(number: number) => void} conversation
 * @property {() => void} claim
 * @property {() => void} message
 * @property {() => void} answers
 * @property {() => void} finish
 * @property {() => void} help
 */

/** @param {Acts} acts */
export function installKeys(acts) {
  /** @type {Record<string, () => void>} */
  const byCode = { KeyW: acts.claim, KeyM: acts.message, KeyA: acts.answers, KeyB: acts.finish };
  addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    const act = event.key === "?" ? acts.help : digit ? () => acts.conversation(Number(digit[1])) : byCode[event.code];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
