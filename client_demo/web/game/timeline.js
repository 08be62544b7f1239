// @ts-check
/**
 * Things to do when the picture gets there.
 *
 * News of a tick arrives while the picture still shows an earlier one. An explosion shown at once would
 * come before the bullet: so effects wait here until their tick is drawn.
 */

import { ticksSince } from "./arena.js";

/** Past this there is nothing to wait for: the clock is being set, not running. */
const LONGEST_WAIT_TICKS = 60;

/** @typedef {{tick: number, action: () => void}} Entry */

export class Timeline {
  /** @type {Entry[]} */
  #waiting = [];

  /** Do `action` when `tick` is shown. @param {number} tick @param {() => void} action */
  at(tick, action) {
    this.#waiting.push({ tick, action });
  }

  /** Do what is due, in the order it was given. @param {number} shown the tick shown now */
  advance(shown) {
    /** @type {Entry[]} */
    const due = [];
    /** @type {Entry[]} */
    const later = [];
    for (const entry of this.#waiting) {
      const wait = ticksSince(entry.tick, shown);
      (wait <= 0 || wait > LONGEST_WAIT_TICKS ? due : later).push(entry);
    }
    this.#waiting = later;
    for (const entry of due) entry.action();
  }
}
