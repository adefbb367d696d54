/**
 * The workspace's event stream, taken up again whenever it is lost, behind what is known already.
 *
 * Events: `event` (`detail`: a server event), `connection` (`detail`: `connected`, `lost` or `signed-out`).
 */

import { SignedOut } from "./api.js";
import { backOff, pause, serverEvents } from "/widget/stream.js";

/** @typedef {"connecting" | "connected" | "lost" | "signed-out"} Connection */

const TICK_MS = 5_000;
/** A clock that has jumped by more than this was asleep, and the connection is not what it was. */
const SLEPT_MS = 30_000;
const SIGNED_OUT_MS = 30_000;

export class Live extends EventTarget {
  #api;
  #cursor;
  /** @type {AbortController | null} */
  #current = null;
  #ticked = Date.now();
  /** @type {Connection} */
  connection = "connecting";

  /**
   * @param {import("./api.js").Api} api
   * @param {() => string} cursor what is known, as the service wants to hear it
   */
  constructor(api, cursor) {
    super();
    this.#api = api;
    this.#cursor = cursor;
  }

  /** Follow for as long as the page lives. */
  async follow() {
    setInterval(() => this.#tick(), TICK_MS);
    addEventListener("focus", () => this.connection === "signed-out" && this.wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#tick());
    addEventListener("pageshow", (event) => event.persisted && this.restart());
    for (let failures = 0; ; failures += 1) {
      const heard = await this.#stream().catch((error) => this.#fail(error, failures));
      if (heard) failures = 0;
      await pause(this.connection === "signed-out" ? SIGNED_OUT_MS : backOff(Math.min(failures, 6)), this);
    }
  }

  /** Try again now whatever waits for its next attempt. */
  wake() {
    this.dispatchEvent(new Event("wake"));
  }

  /** Begin a new stream at once. */
  restart() {
    this.#current?.abort();
    this.wake();
  }

  /** @returns {Promise<boolean>} whether anything was heard */
  async #stream() {
    const current = (this.#current = new AbortController());
    const headers = { "Last-Event-ID": this.#cursor() };
    let heard = false;
    if (this.connection === "signed-out") await this.#api.renew();
    const response = await this.#api.fetch("/events", { headers, signal: current.signal, keep: true });
    try {
      for await (const event of serverEvents(response.body ?? new ReadableStream())) {
        if (current.signal.aborted) break;
        heard = true;
        this.#connect("connected");
        this.dispatchEvent(new CustomEvent("event", { detail: event }));
      }
    } catch {
      // A stream that breaks off is taken up again like one that ends.
    }
    return heard;
  }

  /**
   * @param {unknown} error
   * @param {number} failures
   */
  #fail(error, failures) {
    if (error instanceof SignedOut) this.#connect("signed-out");
    else if (failures > 0 || !navigator.onLine) this.#connect("lost");
    return false;
  }

  #tick() {
    const now = Date.now();
    const slept = now - this.#ticked > SLEPT_MS;
    this.#ticked = now;
    if (slept) this.restart();
  }

  /** @param {Connection} connection */
  #connect(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.dispatchEvent(new CustomEvent("connection", { detail: connection }));
    if (connection === "connected") this.wake();
  }
}
