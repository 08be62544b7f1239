// @ts-check
/** Chance that comes out the same every time: the same jitter in every test, the same stars on every page. */

/**
 * Numbers in [0, 1) from a seed: a linear congruential generator with a mixed output, good enough for jitter and for looks.
 * @param {number} seed
 * @returns {() => number}
 */
export function seeded(seed) {
  let state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 2246822519) >>> 0;
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
  };
}
