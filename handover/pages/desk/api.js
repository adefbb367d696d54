/** Requests to the workspace's interface. */

const TIMEOUT_MS = 20_000;

/** The service has answered, but not with what was asked for. `message` is a sentence for the agent. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   * @param {number | null} [retryAfter] milliseconds, where the service names a time
   */
  constructor(status, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The service has not answered. */
export class Unreachable extends Error {}

/** The session has ended, or is another person's by now. */
export class SignedOut extends Error {}

/**
 * @typedef {object} Request
 * @property {string} [method]
 * @property {object} [body]
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {boolean} [keep] the answer stays open: no time limit
 */

export class Api {
  #base;
  #account;
  #csrf;

  /**
   * @param {string} base address of the interface, without a slash at its end
   * @param {string} account whose page this is
   * @param {string} csrf
   */
  constructor(base, account, csrf) {
    this.#base = base;
    this.#account = account;
    this.#csrf = csrf;
  }

  /**
   * @param {string} path
   * @param {Request} [request]
   * @returns {Promise<Response>} an answer of success
   * @throws {Problem | Unreachable | SignedOut}
   */
  async fetch(path, request = {}) {
    const shown = this.#csrf;
    const response = await this.#send(path, request);
    if (response.ok) return response;
    if (response.status === 401) throw new SignedOut();
    const problem = await response.json().catch(() => ({}));
    if (problem.type === "/problems/csrf") {
      await this.renew();
      if (shown !== this.#csrf) return this.fetch(path, request);
    }
    const seconds = Number(response.headers.get("Retry-After"));
    throw new Problem(response.status, String(problem.detail ?? ""), seconds > 0 ? seconds * 1000 : null);
  }

  /**
   * @param {string} path
   * @param {Request} [request]
   * @returns {Promise<any>}
   */
  async json(path, request) {
    try {
      return await (await this.fetch(path, request)).json();
    } catch (error) {
      if (error instanceof Problem || error instanceof SignedOut) throw error;
      throw new Unreachable(String(error));
    }
  }

  /** Take up a session that has begun since; a page never goes on in the name of somebody else. */
  async renew() {
    const { account, csrf } = await this.json("/session");
    if (account !== this.#account) {
      location.reload();
      throw new SignedOut();
    }
    this.#csrf = csrf;
  }

  /**
   * @param {string} path
   * @param {Request} request
   */
  async #send(path, { method = "GET", body, headers = {}, signal, keep }) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
    signal?.addEventListener("abort", () => limit.abort());
    if (signal?.aborted) limit.abort();
    try {
      const response = await fetch(this.#base + path, {
        method,
        headers: {
          ...headers,
          ...(method === "GET" ? {} : { "X-CSRF-Token": this.#csrf }),
          ...(body ? { "Content-Type": "application/json" } : {}),
        },
        body: body ? JSON.stringify(body) : null,
        cache: "no-store",
        redirect: "error",
        signal: limit.signal,
      });
      if (keep && response.ok) return response;
      const text = await response.text();
      return new Response(response.status === 204 ? null : text, { status: response.status, headers: response.headers });
    } catch (error) {
      throw new Unreachable(String(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Whether the same request may succeed later.
 * @param {unknown} error
 */
export function mayPass(error) {
  return !(error instanceof Problem) || error.status === 429 || error.status >= 500;
}
