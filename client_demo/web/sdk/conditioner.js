// @ts-check
/**
 * A bad network on demand: delay, jitter, stalls and a narrow line, between the session and its WebSocket.
 *
 *     session --send--> Lane out --due--> WebSocket
 *     session <--due--- Lane in  <------- WebSocket
 *
 * TCP loses nothing and keeps the order, so a bad network shows as lateness alone: a lost packet holds up
 * everything behind it (a stall), then all of it comes at once. So it is here. Time and timers are the runtime's
 * and chance is seeded: under a virtual clock a test runs the same way each time. The Python client has the same
 * (`tickwire_client/conditioner.py`).
 */

import { seeded } from "./chance.js";
import { show, UsageError } from "./errors.js";

/** @typedef {import("./runtime.js").Runtime} Runtime */
/** @typedef {import("./runtime.js").Socket} Socket */

/**
 * How good a link is. Round trips are twice `delayMs`: `LinkConditioner.ofRoundTrip` takes those.
 * @typedef {object} Conditions
 * @property {number} delayMs how long each direction takes
 * @property {number} jitterMs each message takes up to this much more or less, evenly spread. The order stays, so with
 *   messages that follow each other closely the earlier ones push the later ones out
 * @property {number} stallEveryMs both directions stand still once in this time, counted from when it connected ...
 * @property {number} stallMs ... for this long; then everything held up arrives at once. 0: no stalls
 * @property {number} bytesPerSecond what each direction carries at most. The server does not feel it: a page can't stop
 *   reading a WebSocket, so what a line is too narrow for piles up here, as in a router that buffers too much
 */

/** @type {Readonly<Conditions>} */
const PERFECT = Object.freeze({ delayMs: 0, jitterMs: 0, stallEveryMs: Infinity, stallMs: 0, bytesPerSecond: Infinity });

/** What may be under way in one direction. Beyond it the connection breaks, as real ones do in the end. */
export const MAX_UNDER_WAY_BYTES = 256 * 1024;
/** The close code of a connection that broke. */
const ABNORMAL = 1006;
/** What WebSocket and TCP put around a message, roughly: it counts for the narrow line. */
const OVERHEAD_BYTES = 8;

export class LinkConditioner {
  #conditions = PERFECT;
  #seed;
  #carried = 0;

  /**
   * `connect(url, { room, link: new LinkConditioner({ delayMs: 75, jitterMs: 20 }) })`. What is left out is perfect.
   * One conditioner may serve any number of connections; each has a chance of its own.
   * @param {Partial<Conditions> & {seed?: number}} [options] `seed` is of the jitter
   */
  constructor({ seed = 0, ...conditions } = {}) {
    this.#seed = seed;
    this.change(conditions);
  }

  /**
   * A link with a round trip of `rttMs`, give or take `jitterMs`: each direction has half of both.
   * @param {number} rttMs
   * @param {number} [jitterMs]
   * @param {Partial<Conditions> & {seed?: number}} [others]
   */
  static ofRoundTrip(rttMs, jitterMs = 0, others = {}) {
    return new LinkConditioner({ ...others, delayMs: rttMs / 2, jitterMs: jitterMs / 2 });
  }

  /** How good the link is now. */
  get conditions() {
    return this.#conditions;
  }

