/**
 * The launcher: a button on the city's page. Everything else is loaded when somebody opens the chat.
 *
 *     <script type="module" src="https://…/widget/stadtbot.js" data-site="jena"></script>
 *
 * Attributes of `<stadtbot-chat>`, or `data-…` of the script: `site`, `language`, `label` (the button's text),
 * `position` (`left` or `right`). The page may set `--stadtbot-accent` on the element.
 */

/** @typedef {import("./panel.js").Panel} Panel */

const LABEL = "Fragen an die Stadt";
const FAILED = "Der Chat lässt sich gerade nicht laden. Bitte versuchen Sie es noch einmal.";
const SETTINGS = ["site", "language", "label", "position"];
const script = [...document.scripts].find((found) => found.src === import.meta.url);

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host {
  all: initial; position: fixed; z-index: 2147483000; inset-block-end: 1rem; inset-inline-end: 1rem;
  --accent: var(--stadtbot-accent, #00529e); --on-accent: var(--stadtbot-on-accent, #fff);
  color-scheme: light dark; font: max(1rem, 16px)/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
:host([hidden]) { display: none; }
:host([position="left"]) { inset-inline: 1rem auto; }
.launcher {
  font: inherit; font-weight: 600; display: flex; align-items: center; gap: .6em; max-inline-size: calc(100vw - 2rem);
  min-block-size: max(3.25em, 44px); padding: .5em 1.25em; border: 2px solid #fff; border-radius: 8px; cursor: pointer;
  color: var(--on-accent); background: var(--accent); overflow-wrap: anywhere; text-align: start;
}
.launcher[hidden] { display: none; }
.launcher:hover { text-decoration: underline; text-underline-offset: .2em; }
.launcher:focus-visible { outline: 3px solid #1a1a1a; outline-offset: 2px; box-shadow: 0 0 0 8px #fff; }
.launcher svg { inline-size: 1.5em; block-size: 1.5em; flex: none; fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.failed { background: #fff; color: #1a1a1a; border: 2px solid #b00020; border-radius: 8px; padding: .5em 1em; margin: 0 0 .5em; max-inline-size: 20em; }
.failed:empty { display: none; }
@media (forced-colors: active) { .launcher:focus-visible { outline-color: Highlight; } }
@media print { :host { display: none; } }
`);

/** A speech bubble, drawn without an image. */
function bubble() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", "M4 4h16v12h-9l-5 4v-4H4zM8 9h8M8 12.5h5");
  svg.append(path);
  return svg;
}

/** The chat as a custom element. Fires `stadtbot-open` and `stadtbot-close`. */
class StadtbotChat extends HTMLElement {
  /** @type {Promise<Panel> | undefined} */
  #panel;
  #button = document.createElement("button");
  #failed = document.createElement("p");
  /** @type {Element | null} */
  #opener = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#button.type = "button";
    this.#button.className = "launcher";
    this.#button.setAttribute("aria-haspopup", "dialog");
    this.#button.setAttribute("aria-expanded", "false");
    this.#button.addEventListener("click", () => this.open());
    this.#failed.className = "failed";
    this.#failed.setAttribute("role", "alert");
    root.append(this.#failed, this.#button);
  }

  connectedCallback() {
    for (const name of SETTINGS) {
      const value = script?.dataset[name];
      if (value && !this.hasAttribute(name)) this.setAttribute(name, value);
    }
    if (!this.hasAttribute("lang")) this.setAttribute("lang", this.language);
    this.#button.replaceChildren(bubble(), this.getAttribute("label") ?? LABEL);
    if (this.#wasOpen) this.open({ focus: false });
  }

  disconnectedCallback() {
    this.#panel?.then((panel) => panel.close());
  }

  /** Key of the site in the service's `sites.toml`. */
  get site() {
    return this.getAttribute("site") ?? "";
  }

  get language() {
    return this.getAttribute("language") ?? "de";
  }

  /**
   * Open the chat.
   * @param {{focus?: boolean}} [options] `focus: false` leaves the focus where it is
   */
  async open({ focus = true } = {}) {
    this.#failed.textContent = "";
    try {
      this.#panel ??= import("./panel.js").then(({ Panel }) => new Panel(this));
      const panel = await this.#panel;
      if (!this.isConnected) return;
      this.#opener = document.activeElement;
      this.#button.hidden = true;
      this.#button.setAttribute("aria-expanded", "true");
      panel.open({ focus });
      this.dispatchEvent(new CustomEvent("stadtbot-open", { bubbles: true }));
    } catch (error) {
      this.#panel = undefined;
      this.#failed.textContent = FAILED;
      console.error(error);
    }
  }

  /** Close the chat; the conversation stays and the focus returns to where it came from. */
  async close() {
    const panel = await this.#panel;
    this.#button.hidden = false;
    this.#button.setAttribute("aria-expanded", "false");
    panel?.close();
    const back = this.#opener?.isConnected && this.#opener !== document.body && this.#opener !== this;
    if (back && this.#opener instanceof HTMLElement) this.#opener.focus();
    else this.#button.focus();
    this.dispatchEvent(new CustomEvent("stadtbot-close", { bubbles: true }));
  }

  /**
   * Open the chat and ask something, for links and tiles of the page.
   * @param {string} question
   */
  async ask(question) {
    await this.open();
    (await this.#panel)?.ask(question);
  }

  /** The page was left or reloaded while the chat stood open. */
  get #wasOpen() {
    try {
      const stored = sessionStorage.getItem(`stadtbot ${new URL("..", import.meta.url).href} ${this.site}`);
      return Boolean(stored && JSON.parse(stored).open);
    } catch {
      return false;
    }
  }
}

if (!customElements.get("stadtbot-chat")) customElements.define("stadtbot-chat", StadtbotChat);
if (!document.querySelector("stadtbot-chat")) document.body.append(document.createElement("stadtbot-chat"));
