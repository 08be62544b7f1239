// @ts-check
/** What was measured over the last seconds, for plots over time. Time comes in as an argument. */

/** How far back the plots go. */
export const WINDOW_SECONDS = 20;
/** One value is kept for so long: the highest, so that no peak is missed. */
export const BUCKET_MS = 50;
/** A frame that took longer than this many buckets was a pause: a gap in the plot. */
const LONGEST_FRAME = 5;
const BUCKETS = (WINDOW_SECONDS * 1000) / BUCKET_MS;

/** One quantity over time. */
export class Series {
  #values = new Float64Array(BUCKETS).fill(NaN);
  #head = 0;

  /** The last value; NaN before the first. */
  newest = NaN;

  /** How many values there is room for. */
  get length() {
    return BUCKETS;
  }

  /** The value of a bucket, 0 the oldest; NaN when there was none. @param {number} index */
  at(index) {
    return this.#values[(this.#head + index) % BUCKETS] ?? NaN;
  }

  /** The highest value kept; 0 when there is none. */
  get highest() {
    let highest = 0;
    for (const value of this.#values) if (value > highest) highest = value;
    return highest;
  }

  /** Take note of a value in the current bucket. @param {number} value not finite: none */
  note(value) {
    if (!Number.isFinite(value)) return;
    this.newest = value;
    const at = (this.#head + BUCKETS - 1) % BUCKETS;
    if (!(this.#values[at] >= value)) this.#values[at] = value;
  }

  /** Begin new buckets. @param {number} count @param {number} value in those that were passed over; NaN: none */
  turn(count, value) {
    for (let i = 0; i < Math.min(count, BUCKETS); i++) {
      this.#values[this.#head] = value;
      this.#head = (this.#head + 1) % BUCKETS;
    }
  }
}

/** @template {string} Name */
export class Recorder {
  /** @type {number | null} */
  #bucket = null;

  /** @param {readonly Name[]} names */
  constructor(names) {
    /** @type {Record<Name, Series>} */
    this.series = /** @type {any} */ (Object.fromEntries(names.map((name) => [name, new Series()])));
  }

  /**
   * Take note of one value of each.
   * @param {Record<Name, number>} values
   * @param {number} nowMs
   */
  note(values, nowMs) {
    const bucket = Math.floor(nowMs / BUCKET_MS);
    const passed = this.#bucket === null ? 1 : Math.max(bucket - this.#bucket, 0);
    this.#bucket = bucket;
    for (const [name, series] of /** @type {[Name, Series][]} */ (Object.entries(this.series))) {
      series.turn(passed, passed > LONGEST_FRAME ? NaN : values[name]);
      series.note(values[name]);
    }
  }
}
