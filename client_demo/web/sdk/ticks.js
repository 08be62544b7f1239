// @ts-check
/**
 * Tick arithmetic. On the wire a tick is a u32 that wraps; inside the SDK it is *unwrapped*, a double
 * that only grows, so that ticks may be subtracted, compared and have fractions.
 */

const TICKS = 2 ** 32;
const HALF = 2 ** 31;

/**
 * How far `a` is ahead of `b`, the short way round, in [-2^31, 2^31). Takes fractions.
 * @param {number} a
 * @param {number} b
 */
export function tickDistance(a, b) {
  return wrapTick(a - b + HALF) - HALF;
}

/**
 * The wire's u32 (with the fraction, if any) of an unwrapped tick.
 * @param {number} tick
 */
export function wrapTick(tick) {
  const rest = tick % TICKS;
  return rest < 0 ? rest + TICKS : rest;
}

/** Follows the ticks of one room across the wrap. */
export class TickLine {
  #near;

  /** @param {number} tick a wire tick to start from */
  constructor(tick) {
    this.#near = tick;
  }

  /**
   * The unwrapped tick nearest to the one seen last. Every call moves the line along.
   * @param {number} tick a wire tick
   */
  unwrap(tick) {
    this.#near += tickDistance(tick, this.#near);
    return this.#near;
  }
}
