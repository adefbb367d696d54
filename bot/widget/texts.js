/** What the widget writes. The service has the texts in every language; here is only what must do without it. */

/** @type {Record<string, string>} */
const WITHOUT_SERVICE = {
  title: "Auskunft",
  close: "Schließen",
  loading: "Die Auskunft wird geladen …",
  unreachable: "Die Auskunft ist gerade nicht erreichbar. Ich versuche es weiter.",
  "retry.now": "Jetzt versuchen",
};

/** Texts by key, with gaps like `{count}`. */
export class Texts {
  /** @type {Record<string, string>} */
  #texts = WITHOUT_SERVICE;
  /** @type {Record<string, string>} */
  #values = {};

  /**
   * @param {Record<string, string>} texts
   * @param {Record<string, string>} values what fills gaps everywhere
   */
  learn(texts, values) {
    this.#texts = { ...WITHOUT_SERVICE, ...texts };
    this.#values = values;
  }

  /**
   * The text, or its key where nobody has written it.
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   * @returns {string}
   */
  get = (key, values = {}) => {
    const all = { ...this.#values, ...values };
    return (this.#texts[key] ?? key).replace(/\{(\w+)\}/g, (gap, name) => String(all[name] ?? gap));
  };
}
