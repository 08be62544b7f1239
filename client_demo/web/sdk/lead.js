// @ts-check
/**
 * How far ahead of the server this client commands.
 *
 * The input for tick T must be there when the server simulates T, so it leaves here `lead` ticks before: the
 * way there (half a round trip), room for jitter, and a margin of one tick. What the server reports about
 * arrivals (NEWS) corrects that guess: up at once after a late input, down slowly, so that single stalls
 * don't make it swing. The input tick itself then runs a few per cent faster or slower until it fits.
 */

/** Ticks that an input should wait at the server. */
const MARGIN_TICKS = 1;
/** Jitter that the lead covers: this many mean deviations of the round trip. */
const JITTER_FACTOR = 2;
/** The correction grows by the lateness, but no further than this at once ... */
const MAX_GROWTH_TICKS = 4;
/** ... and once in this time: a burst of late inputs has one cause. */
const GROWTH_PAUSE_MS = 500;
/** Without late inputs for this long, a spare tick is taken back. */
const SHRINK_AFTER_MS = 3000;
/** Bounds of the correction, in ticks. The server refuses inputs more than 32 ahead. */
const MAX_CORRECTION = 10;
/** The most the lead may be. */
const MAX_LEAD_TICKS = 28;

/** The input tick is stretched by at most this share ... */
const STRETCH = 0.05;
/** ... when it is off by more than this many ticks, to be made up within ... */
const DEAD_BAND_TICKS = 0.25;
/** ... about this time. */
const CORRECTION_MS = 500;
/** Off by more than this it jumps. */
const JUMP_TICKS = 8;

/** The round trip, its mean deviation, and ticks per second. */
/** @typedef {{rttMs: number, deviationMs: number, hz: number}} Link */

export class LeadController {
  #correction = 0;
  #late = 0;
  #leastSlack = Infinity;
  #changedAt = -Infinity;
  #hurry = 0;

  /** The tick to command now, unwrapped, with fraction; null until the first `advance`. */
  /** @type {number | null} */
  tick = null;

  /**
   * Start over on a new connection.
   * @param {boolean} isResumed NEWS counts from the join on, so its counts go on after a resume
   */
  restart(isResumed) {
    this.#correction = 0;
    if (!isResumed) this.#late = 0;
    this.#leastSlack = Infinity;
    this.#changedAt = -Infinity;
    this.#hurry = 0;
    this.tick = null;
  }

  /**
   * The lead to aim for, in ticks.
   * @param {Link} link
   */
  wanted({ rttMs, deviationMs, hz }) {
    const trip = ((rttMs / 2 + JITTER_FACTOR * deviationMs) * hz) / 1000;
    return Math.min(Math.max(trip + MARGIN_TICKS + this.#correction, 0), MAX_LEAD_TICKS);
  }

  /**
   * What the server says about the arrival of inputs.
   * @param {{slack: number, late: number}} news
   * @param {Link} link as for `wanted`, whose share for jitter is not called spare
   * @param {number} now
   */
  onNews({ slack, late }, link, now) {
    const isLate = late > this.#late;
    this.#late = late;
    this.#leastSlack = Math.min(this.#leastSlack, slack);
    if (isLate) this.#grow(slack, now);
    else if (now - this.#changedAt >= SHRINK_AFTER_MS) this.#shrink((JITTER_FACTOR * link.deviationMs * link.hz) / 1000, now);
  }

  /**
   * Move the input tick along.
   * @param {number} elapsedMs
   * @param {number} serverTick
   * @param {Link} link
   */
  advance(elapsedMs, serverTick, link) {
    const target = serverTick + this.wanted(link);
    const step = (elapsedMs * link.hz) / 1000 + this.#hurry;
    this.#hurry = 0;
    const error = this.tick === null ? Infinity : target - (this.tick + step);
    if (this.tick === null || Math.abs(error) > JUMP_TICKS) {
      this.tick = target;
      return;
    }
    const limit = step * STRETCH;
    const wanted = Math.abs(error) < DEAD_BAND_TICKS ? 0 : error * Math.min(elapsedMs / CORRECTION_MS, 1);
    this.tick += step + Math.min(Math.max(wanted, -limit), limit);
  }

  /** @param {number} slack @param {number} now */
  #grow(slack, now) {
    if (now - this.#changedAt < GROWTH_PAUSE_MS) return;
    const growth = Math.min(Math.max(-slack, 1), MAX_GROWTH_TICKS, MAX_CORRECTION - this.#correction);
    this.#correction += growth;
    this.#hurry = growth;
    this.#restart(now);
  }

  /** @param {number} jitterTicks @param {number} now */
  #shrink(jitterTicks, now) {
    const spare = this.#leastSlack - MARGIN_TICKS - Math.ceil(jitterTicks);
    if (spare >= 1) this.#correction = Math.max(this.#correction - 1, -MAX_CORRECTION);
    this.#restart(now);
  }

  /** @param {number} now */
  #restart(now) {
    this.#changedAt = now;
    this.#leastSlack = Infinity;
  }
}
