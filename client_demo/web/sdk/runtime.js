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
 */

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
  };
}
