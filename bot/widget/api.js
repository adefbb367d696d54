/** Requests to the chat API. */

const TIMEOUT_MS = 20_000;

/** The service has answered, but not with what was asked for. `message` is a sentence for the citizen. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} document the problem document, as far as there is one
   * @param {number | null} retryAfter milliseconds, where the service names a time
   */
  constructor(status, document, retryAfter) {
    super(String(document.detail ?? ""));
    this.status = status;
    /** What kind of problem it is, for example `not-reachable`. */
    this.code = String(document.type ?? "").replace(/^.*\//, "");
    /** @type {Record<string, string>} a sentence for each field that is wrong */
    this.fields = document.fields ?? {};
    this.retryAfter = retryAfter;
  }

  /** The conversation is not there any more, or not ours. */
  get gone() {
    return this.status === 401 || this.status === 404;
  }

  /** The same request may succeed later. */
  get passing() {
    return this.status === 429 || this.status >= 500;
  }
}

/** The service has not answered. */
export class Unreachable extends Error {}

/**
 * @typedef {object} Request
 * @property {string} [method]
 * @property {string} [token]
 * @property {object} [body]
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {boolean} [keep] the answer stays open: no time limit
 */

export class Api {
  #base;

  /** @param {string} base address of the API, without a slash at its end */
  constructor(base) {
    this.#base = base;
  }

  /**
   * @param {string} path
   * @param {Request} [request]
   * @returns {Promise<Response>} an answer of success
   * @throws {Problem | Unreachable}
   */
  async fetch(path, { method = "GET", token, body, headers = {}, signal, keep } = {}) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
    const abort = () => limit.abort();
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) limit.abort();
    let response;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers: {
          ...headers,
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...(body ? { "Content-Type": "application/json" } : {}),
        },
        body: body ? JSON.stringify(body) : null,
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal: limit.signal,
      });
      if (!response.ok) throw await problem(response);
      if (keep) return response;
      const text = await response.text();
      return new Response(response.status === 204 ? null : text, { status: response.status });
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Unreachable(String(error));
    } finally {
      clearTimeout(timer);
      if (!keep || !response?.ok) signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * @param {string} path
   * @param {Request} [request]
   * @returns {Promise<any>}
   */
  async json(path, request) {
    return (await this.fetch(path, request)).json();
  }
}

/** @param {Response} response */
async function problem(response) {
  const document = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get("Retry-After"));
  return new Problem(response.status, document, seconds > 0 ? seconds * 1000 : null);
}
