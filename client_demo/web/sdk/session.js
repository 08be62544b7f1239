// @ts-check
/**
 * The life of one connection after another: connect, join, play, come back (PROTOCOL.md section 9).
 *
 *     connecting --opened--> joining --welcomed--> playing
 *         ^  \__________________|_________________/  |
 *         |                   lost                 ended
 *         |                     v                    v
 *         +-----retry---- reconnecting --ended--> closed
 *
 * The session moves bytes and knows when to come back; what the messages mean is the handler's business.
 */

import { BAD_MESSAGE, comebackAfter, describeClose, LEFT, notConnected, pauseBefore, TIMED_OUT } from "./closes.js";
import { diagnose, isMixedContent } from "./diagnosis.js";
import { ProtocolError, TickwireError } from "./errors.js";
import { encodeLeave, encodePing } from "./messages.js";

/** @typedef {import("./runtime.js").Runtime} Runtime */
/** @typedef {import("./runtime.js").Socket} Socket */
/** @typedef {"connecting" | "joining" | "playing" | "reconnecting" | "closed"} SessionState */
/** @typedef {"opened" | "welcomed" | "lost" | "ended" | "retry"} SessionEvent */
/** @typedef {{status: SessionState, reason: string, code: number, retryInMs: number, why: string}} Status */

/**
 * @typedef {object} Handler
 * @property {() => Uint8Array} hello the first message: JOIN or RESUME
 * @property {() => boolean} forgetPlace from now on `hello` is a JOIN; false when it was one already
 * @property {(bytes: Uint8Array, now: number) => void} message a message has come
 * @property {(error: ProtocolError) => void} fault the server broke the protocol below the messages; answer with `fail`
 * @property {(status: Status) => void} status the state has changed
 * @property {(error: TickwireError) => void} ended it is over, for this reason
 */

/** What leads where. An event that a state has no entry for is a mistake in this file. */
/** @type {Readonly<Record<SessionState, Partial<Record<SessionEvent, SessionState>>>>} */
export const TRANSITIONS = {
  connecting: { opened: "joining", lost: "reconnecting", ended: "closed" },
  joining: { welcomed: "playing", lost: "reconnecting", ended: "closed" },
  playing: { lost: "reconnecting", ended: "closed" },
  reconnecting: { retry: "connecting", ended: "closed" },
  closed: {},
};

/** How long a connection may take until WELCOME. */
const JOIN_TIMEOUT_MS = 10_000;
/** A ping without any answer for this long means that the connection is dead, whatever the system says. */
const SILENCE_MS = 8_000;
/** A timer that comes this much too late belongs to a page that slept: what the server said meanwhile is yet to be heard. */
const SLEPT_MS = 2_000;
/** So much more time than that the server then gets to be heard. */
const WOKEN_MS = 2_000;
/** A connection that lasted this long was a good one: the next failure starts the backoff anew. */
const GOOD_AFTER_MS = 5_000;
/** Pings: fast at first, to know the clock soon, then one a second. */
const FAST_PINGS = 8;
const FAST_PING_MS = 250;
const PING_MS = 1000;
/** One in so many failed attempts is looked into: a server that is coming back has enough to do. */
const ASK_EVERY = 4;
/** WebSocket's limit on a close reason, in bytes. */
const MAX_REASON = 123;

export class Session {
  /** @type {SessionState} */
  #state = "connecting";
  #url;
  #reconnects;
  #runtime;
  #handler;
  /** @type {Socket | null} */
  #socket = null;
  #cancelTimer = () => {};
  #attempt = 0;
  #retryAt = 0;
  /** What was found out about why no connection comes about. */
  /** @type {TickwireError | null} */
  #known = null;
  #openedAt = 0;
  #pings = 0;
  /** When the oldest ping without a sign of life since was sent. */
  /** @type {number | null} */
  #unheardSince = null;
  /** When the next ping is due. */
  #pingDue = 0;

  /**
   * @param {string} url
   * @param {boolean} reconnects
   * @param {Runtime} runtime
   * @param {Handler} handler
   */
  constructor(url, reconnects, runtime, handler) {
    this.#url = url;
    this.#reconnects = reconnects;
    this.#runtime = runtime;
    this.#handler = handler;
  }

  get state() {
    return this.#state;
  }

