// @ts-check
/**
 * The SDK's errors. Only these leave it; each message is a sentence that names the value and the remedy.
 *
 *     TickwireError          whatever ends or prevents a game: {code, reason, retry, why}
 *     +-- ProtocolError      the server sent something that PROTOCOL.md does not allow
 *     +-- UsageError         this page called the SDK in a way that cannot work
 *     +-- PredictionError    this page's step function failed; the server's state is shown instead
 */

/** What went wrong, in words for a person, with the close code and whether coming back may help. */
export class TickwireError extends Error {
  /**
   * @param {string} reason a sentence
   * @param {{code?: number, retry?: boolean, why?: string}} [details]
   */
  constructor(reason, { code = 0, retry = false, why = "" } = {}) {
    super(reason);
    this.name = new.target.name;
    /** A sentence for the player. */
    this.reason = reason;
    /** The close code of PROTOCOL.md section 9, or of WebSocket; 0 when no connection was involved. */
    this.code = code;
    /** True when the same attempt may succeed later. */
    this.retry = retry;
    /** The reason's name, of reasons.js; "" when no connection was involved. */
    this.why = why;
  }
}

/** The server broke the protocol. Ends the connection (4002), never the page. */
export class ProtocolError extends TickwireError {
  /** @param {string} reason */
  constructor(reason) {
    super(reason, { code: 4002, retry: true, why: "bad message" });
  }
}

/** The page asked for something impossible; thrown at the line that did. */
export class UsageError extends TickwireError {}

/** The step of a prediction failed. Ends the prediction, never the page. */
export class PredictionError extends TickwireError {
  /** @param {string} reason @param {unknown} cause what the step threw */
  constructor(reason, cause) {
    super(reason);
    this.cause = cause;
  }
}

/** Longer text is cut in a message. */
const MAX_SHOWN = 60;

/**
 * A value as an error message names it. Works for whatever a decoder may produce, maps without a prototype
 * included.
 * @param {unknown} value
 */
export function show(value) {
  if (typeof value === "string") return JSON.stringify(value.slice(0, MAX_SHOWN));
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return Array.isArray(value) ? `a list of ${value.length}` : "a map";
}
