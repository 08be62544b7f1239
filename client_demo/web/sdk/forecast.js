// @ts-check
/**
 * What an entity's state will be in the ticks that the server has not told yet.
 *
 *     oldest                      newest    newest + 1
 *     |---------|---------|---------|- - - - -|
 *     the server's      predicted     tentative: the next tick, if the input stays as it is now
 *     last word
 *
 * Pure: no time, no drawing. Ticks are unwrapped, states are lists of wire values.
 */

import { REMEMBERED } from "./inputs.js";

/** @typedef {import("./stepper.js").Stepper} Stepper */
/** @typedef {import("./inputs.js").Inputs} Inputs */

/** States kept: as many as inputs are. */
const KEPT = REMEMBERED;
/**
 * Predicted beyond the server's last word at most, in seconds; after that the state stands still. When nothing happens
 * the server speaks once a second, and this client is ahead of it by its lead; the rest is for stalls.
 */
const MAX_AHEAD_S = 3;

/**
 * What a comparison with the server found.
 * @typedef {object} Verdict
 * @property {"equal" | "news" | "wrong" | "unforeseen"} outcome equal: as predicted. news: differs in what the step takes as
 *   given. wrong: differs in what it is about. unforeseen: the tick had not been predicted
 * @property {readonly number[] | null} predicted the state that had been predicted for the tick
 */

export class Forecast {
  #stepper;
  #inputs;
  #hold;
  #maxAhead;
  /** @type {({tick: number, wire: readonly number[]} | undefined)[]} */
  #states = new Array(KEPT);
  /** @type {readonly number[]} */
  #tentative = [];
  /** By field: whether it is what the step is about: it is drawn, or the step has changed it. */
  /** @type {boolean[]} */
  #isOurs;

  /** The server's last word. */
  oldest;
  /** The last tick that was simulated with the input that was sent for it. */
  newest;

  /**
   * @param {Stepper} stepper
   * @param {Inputs} inputs
   * @param {{hz: number, hold: number}} room ticks per second; ticks that the server repeats a missing input
   * @param {number} tick
   * @param {readonly number[]} wire the server's state after that tick
   */
  constructor(stepper, inputs, { hz, hold }, tick, wire) {
    this.#stepper = stepper;
    this.#inputs = inputs;
    this.#hold = hold;
    this.#maxAhead = Math.min(Math.ceil(MAX_AHEAD_S * hz), KEPT - 2);
    this.#isOurs = stepper.fields.map(({ kind }) => kind.isSmooth);
    this.oldest = this.newest = tick;
    this.#rebase(tick, wire);
  }

  /** The last tick there is a state of: the tentative one, unless it stands still. */
  get last() {
    return this.newest + 1;
  }

  /**
   * Predict up to a tick, and the one after it tentatively.
   * @param {number} tick the last one whose input is settled
   * @returns {[first: number, last: number]} the ticks that were simulated
   */
  extend(tick) {
    const first = this.newest + 1;
    const until = Math.min(tick, this.oldest + this.#maxAhead);
    for (let t = first; t <= until; t++) this.#simulate(t);
    this.#guess();
    return [first, this.last];
  }

  /**
   * Compare with the server's state, and go on from that.
   * @param {number} tick
   * @param {readonly number[]} wire
   * @returns {Verdict}
   */
  correct(tick, wire) {
    const predicted = tick >= this.oldest && tick <= this.newest ? this.at(tick) : null;
    this.oldest = tick;
    if (!predicted) {
      this.#rebase(tick, wire);
      return { outcome: "unforeseen", predicted };
    }
    const differing = wire.flatMap((value, k) => (value === predicted[k] ? [] : [k]));
    if (differing.length === 0) return { outcome: "equal", predicted };
    this.#keep(tick, wire);
    return { outcome: differing.some((k) => this.#isOurs[k]) ? "wrong" : "news", predicted };
  }

  /** Simulate again what comes after the server's last word. @returns {[first: number, last: number]} the ticks */
  replay() {
    for (let t = this.oldest + 1; t <= this.newest; t++) this.#simulate(t);
    this.#guess();
    return [this.oldest + 1, this.last];
  }

  /**
   * The state after a tick; of ticks that are not known, the nearest one.
   * @param {number} tick
   * @returns {readonly number[]}
   */
  at(tick) {
    const within = Math.min(Math.max(tick, this.oldest), this.last);
    if (within > this.newest) return this.#tentative;
    return /** @type {{wire: readonly number[]}} */ (this.#states[slot(within)]).wire;
  }

  /** @param {number} tick */
  #simulate(tick) {
    this.#keep(tick, this.#run(tick, this.#inputs.inForce(tick, this.#hold)));
    this.newest = Math.max(this.newest, tick);
  }

  #guess() {
    const tick = this.newest + 1;
    const isFar = tick > this.oldest + this.#maxAhead;
    this.#tentative = isFar ? this.at(this.newest) : this.#run(tick, this.#inputs.at(tick) ?? this.#inputs.preview());
  }

  /** @param {number} tick @param {readonly number[]} input */
  #run(tick, input) {
    const before = this.at(tick - 1);
    const after = this.#stepper.run(before, input, tick);
    for (let k = 0; k < after.length; k++) if (after[k] !== before[k]) this.#isOurs[k] = true;
    return after;
  }

  /** @param {number} tick @param {readonly number[]} wire */
  #rebase(tick, wire) {
    this.#keep(tick, wire);
    this.newest = tick;
    this.#tentative = wire;
  }

  /** @param {number} tick @param {readonly number[]} wire */
  #keep(tick, wire) {
    this.#states[slot(tick)] = { tick, wire };
  }
}

/** @param {number} tick */
function slot(tick) {
  return ((tick % KEPT) + KEPT) % KEPT;
}
