// @ts-check
/**
 * Drawing other players smoothly: the world is shown a little in the past, between two snapshots.
 *
 *     ----|---------|---------|----------------> ticks
 *      snapshot  snapshot  newest          server now
 *                     ^ render tick = server now - delay
 *
 * The delay covers the trip, the time between snapshots and the jitter of both, no more. Pure: time
 * comes in as arguments.
 */

/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./schema.js").ClassSpec} ClassSpec */

/** Arrivals remembered to judge the link: 2 s at 30 snapshots a second. */
const ARRIVALS = 60;
/** Ticks between snapshots are judged by the last few, so that a halved snapshot rate is noticed at once. */
const GAPS = 9;
/** In a room where little happens snapshots are rare; they count as if at this many times the announced distance. */
const MAX_GAP_FACTOR = 4;
/**
 * What comes this close behind the one before it, in announced gaps, was held up by it: a stall counts once, not once for
 * every snapshot that it held up, and must not make everybody wait for the next stall.
 */
const BURST_GAPS = 0.25;
/**
 * Jitter is twice how far the 85th percentile of lateness is above the median. Percentiles, because of stalls;
 * twice covers 98 % of normally distributed jitter.
 */
const JITTER_PERCENTILE = 0.85;
const JITTER_FACTOR = 2;
/** Jitter that is covered at most, in snapshot gaps. */
const MAX_JITTER_GAPS = 5;
/** Covers rounding and one frame of the screen, in ticks. */
const MARGIN_TICKS = 0.25;

/** How late snapshots come, and so how far in the past to draw. All in ticks. */
export class Lateness {
  #lates = new Recent(ARRIVALS);
  #gaps = new Recent(GAPS);
  #median = 0;
  #last = -Infinity;

  /** Typical ticks between two snapshots. */
  gap;
  #every;
  /** Spread of the lateness. */
  jitter = 0;

  /** @param {number} snapshotEvery what the server announced */
  constructor(snapshotEvery) {
    this.gap = snapshotEvery;
    this.#every = snapshotEvery;
  }