  /**
   * Change it, also while it is in use: what is sent from then on finds the new conditions; what is under way arrives as it
   * would have, and nothing overtakes it.
   * @param {Partial<Conditions>} conditions what is left out stays. Wrong values throw a UsageError and change nothing
   */
  change(conditions) {
    const next = { ...this.#conditions, ...conditions };
    for (const [name, value] of Object.entries(next)) checkCondition(name, value);
    if (next.stallMs >= next.stallEveryMs) {
      throw new UsageError(`A link that stalls for ${next.stallMs} ms every ${next.stallEveryMs} ms never moves; use a stallMs below stallEveryMs.`);
    }
    this.#conditions = Object.freeze(next);
  }

  /**
   * A runtime whose sockets are behind this link.
   * @param {Runtime} runtime
   * @returns {Runtime}
   */
  over(runtime) {
    return {
      ...runtime,
      open: (url) => {
        this.#carried += 1;
        const chance = seeded(this.#seed * 1000 + this.#carried);
        return new LinkedSocket(runtime.open(url), (broken) => new Lane(this, runtime, chance, broken));
      },
    };
  }
}

/** @param {string} name @param {unknown} value */
function checkCondition(name, value) {
  if (!(name in PERFECT)) throw new UsageError(`A link has no ${show(name)}; it has ${Object.keys(PERFECT).join(", ")} and seed.`);
  const isNumber = typeof value === "number" && !Number.isNaN(value);
  const mayBeEndless = name === "stallEveryMs" || name === "bytesPerSecond";
  if (mayBeEndless && !(isNumber && value > 0)) throw new UsageError(`A link with the ${name} ${show(value)}; use a number above 0, Infinity for no limit.`);
  if (!mayBeEndless && !(isNumber && value >= 0 && value < Infinity)) throw new UsageError(`A link with the ${name} ${show(value)}; use a number of milliseconds from 0 on.`);
}

/** What is under way in one direction, in order. */
class Lane {
  #link;
  #runtime;
  #chance;
  #broken;
  #since;
  /** When the line has carried all that was put on it. */
  #free = -Infinity;
  /** First in, first out: what is due earlier than the one before it waits. */
  /** @type {{due: number, bytes: number, arrive: () => void}[]} */
  #queue = [];
  #underWay = 0;
  #cancelTimer = () => {};

  /** @param {LinkConditioner} link @param {Runtime} runtime @param {() => number} chance @param {() => void} broken too much is under way */
  constructor(link, runtime, chance, broken) {
    this.#link = link;
    this.#runtime = runtime;
    this.#chance = chance;
    this.#broken = broken;
    this.#since = runtime.now();
  }

  /**
   * Send something on its way; it arrives by `arrive`, at once if nothing holds it up.
   * @param {number} bytes
   * @param {() => void} arrive
   */
  put(bytes, arrive) {
    const now = this.#runtime.now();
    const due = this.#arrival(now, bytes);
    if (this.#queue.length === 0 && due <= now) return arrive();
    this.#underWay += bytes;
    if (this.#underWay > MAX_UNDER_WAY_BYTES) return this.#broken();
    this.#queue.push({ due, bytes, arrive });
    if (this.#queue.length === 1) this.#wait(now);
  }

  /** Lose what is under way, as pulling the cable does. */
  cut() {
    this.#cancelTimer();
    this.#queue = [];
    this.#underWay = 0;
  }

  /** @param {number} now @param {number} bytes */
  #arrival(now, bytes) {
    const { delayMs, jitterMs, bytesPerSecond } = this.#link.conditions;
    this.#free = Math.max(this.#free, now) + (bytes * 1000) / bytesPerSecond;
    return this.#afterStall(this.#free + delayMs + (this.#chance() * 2 - 1) * jitterMs);
  }

  /** When what would arrive at `time` does, for stalls. @param {number} time */
  #afterStall(time) {
    const { stallEveryMs, stallMs } = this.#link.conditions;
    const passed = time - this.#since;
    const phase = passed % stallEveryMs;
    return passed < stallEveryMs || phase >= stallMs ? time : time + stallMs - phase;
  }

  /** @param {number} now */
  #wait(now) {
    this.#cancelTimer = this.#runtime.schedule(() => this.#deliver(), Math.max(this.#queue[0].due - now, 0));
  }

  /** Let arrive what is due. What arrives may send, close or cut. */
  #deliver() {
    // Timers of browsers may be a fraction of a millisecond early.
    const now = this.#runtime.now() + 0.5;
    for (let head = this.#queue[0]; head && head.due <= now; head = this.#queue[0]) {
      this.#queue.shift();
      this.#underWay -= head.bytes;
      head.arrive();
    }
    this.#cancelTimer();
    if (this.#queue.length > 0) this.#wait(this.#runtime.now());
  }
}

/** A socket behind a link. @implements {Socket} */
class LinkedSocket {
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: {data: any}) => void) | null} */
  onmessage = null;
  /** @type {((event: {code: number, reason: string}) => void) | null} */
  onclose = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;
  #socket;
  #out;
  #in;

  /** @param {Socket} socket @param {(broken: () => void) => Lane} lane makes one */
  constructor(socket, lane) {
    this.#socket = socket;
    this.#out = lane(() => this.#break());
    this.#in = lane(() => this.#break());
    // The handshake takes a round trip.
    socket.onopen = (event) => this.#out.put(0, () => this.#in.put(0, () => this.onopen?.(event)));
    socket.onmessage = (event) => this.#in.put(sizeOf(event.data) + OVERHEAD_BYTES, () => this.onmessage?.(event));
    socket.onclose = (event) => this.#in.put(0, () => this.onclose?.(event));
    socket.onerror = (event) => this.#in.put(0, () => this.onerror?.(event));
  }

  get binaryType() {
    return this.#socket.binaryType;
  }

  set binaryType(type) {
    this.#socket.binaryType = type;
  }

  /** @param {Uint8Array} data */
  send(data) {
    this.#out.put(data.length + OVERHEAD_BYTES, () => this.#socket.send(data));
  }

  /** @param {number} [code] @param {string} [reason] */
  close(code, reason) {
    this.#out.put(0, () => this.#socket.close(code, reason));
  }

  #break() {
    this.#out.cut();
    this.#in.cut();
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = this.#socket.onerror = null;
    this.#socket.close();
    this.onclose?.({ code: ABNORMAL, reason: "" });
  }
}

/** @param {unknown} data of a message */
function sizeOf(data) {
  if (data instanceof ArrayBuffer) return data.byteLength;
  return typeof data === "string" ? data.length : 0;
}
