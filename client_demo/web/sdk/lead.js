// @ts-check
/**
 * How far ahead of the server this client commands.
 *
 * The server reports, about four times a second, by how many ticks the newest input was early (its slack), at worst
 * since the last report. An input that left with a lead of L ticks and was s early needed at most L - s of them, whatever
 * the reason: the way, its jitter, a slow timer here, a wrong clock. The lead is held half a tick to one tick above that.
 *
 * Which of the last reports decides? A TCP link doesn't lose, it stalls: for a moment nothing arrives, then all of it.
 * Leading by more would not have helped, and would make every later input older; so the worst quarter of the last three
 * seconds is left aside, which is longer than a stall. What needs more for longer, like another path, is followed in one
 * step; less is followed slowly, by a tick that is up to 5 % longer. Within the band nothing moves, so nothing oscillates.
 *
 * The twin of `client_demo/tickwire_client/lead.py`.
 */

import { tickDistance, wrapTick } from "./ticks.js";

/** Reports that are looked at: three seconds. */
const REPORTS = 12;
/** How often the server reports; it leaves out those that would say the same. */
const REPORT_MS = 250;
/** The worst quarter is left aside: a stall of 400 ms spoils three reports at most. */
const IGNORED_SHARE = 0.25;
/** Slack is whole ticks, so needs are known to within one: a wider band holds them still, a narrower one doesn't. */
const LEAST_MARGIN_TICKS = 0.5;
const MOST_MARGIN_TICKS = 1;
/** Before the first report: a tick, and half of one for the jitter that nobody knows yet. */
const FIRST_MARGIN_TICKS = 1.5;
/** The server refuses inputs more than 32 ahead (PROTOCOL.md, section 10). */
const MAX_LEAD_TICKS = 28;
/** Leads of ticks sent that are remembered: more than are ever under way. */
const REMEMBERED = 128;

/** After an overload the tick is longer by this share: the lead is ticks too long then, and the server just got quick again. */
const RELIEF_STRETCH = 0.4;
/** Else by at most this one ... */
const STRETCH = 0.05;
/** ... when it is off by more than this many ticks, to be made up within ... */
const DEAD_BAND_TICKS = 0.25;
/** ... about this time. */
const CORRECTION_MS = 500;
/** Off by more than this it jumps. */
const JUMP_TICKS = 8;

/** The round trip, and ticks per second. */
/** @typedef {{rttMs: number, hz: number}} Link */

export class LeadController {
  /** @type {number[]} the newest last */
  #needs = [];
  /** @type {number | null} what all but the worst of them needed */
  #need = null;
  #slack = 0;
  #reportedAt = 0;
  #now = 0;
  #lead = 0;
  /** @type {{tick: number, lead: number}[]} */
  #sent = [];
  /** @type {number | null} the first tick sent on this connection */
  #first = null;

  #stretch = STRETCH;

  /** The tick to command now, unwrapped, with fraction; null until the first `advance`. */
  /** @type {number | null} */
  tick = null;

  /** Start over on a new connection: it may take another way. */
  restart() {
    this.#needs = [];
    this.#need = null;
    this.#sent = [];
    this.#first = null;
    this.tick = null;
  }

  /** Find the lead anew, and soon: what inputs needed while the server was overloaded says nothing any more. */
  relieve() {
    this.#needs = [];
    this.#need = null;
    this.#stretch = RELIEF_STRETCH;
  }

  /**
   * What the server says about the arrival of inputs.
   * @param {{tick: number, slack: number}} news as in NEWS
   */
  onNews({ tick, slack }) {
    const newest = wrapTick(tick + slack);
    const sent = this.#sent[newest % REMEMBERED];
    const age = this.#first === null ? -1 : tickDistance(newest, this.#first);
    if (age < 0 || slack < -REMEMBERED) return; // of an older connection, or from before a pause: no news of this link
    this.#fill();
    this.#note((sent?.tick === newest ? sent.lead : this.#lead) - slack);
    this.#slack = slack;
    this.#reportedAt = this.#now;
  }

  /**
   * Move the tick along.
   * @param {number} elapsedMs
   * @param {number} serverTick
   * @param {Link} link
   */
  advance(elapsedMs, serverTick, link) {
    this.#now += elapsedMs;
    this.#fill();
    const step = (elapsedMs * link.hz) / 1000;
    const lead = this.tick === null ? Infinity : this.tick + step - serverTick;
    const error = this.#wanted(lead, link) - lead;
    if (Math.abs(error) <= 1) this.#stretch = STRETCH;
    const mayJump = this.#stretch === STRETCH || this.tick === null;
    this.tick = Math.abs(error) <= JUMP_TICKS || !mayJump ? serverTick + lead + this.#correction(error, step, elapsedMs) : serverTick + this.#wanted(NaN, link);
    this.#lead = this.tick - serverTick;
    const sent = wrapTick(Math.floor(this.tick));
    this.#first ??= sent;
    this.#sent[sent % REMEMBERED] = { tick: sent, lead: this.#lead };
  }

  /**
   * The lead to aim for, in ticks.
   * @param {number} lead the present one; NaN when it doesn't matter
   * @param {Link} link
   */
  #wanted(lead, { rttMs, hz }) {
    const need = this.#need;
    if (need === null) return clamp((rttMs / 2000) * hz + FIRST_MARGIN_TICKS);
    return clamp(Math.min(Math.max(Number.isNaN(lead) ? need : lead, need + LEAST_MARGIN_TICKS), need + MOST_MARGIN_TICKS));
  }

  /** What to add to a step of so many ticks. @param {number} error @param {number} step @param {number} elapsedMs */
  #correction(error, step, elapsedMs) {
    if (this.#need !== null && error > 0) return error;
    const limit = step * this.#stretch;
    const wanted = Math.abs(error) < DEAD_BAND_TICKS ? 0 : error * Math.min(elapsedMs / CORRECTION_MS, 1);
    return Math.min(Math.max(wanted, -limit), limit);
  }

  /** A report that didn't come would have said the same as the last one. */
  #fill() {
    if (this.#needs.length === 0) return;
    const missing = Math.min(REPORTS, Math.floor((this.#now - this.#reportedAt) / REPORT_MS) - 1);
    for (let i = 0; i < missing; i++) this.#note(this.#lead - this.#slack);
    if (missing > 0) this.#reportedAt = this.#now - REPORT_MS;
  }

  /** @param {number} need */
  #note(need) {
    this.#needs = [...this.#needs, need].slice(-REPORTS);
    const worstFirst = [...this.#needs].sort((a, b) => b - a);
    this.#need = worstFirst[Math.floor(worstFirst.length * IGNORED_SHARE)];
  }
}

/** @param {number} lead */
function clamp(lead) {
  return Math.min(Math.max(lead, 0), MAX_LEAD_TICKS);
}
