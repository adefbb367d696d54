/** Server-sent events over `fetch`: `EventSource` cannot carry a token in its head. */

/** @typedef {import("./types.js").ServerEvent} ServerEvent */

/** The service sends a comment every 15 s; a connection that is silent for much longer is dead. */
const SILENCE_MS = 40_000;

/**
 * The events of a response body. An event that was cut off in its middle is never given out.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<ServerEvent>}
 */
export async function* serverEvents(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const chunk = await withinSilence(reader.read());
      if (!chunk || chunk.done) return;
      const frames = (rest + decoder.decode(chunk.value, { stream: true })).replace(/\r\n/g, "\n").split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) {
        const event = parse(frame);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * @template Result
 * @param {Promise<Result>} reading
 * @returns {Promise<Result | null>} nothing when the time is over
 */
async function withinSilence(reading) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const silence = new Promise((resolve) => (timer = setTimeout(resolve, SILENCE_MS, null)));
  try {
    return await Promise.race([reading, /** @type {Promise<null>} */ (silence)]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} frame
 * @returns {ServerEvent | null}
 */
function parse(frame) {
  const fields = { event: "message", id: "", data: "" };
  for (const line of frame.split("\n")) {
    const [, name = "", value = ""] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === "data") fields.data += (fields.data && "\n") + value;
    else if (name === "event" || name === "id") fields[name] = value;
  }
  if (!fields.data) return null;
  try {
    return { name: fields.event, id: fields.id, data: JSON.parse(fields.data) };
  } catch {
    return null;
  }
}

/**
 * How long to wait before the next attempt: longer every time, never the same for all browsers.
 * @param {number} attempt from 0
 * @returns {number} milliseconds
 */
export function backOff(attempt) {
  return Math.min(30_000, 500 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/**
 * Wait, but no longer than until the browser is online again or somebody is impatient.
 * @param {number} ms
 * @param {EventTarget} waker its event `wake` ends the waiting
 */
export function pause(ms, waker) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      waker.removeEventListener("wake", done);
      resolve(undefined);
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    waker.addEventListener("wake", done);
  });
}
