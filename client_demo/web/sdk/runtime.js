// @ts-check
/** What the SDK needs from its surroundings, in one record, so that tests bring a virtual clock and a fake socket. */

/**
 * The part of the browser's WebSocket that is used.
 * @typedef {object} Socket
 * @property {string} binaryType
 * @property {((event: any) => void) | null} onopen
 * @property {((event: {data: any}) => void) | null} onmessage
 * @property {((event: {code: number, reason: string}) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 * @property {(data: Uint8Array) => void} send
 * @property {(code?: number, reason?: string) => void} close
 */

/**
 * @typedef {object} Runtime
 * @property {() => number} now monotonic ms, the same clock as the argument of `game.frame`
 * @property {(action: () => void, afterMs: number) => () => void} schedule returns a function that cancels
 * @property {(url: string) => Socket} open
 * @property {() => number} random in [0, 1)
 * @property {(error: unknown) => void} report takes errors that belong to nobody: those that listeners throw
 * @property {string | undefined} origin where the page came from, as `https://host:port`
 * @property {(url: string) => Promise<import("./diagnosis.js").Answer | null>} ask a plain GET; see diagnosis.js
 * @property {() => boolean} isOnline whether the device has a network at all
 */

/** What hasn't answered until then counts as not there. */
const ASK_TIMEOUT_MS = 4000;

/** @returns {Runtime} the browser's */
export function browserRuntime() {
  return {
    now: () => performance.now(),
    schedule: (action, afterMs) => {
      const timer = setTimeout(action, afterMs);
      return () => clearTimeout(timer);
    },
    open: (url) => /** @type {Socket} */ (/** @type {unknown} */ (new WebSocket(url))),
    random: Math.random,
    report: (error) => {
      if (typeof reportError === "function") reportError(error);
      else console.error(error);
    },
    origin: typeof location === "undefined" ? undefined : location.origin,
    ask,
    isOnline: () => typeof navigator === "undefined" || navigator.onLine !== false,
  };
}

/**
 * @param {string} url
 * @returns {Promise<import("./diagnosis.js").Answer | null>}
 */
async function ask(url) {
  const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
  /** @type {RequestInit} */
  const options = { cache: "no-store", credentials: "omit", signal };
  try {
    const response = await fetch(url, options);
    return { status: response.status, text: await response.text() };
  } catch {
    // Nobody there, or an answer that this page may not read: a request that asks for no content tells which.
    return fetch(url, { ...options, mode: "no-cors" }).then(() => ({ status: 0, text: "" }), () => null);
  }
}
