// @ts-check
/** A clock that only moves when told, with the timers that hang on it. */

export class VirtualTime {
  #now;
  #serial = 0;
  /** @type {Map<number, {due: number, action: () => void}>} */
  #timers = new Map();

  /** @param {number} [now] */
  constructor(now = 1000) {
    this.#now = now;
  }

  now = () => this.#now;

  /** @param {() => void} action @param {number} afterMs */
  schedule = (action, afterMs) => {
    const serial = ++this.#serial;
    this.#timers.set(serial, { due: this.#now + afterMs, action });
    return () => void this.#timers.delete(serial);
  };

  get pending() {
    return this.#timers.size;
  }

  /**
   * Let time pass; what falls due runs in order.
   * @param {number} ms
   */
  advance(ms) {
    const end = this.#now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      const timer = /** @type {{due: number, action: () => void}} */ (this.#timers.get(next));
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, timer.due);
      timer.action();
    }
    this.#now = end;
  }

  /**
   * Let time pass in which nothing runs, as in a page that the browser put to sleep: what fell due comes late.
   * @param {number} ms
   */
  sleep(ms) {
    this.#now += ms;
  }

  /** @param {number} end */
  #next(end) {
    let best;
    let due = Infinity;
    for (const [serial, timer] of this.#timers) {
      if (timer.due > end || timer.due >= due) continue;
      best = serial;
      due = timer.due;
    }
    return best;
  }
}

/**
 * Random numbers that are the same in every run (mulberry32).
 * @param {number} seed
 */
export function seededRandom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
