// @ts-check
/**
 * Where a predicted entity is drawn: between its two latest predicted states, so that it moves smoothly at any refresh
 * rate, plus what is left of the last correction.
 */

import { mixAngles } from "./interpolation.js";
import { VisualError } from "./visual_error.js";

/** @typedef {import("./schema.js").ClassSpec} ClassSpec */
/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./forecast.js").Forecast} Forecast */

/** The tick drawn may leave its course by this much in a frame; more was a jump of the clocks, to be smoothed. */
const CLOCK_JUMP_TICKS = 0.5;
/** As for the interpolation: what moves by more than this share of a field's range was put there. */
const SNAP_SHARE = 1 / 8;

export class Pose {
  #forecast;
  /** @type {readonly Field[]} what is drawn */
  #fields;
  /** @type {number[]} where each of them is in a state */
  #at;
  /** @type {number[]} which of them make up the place */
  #positions;
  #snapDistance;
  #error;

  /** The tick drawn, unwrapped, with fraction; null before the first frame. */
  /** @type {number | null} */
  tick = null;

  /**
   * @param {ClassSpec} spec
   * @param {readonly Field[]} stateFields the fields of a state
   * @param {Forecast} forecast
   * @param {{positions?: string[], snapDistance?: number}} options
   * @param {number | undefined} classSnap the distance that the game has for this class
   */
  constructor(spec, stateFields, forecast, { positions, snapDistance }, classSnap) {
    this.#forecast = forecast;
    this.#fields = spec.smoothFields;
    this.#at = this.#fields.map((field) => stateFields.indexOf(field));
    this.#positions = this.#fields.flatMap(({ name, kind }, k) => ((positions ? positions.includes(name) : kind.modulus === 0) ? [k] : []));
    this.#snapDistance = snapDistance ?? classSnap ?? Math.min(...this.#positions.map((k) => range(this.#fields[k]) * SNAP_SHARE));
    this.#error = new VisualError(this.#fields);
  }

  /** Units that the picture is off. */
  get errorUnits() {
    return Math.hypot(...this.#positions.map((k) => this.#error.of(k)));
  }

  /**
   * The first frame.
   * @param {number} tick the tick to draw, unwrapped, with fraction
   * @param {Readonly<Record<string, any>>} view where it has been drawn until now
   */
  begin(tick, view) {
    this.tick = tick;
    this.#glide(this.#fields.map(({ name }) => view[name]), false);
  }

  /**
   * A frame begins.
   * @param {number} tick the tick to draw, unwrapped, with fraction
   * @param {number} elapsedMs
   * @param {number} hz
   */
  advance(tick, elapsedMs, hz) {
    this.#error.decay(elapsedMs);
    const skip = this.tick === null ? 0 : tick - this.tick - (elapsedMs * hz) / 1000;
    this.tick = tick;
    if (Math.abs(skip) > CLOCK_JUMP_TICKS) this.#glide(this.#placeAt(tick - skip), false);
  }

  /** Where it is drawn now, by drawn field, apart from the visual error. */
  place() {
    return this.tick === null ? null : this.#placeAt(this.tick);
  }

  /**
   * The states have been corrected.
   * @param {number[] | null} drawn what `place` was before
   * @param {boolean} isSnap whether it must jump
   * @returns {boolean} whether it jumped
   */
  correct(drawn, isSnap) {
    return drawn === null ? false : this.#glide(drawn, isSnap);
  }

  /** Units between the places of two states. @param {readonly number[]} a @param {readonly number[]} b */
  distance(a, b) {
    return this.#units(this.#values(a), this.#values(b));
  }

  /** @param {Record<string, any>} view */
  writePose(view) {
    const place = this.place();
    if (place) this.#fields.forEach(({ name, kind }, k) => (view[name] = kind.modulus > 0 ? mixAngles(place[k] + this.#error.of(k), 0, 0) : place[k] + this.#error.of(k)));
  }

  /** @param {number[]} from @param {boolean} isSnap */
  #glide(from, isSnap) {
    const to = this.#placeAt(/** @type {number} */ (this.tick));
    const jumps = isSnap || this.#units(from, to) > this.#snapDistance;
    if (jumps) this.#error.clear();
    else this.#error.add(from, to);
    return jumps;
  }

  /** @param {number} tick */
  #placeAt(tick) {
    const { oldest, last } = this.#forecast;
    const within = Math.min(Math.max(tick, oldest), last);
    const whole = Math.floor(within);
    const before = this.#values(this.#forecast.at(whole));
    const share = within - whole;
    if (share === 0) return before;
    const after = this.#values(this.#forecast.at(whole + 1));
    if (this.#units(before, after) > this.#snapDistance) return before;
    return before.map((from, k) => (this.#fields[k].kind.modulus > 0 ? mixAngles(from, after[k], share) : from + (after[k] - from) * share));
  }

  /** @param {readonly number[]} wire of a state */
  #values(wire) {
    return this.#fields.map(({ kind }, k) => /** @type {number} */ (kind.read(wire[this.#at[k]])));
  }

  /** @param {readonly number[]} a @param {readonly number[]} b */
  #units(a, b) {
    return Math.hypot(...this.#positions.map((k) => a[k] - b[k]));
  }
}

/** @param {Field} field */
function range({ kind }) {
  return kind.read(kind.high) - kind.read(kind.low);
}
