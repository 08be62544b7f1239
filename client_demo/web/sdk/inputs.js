// @ts-check
/**
 * The player's input: an object to set fields on, sampled once for every tick and sent addressed to it.
 *
 * Sent inputs are remembered by tick, for whoever replays them (prediction).
 */

import { UsageError } from "./errors.js";
import { encodeInput, MAX_INPUTS } from "./messages.js";
import { wrapTick } from "./ticks.js";

/** @typedef {import("./schema.js").ClassSpec} ClassSpec */
/** @typedef {import("./schema.js").Field} Field */

/** Inputs remembered: 4 s at 128 ticks a second, for a prediction that has not heard of the server for so long. */
export const REMEMBERED = 512;

/** @typedef {{tick: number, wire: number[]}} SentInput */

export class Inputs {
  #spec;
  /** @type {boolean[]} by field */
  #isTrigger;
  /** @type {number[]} */
  #neutral;
  /** @type {number[]} what is set now, as wire values */
  #current;
  /** @type {Set<number>} triggers pressed since the last sample */
  #pressed = new Set();
  /** @type {(SentInput | undefined)[]} */
  #sent = new Array(REMEMBERED);

  /** The last tick sampled, unwrapped; null before the first. */
  /** @type {number | null} */
  lastTick = null;

  /**
   * The input's fields, to be set by the page: `current.turn = 1`. Setting a wrong value throws a UsageError
   * at that line; a field that does not exist throws a TypeError.
   * @type {{[field: string]: any}}
   */
  current;

  /** @param {ClassSpec} spec */
  constructor(spec) {
    this.#spec = spec;
    this.#isTrigger = spec.publicFields.map((field) => field.kind.name === "trigger");
    this.#neutral = spec.publicFields.map((field) => /** @type {number} */ (field.initial));
    this.#current = this.#neutral.slice();
    this.current = this.#accessors();
  }

  /** The fields of the input, in the order of wire values. */
  get fields() {
    return this.#spec.publicFields;
  }

  /**
   * Set a trigger (or flag) for exactly one tick, the next one sampled.
   * @param {string} name
   */
  press(name) {
    const field = this.#spec.publicFields.find((candidate) => candidate.name === name);
    if (!field || !isButton(field.kind)) {
      throw new UsageError(`${this.#spec.name} has no trigger ${JSON.stringify(name)}; its fields are ${this.#spec.publicFields.map((f) => f.name).join(", ")}.`);
    }
    this.#pressed.add(field.index);
  }

  /**
   * Sample every tick that has come since the last call.
   * @param {number} tick the tick to command now, unwrapped, with fraction
   * @returns {Uint8Array | null} the INPUT message; null when no tick has come
   */
  sample(tick) {
    const last = Math.floor(tick);
    if (this.lastTick !== null && last <= this.lastTick) return null;
    // After a pause the ticks that are long gone are left out: the server has simulated them.
    const first = Math.max(this.lastTick === null ? last : this.lastTick + 1, last - MAX_INPUTS + 1);
    /** @type {number[]} */
    const values = [];
    for (let t = first; t <= last; t++) values.push(...this.#record(t));
    this.lastTick = last;
    return encodeInput(wrapTick(first), values);
  }

  /**
   * The input that was sent for a tick, as wire values; undefined when none was or it is forgotten.
   * @param {number} tick unwrapped
   */
  at(tick) {
    const sent = this.#sent[slot(tick)];
    return sent?.tick === tick ? sent.wire : undefined;
  }

  /**
   * What the next sample will be as things are, as wire values, for whoever shows it before it is due. What was shown
   * is sent: a button that is released in the meantime counts as pressed for this one tick.
   * @returns {readonly number[]}
   */
  preview() {
    const wire = this.#now();
    for (const { index, kind } of this.fields) if (wire[index] === 1 && isButton(kind)) this.#pressed.add(index);
    return wire;
  }

  /**
   * The input that the server has in force at a tick when all that was sent arrives in time: a tick without one
   * repeats the newest before it, triggers aside, then the neutral one follows (PROTOCOL.md section 4, INPUT).
   * @param {number} tick unwrapped
   * @param {number} hold ticks that a missing input is repeated
   * @returns {readonly number[]} wire values
   */
  inForce(tick, hold) {
    for (let missing = 0; missing <= hold; missing++) {
      const wire = this.at(tick - missing);
      if (wire) return missing === 0 ? wire : this.#withoutTriggers(wire);
    }
    return this.#neutral;
  }

  /** Begin anew: another join, whose ticks have nothing to do with those before. */
  restart() {
    this.lastTick = null;
    this.#pressed.clear();
    this.#sent.fill(undefined);
  }

  /** What is set now, and what was pressed. */
  #now() {
    const wire = this.#current.slice();
    for (const index of this.#pressed) wire[index] = 1;
    return wire;
  }

  /** @param {number} tick */
  #record(tick) {
    const wire = this.#now();
    this.#pressed.clear();
    this.#current = this.#withoutTriggers(this.#current);
    this.#sent[slot(tick)] = { tick, wire };
    return wire;
  }

  /** @param {readonly number[]} wire */
  #withoutTriggers(wire) {
    return wire.map((value, index) => (this.#isTrigger[index] ? this.#neutral[index] : value));
  }

  #accessors() {
    const { name: type, publicFields } = this.#spec;
    const current = Object.create(null);
    for (const { name, index, kind } of publicFields) {
      Object.defineProperty(current, name, {
        enumerable: true,
        get: () => kind.read(this.#current[index]),
        set: (value) => {
          this.#current[index] = /** @type {number} */ (kind.write(value, `${type}.${name}`));
        },
      });
    }
    return Object.preventExtensions(current);
  }
}

/** @param {import("./kinds.js").Kind} kind */
function isButton({ name }) {
  return name === "trigger" || name === "flag";
}

/** @param {number} tick */
function slot(tick) {
  return ((tick % REMEMBERED) + REMEMBERED) % REMEMBERED;
}