  /**
   * Expect a snapshot every so many ticks from now on; how often they came before says nothing any more.
   * @param {number} snapshotEvery
   */
  announce(snapshotEvery) {
    if (snapshotEvery === this.#every) return;
    this.#every = this.gap = snapshotEvery;
    this.#gaps.forget();
  }

  /**
   * A snapshot has come.
   * @param {number} late how far the server's clock was past the snapshot's tick
   * @param {number} gap ticks since the snapshot before; 0 for the first
   */
  arrived(late, gap) {
    const waited = gap + late - this.#last;
    this.#last = late;
    if (gap > 0) {
      this.#gaps.push(Math.min(gap, this.#every * MAX_GAP_FACTOR));
      this.gap = this.#gaps.quantile(0.5);
    }
    if (gap > 0 && waited < BURST_GAPS * this.#every) return;
    this.#lates.push(late);
    this.#median = this.#lates.quantile(0.5);
    const spread = this.#lates.quantile(JITTER_PERCENTILE) - this.#median;
    this.jitter = Math.min(JITTER_FACTOR * spread, MAX_JITTER_GAPS * this.gap);
  }

  /** Whether anything is known of the link. */
  get isKnown() {
    return this.#lates.count > 0;
  }

  /** How far behind the server's clock to draw. */
  get delay() {
    return this.#median + this.gap + this.jitter + MARGIN_TICKS;
  }
}

/** The last few of a stream of numbers. */
class Recent {
  #values;
  #next = 0;
  count = 0;

  /** @param {number} most */
  constructor(most) {
    this.#values = new Float64Array(most);
  }

  /** @param {number} value */
  push(value) {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#values.length;
    this.count = Math.min(this.count + 1, this.#values.length);
  }

  forget() {
    this.#next = this.count = 0;
  }

  /** The value that this share of them is below. Of none at all: 0. @param {number} share */
  quantile(share) {
    const sorted = this.#values.slice(0, this.count).sort();
    return sorted[Math.min(Math.floor(this.count * share), this.count - 1)] ?? 0;
  }
}

/** The render tick runs at most this much faster or slower than time: too little to see ... */
const RATE_LIMIT = 0.05;
/** ... and this much while it is further off than this: the server's clock was set back, or the trip became a longer one. */
const HURRY_LIMIT = 0.25;
const HURRY_MS = 60;
/** Errors below this, in ticks, are left alone, so that the rate does not flutter. */
const DEAD_BAND_TICKS = 0.1;
/** An error is made up within about this time, as far as the rate limit allows. */
const CORRECTION_MS = 500;
/** Further off than this, it jumps: after a pause of the tab or the connection there is nothing to keep smooth. */
const JUMP_MS = 500;

/** The tick that is drawn: follows `server tick - delay` without jumping. */
export class RenderClock {
  /** Unwrapped, with fraction; null until the first frame. */
  /** @type {number | null} */
  tick = null;

  /**
   * @param {number} target the tick to draw if nothing had to be smooth
   * @param {number} elapsedMs since the last call
   * @param {number} hz
   */
  advance(target, elapsedMs, hz) {
    const step = (elapsedMs * hz) / 1000;
    const error = this.tick === null ? Infinity : target - (this.tick + step);
    if (this.tick === null || Math.abs(error) > (JUMP_MS * hz) / 1000) {
      this.tick = target;
      return;
    }
    const limit = step * (Math.abs(error) > (HURRY_MS * hz) / 1000 ? HURRY_LIMIT : RATE_LIMIT);
    const wanted = Math.abs(error) < DEAD_BAND_TICKS ? 0 : error * Math.min(elapsedMs / CORRECTION_MS, 1);
    this.tick += step + Math.min(Math.max(wanted, -limit), limit);
  }
}

/** Samples kept for an entity: at 30 snapshots a second half a second, more than any delay. */
const SAMPLES = 16;
/** After the newest snapshot an entity keeps its course for this long, then stands still. */
const EXTRAPOLATION_MS = 100;
/** A field that moves by more than this share of its range between two snapshots was put there: no drawing in between. */
const SNAP_SHARE = 1 / 8;

/**
 * @typedef {object} TrackContext
 * @property {number} hz
 * @property {number} gap typical ticks between snapshots
 * @property {number} newest tick of the newest snapshot
 * @property {Record<string, number>} snap by class: units that a quantized field may move between two snapshots and
 *   still be drawn in between
 */

/** The recent past of one entity's smooth fields. */
export class Track {
  #fields;
  #type;
  #ticks = new Float64Array(SAMPLES);
  #values;
  #count = 0;
  #head = 0;

  /**
   * @param {ClassSpec} spec
   * @param {number} tick of the first sample
   * @param {(field: Field) => number} read the author's value now
   */
  constructor(spec, tick, read) {
    const fields = spec.smoothFields;
    this.#fields = fields;
    this.#type = spec.name;
    this.#values = new Float64Array(SAMPLES * fields.length);
    this.push(tick, read);
  }

  /** Tick of the newest sample. */
  get newestTick() {
    return this.#ticks[this.#at(0)];
  }

  /**
   * Add a sample, newer than those before.
   * @param {number} tick unwrapped
   * @param {(field: Field) => number} read
   */
  push(tick, read) {
    this.#advance(tick);
    const base = this.#at(0) * this.#fields.length;
    for (let k = 0; k < this.#fields.length; k++) this.#values[base + k] = read(this.#fields[k]);
  }

  /**
   * Note that nothing had changed until `tick`: a movement after a rest starts there, not at the last change.
   * @param {number} tick
   */
  hold(tick) {
    if (tick <= this.newestTick) return;
    const from = this.#at(0) * this.#fields.length;
    this.#advance(tick);
    const base = this.#at(0) * this.#fields.length;
    for (let k = 0; k < this.#fields.length; k++) this.#values[base + k] = this.#values[from + k];
  }

  /**
   * The values at a tick.
   * @param {number} tick unwrapped, with fraction
   * @param {TrackContext} context
   * @param {Record<string, unknown>} view takes them, by field name
   */
  sample(tick, context, view) {
    let back = 0;
    while (back < this.#count - 1 && this.#ticks[this.#at(back)] > tick) back += 1;
    if (back === 0) this.#ahead(tick, context, view);
    else this.#between(this.#at(back), this.#at(back - 1), tick, context, view);
  }

  /** @param {number} back 0: the newest sample; 1: the one before ... */
  #at(back) {
    return (this.#head - 1 - back + 2 * SAMPLES) % SAMPLES;
  }

  /** @param {number} tick */
  #advance(tick) {
    this.#ticks[this.#head] = tick;
    this.#head = (this.#head + 1) % SAMPLES;
    this.#count = Math.min(this.#count + 1, SAMPLES);
  }

  /**
   * At or after the newest sample: stand, or keep the course for a moment if the entity was still moving
   * in the newest snapshot.
   * @param {number} tick @param {TrackContext} context @param {Record<string, unknown>} view
   */
  #ahead(tick, context, view) {
    const a = this.#at(1);
    const b = this.#at(0);
    const span = this.#ticks[b] - this.#ticks[a];
    const isMoving = this.#count > 1 && this.#ticks[b] >= context.newest && span > 0 && !this.#isJump(a, b, context);
    const beyond = isMoving ? Math.min(Math.max(tick - this.#ticks[b], 0), (EXTRAPOLATION_MS * context.hz) / 1000) : 0;
    this.#mix(a, b, isMoving ? 1 + beyond / span : 1, view);
  }

  /** @param {number} a @param {number} b @param {number} tick @param {TrackContext} context @param {Record<string, unknown>} view */
  #between(a, b, tick, context, view) {
    const span = this.#ticks[b] - this.#ticks[a];
    const share = Math.max((tick - this.#ticks[a]) / span, 0);
    this.#mix(a, b, this.#isJump(a, b, context) ? Number(share >= 1) : share, view);
  }

  /**
   * Whether the entity was put elsewhere between two samples.
   * @param {number} a @param {number} b @param {TrackContext} context
   */
  #isJump(a, b, { gap, snap }) {
    const steps = Math.max((this.#ticks[b] - this.#ticks[a]) / gap, 1);
    for (let k = 0; k < this.#fields.length; k++) {
      const { kind } = this.#fields[k];
      if (kind.modulus > 0) continue;
      const limit = snap[this.#type] ?? (kind.read(kind.high) - kind.read(0)) * SNAP_SHARE;
      const moved = this.#values[b * this.#fields.length + k] - this.#values[a * this.#fields.length + k];
      if (Math.abs(moved) > limit * steps) return true;
    }
    return false;
  }

  /**
   * `share` 0 is sample `a`, 1 is sample `b`, above 1 is beyond.
   * @param {number} a @param {number} b @param {number} share @param {Record<string, unknown>} view
   */
  #mix(a, b, share, view) {
    const width = this.#fields.length;
    for (let k = 0; k < width; k++) {
      const { name, kind } = this.#fields[k];
      const from = this.#values[a * width + k];
      const to = this.#values[b * width + k];
      if (share === 1) view[name] = to;
      else if (kind.modulus > 0) view[name] = mixAngles(from, to, share);
      else view[name] = Math.min(Math.max(from + (to - from) * share, kind.read(0)), kind.read(kind.high));
    }
  }
}

const TURN = 2 * Math.PI;

/**
 * The angle between two, the short way round, in [0, 2*pi).
 * @param {number} from @param {number} to @param {number} share
 */
export function mixAngles(from, to, share) {
  const difference = to - from - TURN * Math.floor((to - from) / TURN + 0.5);
  const mixed = from + difference * share;
  return mixed - TURN * Math.floor(mixed / TURN);
}
