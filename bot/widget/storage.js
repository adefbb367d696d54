/** What the browser keeps for the life of a tab, and only once the chat has been opened. */

/** @typedef {import("./types.js").Pending} Pending */
/** @typedef {{id?: string, token?: string, open?: boolean, scale?: number, pending?: Pending[], callback?: boolean}} Kept */

export class TabStorage {
  #key;
  /** @type {Kept} */
  #kept = {};

  /** @param {string} key */
  constructor(key) {
    this.#key = key;
    try {
      this.#kept = JSON.parse(sessionStorage.getItem(key) ?? "{}") ?? {};
    } catch {
      // Storage may be switched off: then the conversation lasts as long as the page.
    }
  }

  get kept() {
    return this.#kept;
  }

  /** @param {Kept} changes */
  keep(changes) {
    this.#kept = { ...this.#kept, ...changes };
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(this.#kept));
    } catch {
      // See above.
    }
  }
}