  /** Open the first connection. */
  start() {
    this.#announce();
    // A listener may have left already.
    if (this.#state === "connecting") this.#connect();
  }

  /**
   * Send a message, if there is somebody to take it.
   * @param {Uint8Array} bytes
   * @returns {boolean} whether it was sent
   */
  send(bytes) {
    if (this.#state !== "playing" || !this.#socket) return false;
    this.#socket.send(bytes);
    return true;
  }

  /** The handler has accepted the WELCOME. */
  welcomed() {
    this.#go("welcomed");
    this.#openedAt = this.#runtime.now();
    this.#pings = 0;
    this.#known = null;
    this.#unheardSince = null;
    this.#pingDue = this.#openedAt;
    this.#ping();
    this.#announce();
  }

  /**
   * The server said something that cannot be; come back with a fresh connection.
   * @param {ProtocolError} error
   */
  fail(error) {
    if (this.#state !== "joining" && this.#state !== "playing") return;
    this.#drop(BAD_MESSAGE, error.reason);
    this.#lost(error, "backoff");
  }

  /** Leave for good. */
  leave() {
    if (this.#state === "closed") return;
    this.send(encodeLeave());
    this.#drop(1000, "");
    this.#end(describeClose(LEFT, "", true));
  }

  #connect() {
    let wasOpen = false;
    /** @type {Socket} */
    let socket;
    try {
      socket = this.#runtime.open(this.#url);
    } catch (error) {
      // Thrown for an address that can't work, or one that the page's security policy forbids.
      const why = isMixedContent(this.#url, this.#runtime.origin) ? "mixed content" : "";
      this.#end(new TickwireError(`${this.#url} cannot be connected to: ${error instanceof Error ? error.message : String(error)}`, { why }));
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      wasOpen = true;
      this.#go("opened");
      socket.send(this.#handler.hello());
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#closed(code, reason, wasOpen);
    this.#after(JOIN_TIMEOUT_MS, () => {
      this.#drop(1000, "");
      this.#lost(notConnected("no answer", 0), "backoff");
    });
  }

  /** @param {unknown} data */
  #receive(data) {
    const now = this.#runtime.now();
    this.#unheardSince = null;
    if (data instanceof ArrayBuffer) this.#handler.message(new Uint8Array(data), now);
    else this.#handler.fault(new ProtocolError("The server sent a text message; the protocol has none."));
  }

  /** @param {number} code @param {string} reason @param {boolean} wasOpen */
  #closed(code, reason, wasOpen) {
    this.#forget();
    const error = describeClose(code, reason, wasOpen);
    const comeback = comebackAfter(code);
    if (error.why === "not there") this.#unreachable(error);
    else if (comeback === "final") this.#end(error);
    else this.#lost(error, comeback);
  }

  /** No connection came about, and the browser doesn't say why. @param {TickwireError} error */
  #unreachable(error) {
    const isAsking = this.#attempt % ASK_EVERY === 0;
    if (this.#reconnects) this.#lost(this.#known ?? error, "backoff");
    if (isAsking) diagnose(this.#url, this.#runtime).then((why) => this.#learn(why, error), this.#runtime.report);
  }

  /** @param {import("./reasons.js").Reason} why @param {TickwireError} error */
  #learn(why, error) {
    const told = this.#known ?? error;
    this.#known = notConnected(why, error.code);
    if (!this.#reconnects && this.#state === "connecting") this.#end(this.#known);
    else if (this.#state === "reconnecting" && told.why !== why) this.#announce(this.#known, Math.max(0, this.#retryAt - this.#runtime.now()));
  }

  /**
   * @param {TickwireError} error
   * @param {import("./closes.js").Comeback} comeback
   */
  #lost(error, comeback) {
    if (!this.#reconnects) {
      this.#end(error);
      return;
    }
    const isRejoin = comeback === "rejoin" && this.#handler.forgetPlace();
    if (comeback === "rejoin" && !isRejoin) {
      // It was the join that failed: its reservation is used up.
      this.#end(error);
      return;
    }
    if (this.#state === "playing" && this.#runtime.now() - this.#openedAt >= GOOD_AFTER_MS) this.#attempt = 0;
    // "At once" is meant for once: a server that keeps saying it gets the same pauses as any other.
    const isAtOnce = isRejoin || (comeback === "now" && this.#attempt === 0);
    const pause = isAtOnce ? 0 : pauseBefore(this.#attempt, this.#runtime.random);
    this.#attempt += 1;
    this.#retryAt = this.#runtime.now() + pause;
    this.#go("lost");
    this.#after(pause, () => {
      this.#go("retry");
      this.#announce();
      if (this.#state === "connecting") this.#connect();
    });
    this.#announce(error, pause);
  }

  /** @param {TickwireError} error */
  #end(error) {
    this.#cancelTimer();
    this.#go("ended");
    this.#announce(error);
    this.#handler.ended(error);
  }

  #ping() {
    const now = this.#runtime.now();
    if (now - this.#pingDue > SLEPT_MS) this.#unheardSince = now - SILENCE_MS + WOKEN_MS;
    if (this.#unheardSince !== null && now - this.#unheardSince > SILENCE_MS) {
      // Not 1000, which gives up the seat.
      this.#drop(TIMED_OUT, "");
      this.#lost(new TickwireError("The server fell silent.", { retry: true, why: "timed out" }), "backoff");
      return;
    }
    this.#unheardSince ??= now;
    this.#pings += 1;
    const pause = this.#pings < FAST_PINGS ? FAST_PING_MS : PING_MS;
    this.#pingDue = now + pause;
    this.#after(pause, () => this.#ping());
    this.send(encodePing(now));
  }

  /**
   * Close the socket and hear nothing more of it.
   * @param {number} code
   * @param {string} reason
   */
  #drop(code, reason) {
    const socket = this.#socket;
    this.#forget();
    socket?.close(code, shortened(reason));
  }

  #forget() {
    const socket = this.#socket;
    this.#socket = null;
    this.#cancelTimer();
    if (socket) socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
  }

  /** @param {number} afterMs @param {() => void} action */
  #after(afterMs, action) {
    this.#cancelTimer();
    this.#cancelTimer = this.#runtime.schedule(action, afterMs);
  }

  /** @param {SessionEvent} event */
  #go(event) {
    const next = TRANSITIONS[this.#state][event];
    if (!next) throw new Error(`session.js has no transition for "${event}" in the state "${this.#state}"`);
    this.#state = next;
  }

  /** @param {TickwireError | null} [error] @param {number} [retryInMs] */
  #announce(error = null, retryInMs = 0) {
    const { reason = "", code = 0, why = "" } = error ?? {};
    this.#handler.status({ status: this.#state, reason, code, retryInMs, why });
  }
}

/** @param {string} reason */
function shortened(reason) {
  const ascii = reason.replace(/[^ -~]/g, "?");
  return ascii.slice(0, MAX_REASON);
}
