// @ts-check
/**
 * How fine to draw: as fine as the screen, and coarser step by step on a machine that can't keep up,
 * because a smooth picture is worth more than a sharp one.
 */

/** Shares of the screen's own resolution, tried in this order. */
const STEPS = [1, 0.8, 0.62, 0.5];
/** A frame rate below about 45 is seen as juddering. */
const SLOW_SECONDS = 1 / 45;
/** So many slow frames in a row, give or take, mean a slow machine and not a hiccup. */
const PATIENCE = 45;
/** Longer is a tab in the background or a stall: says nothing about drawing. */
const PAUSE_SECONDS = 0.25;

export class Resolution {
  #step = 0;
  #slow = 0;

  /** The share of the screen's resolution to draw at. */
  get share() {
    return STEPS[this.#step] ?? 1;
  }

  /** Take note of how long a frame took. @param {number} seconds */
  frame(seconds) {
    if (seconds > PAUSE_SECONDS) return;
    this.#slow = Math.max(0, this.#slow + (seconds > SLOW_SECONDS ? 1 : -1));
    if (this.#slow < PATIENCE || this.#step === STEPS.length - 1) return;
    this.#step += 1;
    this.#slow = 0;
  }
}
