// @ts-check
/**
 * The way from where an entity was drawn to where it ought to be.
 *
 * A corrected prediction is right at once; only the picture takes its time: what it was off by becomes an offset
 * that decays exponentially (Fiedler, "State Synchronization", 2015: smooth the error, never the state).
 */

/** @typedef {import("./schema.js").Field} Field */

/** After this long a 1/e of the error is left: gone in about a third of a second, too soft to see as a jump. */
const DECAY_MS = 100;
/** What is left below this share of a field's step on the wire is dropped. */
const NEGLIGIBLE_STEPS = 1 / 16;

const TURN = 2 * Math.PI;

export class VisualError {
  #fields;
  #offsets;
  #least;

  /** @param {readonly Field[]} fields what is drawn: quantized and angle fields */
  constructor(fields) {
    this.#fields = fields;
    this.#offsets = new Float64Array(fields.length);
    this.#least = fields.map(({ kind }) => (kind.read(1) - kind.read(0)) * NEGLIGIBLE_STEPS);
  }

  /**
   * The picture was at `before` and ought to be at `after`: keep it where it was, for now.
   * @param {ArrayLike<number>} before by field
   * @param {ArrayLike<number>} after
   */
  add(before, after) {
    for (let k = 0; k < this.#offsets.length; k++) {
      const offset = this.#offsets[k] + before[k] - after[k];
      this.#offsets[k] = this.#fields[k].kind.modulus > 0 ? offset - TURN * Math.floor(offset / TURN + 0.5) : offset;
    }
  }

  /** Let time pass. @param {number} elapsedMs */
  decay(elapsedMs) {
    const rest = Math.exp(-elapsedMs / DECAY_MS);
    for (let k = 0; k < this.#offsets.length; k++) {
      const offset = this.#offsets[k] * rest;
      this.#offsets[k] = Math.abs(offset) < this.#least[k] ? 0 : offset;
    }
  }

  /** Nothing to smooth (any more). */
  clear() {
    this.#offsets.fill(0);
  }

  /** How far the picture is off in a field. @param {number} k */
  of(k) {
    return this.#offsets[k];
  }
}
