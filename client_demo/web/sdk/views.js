// @ts-check
/** What the page may read about time and traffic: `game.clock` and `game.stats`. */

import { wrapTick } from "./ticks.js";

/** What went wrong so far. */
export class Counts {
  late = 0;
  refused = 0;
  mismatches = 0;
  resyncs = 0;
  faults = 0;
  load = 0;
}

/**
 * Where the numbers come from.
 * @typedef {object} Sources
 * @property {import("./clock.js").ServerClock} clock
 * @property {import("./interpolation.js").RenderClock} render
 * @property {import("./lead.js").LeadController} lead
 * @property {import("./stats.js").Traffic} traffic
 * @property {Counts} counts
 * @property {() => number} now
 * @property {() => number} frameNow the time of the last frame
 * @property {() => {newestTick: number, welcome: {hz: number}, lateness: import("./interpolation.js").Lateness} | null} joined
 */

/** Times in ms, and ticks with fraction, as of the last `game.frame`. */
export class GameClock {
  #sources;

  /** @param {Sources} sources */
  constructor(sources) {
    this.#sources = sources;
  }

  /** The time here. */
  get now() {
    return this.#sources.frameNow();
  }

  /** The server's time. */
  get serverNow() {
    return this.#sources.clock.serverNow(this.now);
  }

  /** The server's time that is drawn. */
  get renderNow() {
    const { render, clock } = this.#sources;
    return render.tick === null ? this.serverNow : clock.dueTime(render.tick);
  }

  /** The tick that the server is at. */
  get serverTick() {
    return wrapTick(this.#serverTick);
  }

  /** The tick that is drawn. */
  get renderTick() {
    return wrapTick(this.#sources.render.tick ?? this.#serverTick);
  }

  /** The round trip, smoothed. */
  get rttMs() {
    return this.#sources.clock.rttMs;
  }

  /** The round trip measured last. */
  get lastRttMs() {
    return this.#sources.clock.lastRttMs;
  }

  /** How irregularly snapshots come. */
  get jitterMs() {
    return jitterMs(this.#sources);
  }

  /** The server's time minus the time here. */
  get offsetMs() {
    return this.#sources.clock.offsetMs;
  }

  /** How many ticks ahead of the server inputs are sent. */
  get leadTicks() {
    const { tick } = this.#sources.lead;
    return tick === null ? 0 : tick - this.#serverTick;
  }

  /** How far in the past the others are drawn. */
  get delayTicks() {
    const { tick } = this.#sources.render;
    return tick === null ? 0 : this.#serverTick - tick;
  }

  /** Unwrapped. */
  get #serverTick() {
    return this.#sources.clock.serverTick(this.now);
  }
}

/** Numbers for a net graph; rates are over the last two seconds. */
export class GameStats {
  #sources;

  /** @param {Sources} sources */
  constructor(sources) {
    this.#sources = sources;
  }

  /** The tick of the state that is held; 0 before the first. */
  get tick() {
    return wrapTick(this.#sources.joined()?.newestTick ?? 0);
  }

  get bytesPerSecond() {
    return this.#sources.traffic.bytesPerSecond(this.#sources.now());
  }

  get snapshotsPerSecond() {
    return this.#sources.traffic.snapshotsPerSecond(this.#sources.now());
  }

  get snapshotIntervalMs() {
    return this.#sources.traffic.snapshotIntervalMs(this.#sources.now());
  }

  get rttMs() {
    return this.#sources.clock.rttMs;
  }

  get jitterMs() {
    return jitterMs(this.#sources);
  }

  /** Inputs that came after their tick. */
  get late() {
    return this.#sources.counts.late;
  }

  /** Inputs that were too far ahead. */
  get refused() {
    return this.#sources.counts.refused;
  }

  /** States that failed the server's checksum. */
  get mismatches() {
    return this.#sources.counts.mismatches;
  }

  /** Full snapshots asked for. */
  get resyncs() {
    return this.#sources.counts.resyncs;
  }

  /** How busy the server is, from 0 (not at all) to 3 (it admits nobody else); busy ones send fewer snapshots. */
  get load() {
    return this.#sources.counts.load;
  }

  /** Messages that broke the protocol. */
  get faults() {
    return this.#sources.counts.faults;
  }
}

/** @param {Sources} sources */
function jitterMs(sources) {
  const joined = sources.joined();
  return joined ? (joined.lateness.jitter * 1000) / joined.welcome.hz : 0;
}
