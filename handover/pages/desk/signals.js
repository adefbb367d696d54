/** How the workspace makes itself heard: tones, notifications, the title, and words for screen readers. */

import { byId, put } from "./nodes.js";

const SOUND = "stadtbot-desk-sound";
const NOTIFY = "stadtbot-desk-notify";
const SPOKEN = 120;
/** Hz; up for somebody who is new, down for a new message. */
const TONES = { offered: [523, 784], message: [659, 494] };

export class Signals {
  #say;
  #tell;
  /** @type {AudioContext | null} */
  #audio = null;
  #sound = localStorage.getItem(SOUND) !== "off";
  #notify = localStorage.getItem(NOTIFY) === "on" && "Notification" in window && Notification.permission === "granted";
  #title = document.title;

  /**
   * @param {import("./types.js").Say} say
   * @param {(text: string) => void} tell says what is not possible
   */
  constructor(say, tell) {
    this.#say = say;
    this.#tell = tell;
    byId("sound").addEventListener("click", () => this.#toggleSound());
    byId("notify").addEventListener("click", () => this.#toggleNotify());
    // Browsers let a page sound only after somebody has done something on it.
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => this.#wakeAudio(), { once: true });
    this.#show();
  }

  /** @param {import("./types.js").Waiting} waiting somebody new */
  offered(waiting) {
    const text = this.#say("told.offered", { department: waiting.department.name });
    this.#play("offered");
    this.#announce(text);
    if (!document.hasFocus()) this.#notifyOf(text);
  }

  /**
   * @param {number} number the conversation's
   * @param {string} text what the citizen says; only ever for the screen reader
   */
  message(number, text) {
    const short = text.length > SPOKEN ? `${text.slice(0, SPOKEN)} …` : text;
    this.#announce(this.#say("told.message.text", { number, text: short }));
    if (!document.hidden && document.hasFocus()) return;
    this.#play("message");
    this.#notifyOf(this.#say("told.message", { number }));
  }

  /** @param {number} count how much waits for the agent */
  count(count) {
    const title = count ? this.#say("title.count", { count, title: this.#title }) : this.#title;
    if (document.title !== title) document.title = title;
  }

  /** @param {string} text */
  #announce(text) {
    put(byId("live"), "");
    setTimeout(() => put(byId("live"), text), 50);
  }

  /** @param {keyof typeof TONES} name two short, soft tones */
  #play(name) {
    const audio = this.#audio;
    if (!this.#sound || !audio || audio.state !== "running") return;
    TONES[name].forEach((frequency, index) => {
      const at = audio.currentTime + index * 0.16;
      const tone = new OscillatorNode(audio, { type: "sine", frequency });
      const gain = new GainNode(audio, { gain: 0 });
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.08, at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.3);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.32);
    });
  }

  /** @param {string} text without anything about a person */
  #notifyOf(text) {
    if (!this.#notify) return;
    const notification = new Notification(text, { tag: "stadtbot-desk" });
    notification.addEventListener("click", () => {
      window.focus();
      notification.close();
    });
  }

  #wakeAudio() {
    if (!this.#sound) return;
    this.#audio ??= new AudioContext();
    this.#audio.resume().catch(() => {});
  }

  #toggleSound() {
    this.#sound = !this.#sound;
    localStorage.setItem(SOUND, this.#sound ? "on" : "off");
    this.#wakeAudio();
    this.#play("offered");
    this.#show();
  }

  async #toggleNotify() {
    const allowed = !this.#notify && "Notification" in window && (await Notification.requestPermission()) === "granted";
    if (!this.#notify && !allowed) this.#tell(this.#say("notify.denied"));
    this.#notify = allowed;
    localStorage.setItem(NOTIFY, this.#notify ? "on" : "off");
    this.#show();
  }

  #show() {
    byId("sound").setAttribute("aria-pressed", String(this.#sound));
    byId("notify").setAttribute("aria-pressed", String(this.#notify));
  }
}
