/** Dialogs in which an agent hands a conversation on, ends it, or goes. */

import { el } from "/widget/dom.js";
import { Problem } from "./api.js";
import { byId, fill, put, updating } from "./nodes.js";

/** @typedef {import("./types.js").Department} Department */
/** @typedef {import("./types.js").Colleague} Colleague */
/** @typedef {import("./conversation.js").Conversation} Conversation */

/**
 * A sentence about what went wrong.
 * @param {unknown} error
 * @param {import("./types.js").Say} say
 */
export function sentence(error, say) {
  return error instanceof Problem && error.message ? error.message : say("unreachable");
}

/** Everything that opens over the page. */
export class Dialogs {
  #desk;
  #say;
  #told;

  /**
   * @param {import("./desk.js").Desk} desk
   * @param {import("./types.js").Say} say
   * @param {(text: string) => void} told says what was done
   */
  constructor(desk, say, told) {
    this.#desk = desk;
    this.#say = say;
    this.#told = told;
    for (const close of document.querySelectorAll("dialog [data-close]")) {
      close.addEventListener("click", () => close.closest("dialog")?.close());
    }
    byId("help-open").addEventListener("click", () => this.help());
  }

  help() {
    byId("help", HTMLDialogElement).showModal();
  }

  /** @param {Conversation} conversation */
  transfer(conversation) {
    const dialog = byId("transfer", HTMLDialogElement);
    byId("transfer-note", HTMLTextAreaElement).value = "";
    dialog.querySelector("form")?.reset();
    this.showTargets();
    this.#ask(dialog, async (form) => {
      const [kind, id] = String(form.get("to") ?? "").split(" ");
      if (!kind || !id) throw new Problem(422, this.#say("transfer.choose"));
      const board = this.#desk.board;
      const whom = [...(board?.departments ?? []), ...(board?.colleagues ?? [])].find((one) => one.id === id)?.name ?? "";
      const note = byId("transfer-note", HTMLTextAreaElement).value.trim();
      if (note) await this.#desk.addNote(conversation, note);
      byId("transfer-note", HTMLTextAreaElement).value = "";
      await this.#desk.transfer(conversation, { [kind]: id });
      return this.#say("transfer.done", { whom });
    });
  }

  /** Who can take a conversation, as it is now. */
  showTargets() {
    const { board } = this.#desk;
    if (!board) return;
    const departments = board.departments;
    const colleagues = board.colleagues.filter((one) => one.status !== "offline");
    fill(byId("transfer-departments"), departments, (one) => one.id, () => this.#departmentNode());
    fill(byId("transfer-colleagues"), colleagues, (one) => one.id, () => this.#colleagueNode());
    byId("transfer-alone").hidden = colleagues.length > 0;
  }

  /** @param {Conversation} conversation */
  finish(conversation) {
    const dialog = byId("finish", HTMLDialogElement);
    dialog.querySelector("form")?.reset();
    this.#ask(dialog, async (form, submitter) => {
      const toBot = submitter === "bot";
      const end = { to_bot: toBot, reason: String(form.get("reason")), tags: form.getAll("tag").map(String) };
      await this.#desk.finish(conversation, end);
      return this.#say(toBot ? "finish.returned" : "finish.done");
    });
  }

  /**
   * Ask before an agent goes while citizens are with them.
   * @param {() => Promise<unknown>} go
   * @returns {Promise<boolean>} whether the agent has gone
   */
  leave(go) {
    const dialog = byId("leave", HTMLDialogElement);
    const count = this.#desk.mine.length;
    put(byId("leave-text"), this.#say(count === 1 ? "leave.one" : "leave.many", { count }));
    return new Promise((resolve) => {
      let gone = false;
      this.#ask(dialog, async () => {
        await go();
        gone = true;
        return "";
      });
      dialog.addEventListener("close", () => resolve(gone), { once: true });
    });
  }

  /**
   * Open a dialog, and do what it is for when it is confirmed; it stays open where that fails.
   * @param {HTMLDialogElement} dialog
   * @param {(form: FormData, submitter: string) => Promise<string>} act gives what is said when it is done
   */
  #ask(dialog, act) {
    const form = dialog.querySelector("form");
    const problem = dialog.querySelector(".problem");
    if (!form || !problem || dialog.open) return;
    put(problem, "");
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (form.ariaBusy === "true") return;
      form.ariaBusy = "true";
      try {
        const submitter = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "";
        const done = await act(new FormData(form), submitter);
        dialog.close();
        if (done) this.#told(done);
      } catch (error) {
        put(problem, sentence(error, this.#say));
      }
      form.ariaBusy = null;
    };
    dialog.showModal();
  }

  #departmentNode() {
    const say = this.#say;
    return this.#choice("department", (/** @type {Department} */ one) => {
      const open = one.open === null ? "department.unknown" : one.open ? "department.hours" : "department.closed";
      const staffed = one.staffed ? "department.staffed" : "department.unstaffed";
      return { possible: one.open === true && one.staffed, states: [one.hours ?? say(open), say(staffed)] };
    });
  }

  #colleagueNode() {
    const say = this.#say;
    return this.#choice("colleague", (/** @type {Colleague} */ one) => {
      const states = [say(`status.${one.status}`), one.note, one.departments.map((department) => department.name).join(", ")];
      return { possible: one.status === "available", states };
    });
  }

  /**
   * @template {import("./types.js").Named} Target
   * @param {string} kind
   * @param {(target: Target) => {possible: boolean, states: string[]}} describe
   */
  #choice(kind, describe) {
    const radio = el("input", { type: "radio", name: "to" });
    const name = el("strong");
    const state = el("span", { class: "hint" });
    return updating(el("label", { class: "check" }, radio, el("span", {}, name, " ", state)), (/** @type {Target} */ target) => {
      const { possible, states } = describe(target);
      radio.value = `${kind} ${target.id}`;
      radio.disabled = !possible;
      put(name, target.name);
      put(state, states.filter(Boolean).join(", "));
    });
  }
}
