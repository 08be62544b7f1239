// @ts-check
/** From fingers to rudder: pure functions, in the steps that the input has on the wire. */

import { shortWay } from "./arena.js";

/** The rudder's step on the wire. */
const STEP = 1 / 8;
/** A tap turns finely; a key held this long turns at full rate. */
const SOFT_MS = 90;
const SOFT_RUDDER = 3 / 8;
/** A stick pushed less than this share is at rest. */
const DEAD_ZONE = 0.22;
/** From this share on it thrusts as well. */
const THRUST_ZONE = 0.55;
/** Rudder per radian that the ship's nose is off the stick's direction. */
const GAIN = 3.2;

/** The rudder of a key held for so long; 0 when it isn't (a negative time). @param {number} heldMs */
export function rudder(heldMs) {
  if (heldMs < 0) return 0;
  return heldMs < SOFT_MS ? SOFT_RUDDER : 1;
}

/**
 * What a thumb on the stick means: turn the nose to where it points, thrust when it is pushed far.
 * @param {number} x -1 .. 1, right
 * @param {number} y -1 .. 1, down
 * @param {number} heading of the ship
 * @returns {{turn: number, thrust: boolean}}
 */
export function follow(x, y, heading) {
  const push = Math.hypot(x, y);
  if (push < DEAD_ZONE) return { turn: 0, thrust: false };
  const off = shortWay(Math.atan2(y, x) - heading);
  const turn = Math.min(1, Math.max(-1, off * GAIN));
  return { turn: Math.round(turn / STEP) * STEP, thrust: push >= THRUST_ZONE };
}

/**
 * Both hands at once: whoever turns harder turns, either may thrust and fire.
 * @param {import("./arena.js").Steer} one
 * @param {import("./arena.js").Steer} other
 * @returns {import("./arena.js").Steer}
 */
export function both(one, other) {
  const turn = Math.abs(one.turn) >= Math.abs(other.turn) ? one.turn : other.turn;
  return { turn, thrust: one.thrust || other.thrust, fire: one.fire || other.fire };
}
