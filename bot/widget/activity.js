/** Signs of life for the member of staff at the other end: that something is being typed, and what has been read. */

const TYPING_EVERY_MS = 3_000;
const TYPING_ENDS_MS = 4_000;
const READ_AFTER_MS = 400;

export class Activity {
  #tell;
  #typing = false;
  #toldAt = -TYPING_EVERY_MS;
  #newest = 0;
  #told = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reading;

  /** @param {(sign: import("./types.js").Sign) => Promise<boolean>} tell resolves to whether it has arrived */
  constructor(tell) {
    this.#tell = tell;
  }

  /** A key was pressed. */
  key() {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.stop(), TYPING_ENDS_MS);
    const now = performance.now();
    if (now - this.#toldAt < TYPING_EVERY_MS) return;
    this.#toldAt = now;
    this.#typing = true;
    this.#tell({ typing: true });
  }

  /** Nothing is typed any more. */
  stop() {
    clearTimeout(this.#pause);
    this.#toldAt = -TYPING_EVERY_MS;
    if (this.#typing) this.#tell({ typing: false });
    this.#typing = false;
  }

  /** @param {number} seq the newest message that can be seen */
  saw(seq) {
    this.#newest = Math.max(seq, this.#newest);
    if (this.#newest > this.#told) this.#reading ??= setTimeout(() => this.#tellRead(), READ_AFTER_MS);
  }

  /** Another conversation begins, with numbers of its own. */
  forget() {
    clearTimeout(this.#pause);
    clearTimeout(this.#reading);
    this.#reading = undefined;
    this.#typing = false;
    this.#newest = this.#told = 0;
  }

  async #tellRead() {
    const newest = this.#newest;
    if (await this.#tell({ read: newest })) this.#told = Math.max(newest, this.#told);
    this.#reading = undefined;
    if (this.#told === newest) this.saw(this.#newest);
  }
}
