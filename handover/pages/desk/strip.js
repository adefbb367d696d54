/** The top of the page: the agent's status, the departments, counts, and whether the connection holds. */

import { el, link } from "/widget/dom.js";
import { sentence } from "./dialogs.js";
import { byId, fill, put, updating } from "./nodes.js";

/** @typedef {import("./types.js").Department} Department */
/** @typedef {import("./types.js").Status} Status */

export class Strip {
  #desk;
  #dialogs;
  #say;
  #tell;
  #note = byId("status-note", HTMLInputElement);
  #setting = 0;

  /**
   * @param {import("./desk.js").Desk} desk
   * @param {import("./dialogs.js").Dialogs} dialogs
   * @param {import("./types.js").Say} say
   * @param {(text: string) => void} tell says what went wrong
   */
  constructor(desk, dialogs, say, tell) {
    this.#desk = desk;
    this.#dialogs = dialogs;
    this.#say = say;
    this.#tell = tell;
    byId("status").addEventListener("change", () => this.#choose());
    this.#note.addEventListener("change", () => this.#set(desk.board?.me.status ?? "offline"));
    desk.addEventListener("connection", () => this.#showConnection());
  }

  show() {
    const { board } = this.#desk;
    if (!board) return;
    if (!this.#setting) this.#check(board.me.status);
    if (document.activeElement !== this.#note) this.#note.value = board.me.note;
    const own = new Set(board.me.departments.map((one) => one.id));
    const departments = board.departments.filter((one) => own.has(one.id));
    fill(byId("departments"), departments, (one) => one.id, () => this.#departmentNode());
    const { callbacks_open: open, callbacks_overdue: overdue } = board;
    put(byId("count-waiting"), this.#say("count.waiting", { count: board.waiting.length }));
    put(byId("count-callbacks"), this.#say(overdue ? "count.overdue" : "count.callbacks", { open, overdue }));
    byId("count-callbacks").classList.toggle("overdue", overdue > 0);
  }

  #departmentNode() {
    const item = el("li");
    return updating(item, (/** @type {Department} */ one) => {
      const key = one.open === null ? "department.unknown" : one.open ? "department.hours" : "department.closed";
      put(item, this.#say("department.open", { name: one.name, hours: one.hours ?? this.#say(key) }));
      item.classList.toggle("closed", one.open === false);
    });
  }

  async #choose() {
    const chosen = document.querySelector('#status input:checked');
    const status = /** @type {Status} */ (chosen instanceof HTMLInputElement ? chosen.value : "offline");
    this.#setting += 1;
    if (status === "offline" && this.#desk.mine.length > 0) {
      await this.#dialogs.leave(() => this.#desk.setStatus(status, this.#note.value));
    } else {
      await this.#set(status);
    }
    this.#setting -= 1;
    // The next board has it; until then the choice stands, unless it was not made after all.
    const left = this.#desk.mine.length > 0 && status === "offline";
    if (left) this.show();
  }

  /** @param {Status} status */
  async #set(status) {
    try {
      await this.#desk.setStatus(status, this.#note.value.trim());
    } catch (error) {
      this.#tell(sentence(error, this.#say));
      this.show();
    }
  }

  /** @param {Status} status */
  #check(status) {
    for (const input of byId("status").querySelectorAll("input")) input.checked = input.value === status;
  }

  #showConnection() {
    const { connection } = this.#desk.live;
    const place = byId("connection");
    place.className = `connection ${connection}`;
    if (connection !== "signed-out") {
      const key = { connecting: "connecting", connected: "connected", lost: "disconnected" }[connection];
      return put(place, this.#say(key));
    }
    const again = link(new URL("/mitarbeit/anmelden", location.href).href, this.#say("signed-out.link"), this.#say("signed-out.tab"));
    place.replaceChildren(this.#say("signed-out"), " ", again);
  }
}
