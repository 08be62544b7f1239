// @ts-check
/** What the end of a connection means: a sentence for the player, and whether to come back (PROTOCOL.md section 9). */

import { TickwireError } from "./errors.js";
import { closedBecause, SENTENCES as REASONS } from "./reasons.js";

/** Final: don't come back. Rejoin: at once, as a new player. Now: at once. Backoff: after a pause. */
/** @typedef {"final" | "rejoin" | "now" | "backoff"} Comeback */

const FINAL_FROM = 4000;
const NOW_FROM = 4020;
const BACKOFF_FROM = 4040;

export const LEFT = 4000;
export const BAD_MESSAGE = 4002;
export const TIMED_OUT = 4045;
const RESUME_FAILED = 4010;

/** Used when the server gave no reason of its own. */
/** @type {Record<number, string>} */
const SENTENCES = {
  1001: "The server went away.",
  1009: "A message was too large for the server.",
  1011: "The server had an internal error.",
  4000: "You left the game.",
  4001: "You were removed from the game.",
  4002: "The server did not understand this page; reload it.",
  4003: "This page speaks another version of the protocol than the server; reload it.",
  4004: "The game was updated; reload the page.",
  4005: "There is no such room.",
  4006: "The server did not let you in.",
  4007: "The game is over.",
  4008: "The game had an error and ended.",
  4009: "You continued this game in another window.",
  4010: "Your place in the game was given up while you were away.",
  4020: "The game is moving to another server.",
  4040: "The server is shutting down.",
  4041: "The room is full.",
  4042: "The server is full.",
  4043: "Your connection is too slow for this game.",
  4044: "This page sent too many messages.",
  4045: "The server heard nothing from you for too long.",
};

/**
 * What a closed connection means.
 * @param {number} code
 * @param {string} reason the server's, perhaps empty
 * @param {boolean} wasOpen whether the connection had ever been established
 */
export function describeClose(code, reason, wasOpen) {
  const why = closedBecause(code);
  if (!wasOpen && why === "lost") return notConnected("not there", code);
  return new TickwireError(reason || SENTENCES[code] || REASONS.lost, { code, retry: comebackAfter(code) !== "final", why });
}

/**
 * What it means that no connection came about.
 * @param {import("./reasons.js").Reason} why
 * @param {number} code
 */
export function notConnected(why, code) {
  return new TickwireError(REASONS[why], { code, retry: true, why });
}

/**
 * @param {number} code
 * @returns {Comeback}
 */
export function comebackAfter(code) {
  if (code === RESUME_FAILED) return "rejoin";
  if (code >= FINAL_FROM && code < NOW_FROM) return "final";
  if (code >= NOW_FROM && code < BACKOFF_FROM) return "now";
  return "backoff";
}

/** The longest pause before the first, second, third ... attempt doubles from here ... */
const FIRST_PAUSE_MS = 500;
/** ... up to here. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * The pause before an attempt: exponential backoff with full jitter, so that a thousand clients of a
 * restarted server don't come back in step.
 * @param {number} attempt 0 for the first
 * @param {() => number} random in [0, 1)
 */
export function pauseBefore(attempt, random) {
  return random() * Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt, 16), LONGEST_PAUSE_MS);
}
