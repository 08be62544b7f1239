// @ts-check
/**
 * The server's time as seen from here, from PING and PONG.
 *
 * Each exchange gives four timestamps: t1 sent here, t2 arrived there, t3 answered there, t4 arrived here.
 * Queues can only make a trip longer, so the exchanges with the shortest round trips (the lower envelope of
 * the last 10 s) tell the offset best. The offset in use moves towards the measured one slowly, so that
 * time never jumps while playing.
 */

/** How long an exchange counts. Two clocks that drift apart by 50 ppm differ by 0.5 ms in this time. */
const WINDOW_MS = 10_000;
/** An exchange is on the lower envelope when its round trip is at most this much above the shortest. */
const ENVELOPE_FACTOR = 1.1;
const ENVELOPE_MS = 0.5;
/** The offset closes in on the measured one with this time constant ... */
const SLEW_MS = 250;
/** ... but never faster than this share of the time that passes: unseen, and time still runs forward ... */
const SLEW_LIMIT = 0.05;
/** ... and beyond this distance it jumps, because the clock was never right. */
const SNAP_MS = 250;
/** Weight of a new round trip in the smoothed one and in its mean deviation, as TCP weighs them (RFC 6298). */
const RTT_GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;

/** @typedef {{at: number, rtt: number, offset: number}} Exchange */

export class ServerClock {
  /** @type {Exchange[]} */
  #exchanges = [];
  #measured = 0;
  #offset = 0;
  #advancedAt = 0;
  #epochTick = 0;
  #epochTime = 0;
  #hz = 1;

  /** True once an exchange has told the offset; stays true over a reconnect to the same clock. */
  isSynced = false;
  /** Smoothed round trip, in ms; 0 until the first exchange. */
  rttMs = 0;
  /** The round trip of the last exchange, in ms. */
  lastRttMs = 0;
  /** Mean deviation of the round trip, in ms. */
  rttDeviationMs = 0;

  /** Add this to the time here to get the server's. */
  get offsetMs() {
    return this.#offset;
  }

  /**
   * Start on a connection. The offset of the connection before is kept when it can still be right: the
   * WELCOME of the new one, which names a time, bounds it.
   * @param {{tick: number, time: number, hz: number}} epoch tick unwrapped
   * @param {number} now
   */
  begin({ tick, time, hz }, now) {
    this.#hz = hz;
    this.setEpoch(tick, time);
    this.#exchanges = [];
    const guess = time - now;
    if (Math.abs(this.#offset - guess) > SNAP_MS) {
      this.#offset = guess;
      this.isSynced = false;
    }
    this.#measured = this.#offset;
    this.#advancedAt = now;
  }

  /**
   * Tick `tick` is due at `time`, and the later ones follow at the room's rate.
   * @param {number} tick unwrapped
   * @param {number} time the server's
   */
  setEpoch(tick, time) {
    this.#epochTick = tick;
    this.#epochTime = time;
  }

  /**
   * Take in one exchange.
   * @param {number} t1 @param {number} t2 @param {number} t3 @param {number} t4
   */
  exchange(t1, t2, t3, t4) {
    const rtt = Math.max(t4 - t1 - (t3 - t2), 0);
    this.lastRttMs = rtt;
    this.#smooth(rtt);
    this.#exchanges = this.#exchanges.filter((old) => t4 - old.at <= WINDOW_MS);
    this.#exchanges.push({ at: t4, rtt, offset: (t2 - t1 + t3 - t4) / 2 });
    this.#measured = this.#envelope();
    if (!this.isSynced || Math.abs(this.#measured - this.#offset) > SNAP_MS) this.#offset = this.#measured;
    this.isSynced = true;
  }

  /**
   * Slew the offset; call it once a frame.
   * @param {number} now
   */
  advance(now) {
    const elapsed = Math.max(now - this.#advancedAt, 0);
    this.#advancedAt = Math.max(now, this.#advancedAt);
    const error = this.#measured - this.#offset;
    const limit = elapsed * SLEW_LIMIT;
    const step = error * Math.min(elapsed / SLEW_MS, 1);
    this.#offset += Math.min(Math.max(step, -limit), limit);
  }

  /** @param {number} now the server's time, in ms */
  serverNow(now) {
    return now + this.#offset;
  }

  /**
   * The tick that the server is at, with fraction, unwrapped.
   * @param {number} now
   */
  serverTick(now) {
    return this.#epochTick + ((this.serverNow(now) - this.#epochTime) * this.#hz) / 1000;
  }

  /**
   * When a tick is due, in the server's ms.
   * @param {number} tick unwrapped, with fraction
   */
  dueTime(tick) {
    return this.#epochTime + ((tick - this.#epochTick) * 1000) / this.#hz;
  }

  /** @param {number} rtt */
  #smooth(rtt) {
    if (this.#exchanges.length === 0) {
      this.rttMs = rtt;
      this.rttDeviationMs = rtt / 4;
      return;
    }
    this.rttDeviationMs += (Math.abs(rtt - this.rttMs) - this.rttDeviationMs) * DEVIATION_GAIN;
    this.rttMs += (rtt - this.rttMs) * RTT_GAIN;
  }

  #envelope() {
    let shortest = Infinity;
    for (const { rtt } of this.#exchanges) shortest = Math.min(shortest, rtt);
    const limit = shortest * ENVELOPE_FACTOR + ENVELOPE_MS;
    let sum = 0;
    let count = 0;
    for (const { rtt, offset } of this.#exchanges) {
      if (rtt > limit) continue;
      sum += offset;
      count += 1;
    }
    return sum / count;
  }
}
