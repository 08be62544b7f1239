// @ts-check
/**
 * Predicts the own ship: the twin of `Arena.fly` in `server/tickwire/demo/arena.py`, and what it needs to be put right.
 *
 * What only the server knows (who is hit, when a shield drops, where a ship comes back) is left to it.
 */

import { RELOAD_TICKS, ticksSince } from "./arena.js";
import { SHIP_RADIUS, direction, step } from "./flight.js";

/** @typedef {import("../sdk/tickwire.js").Game} Game */
/** @typedef {import("../sdk/stepper.js").StepContext} StepContext */

/** A ship that is put right by more than this, units, jumps; less is smoothed. */
const SNAP = 4;
/** A shot may come this many ticks later than predicted, when the input was late. */
const LATE_TICKS = 8;

/** Predict the own ship in every arena that this game gets to. @param {Game} game */
export function predictOwn(game) {
  return game.predict({
    entity: "Ship",
    step: fly,
    snapDistance: SNAP,
    snap: (before, after) => before.alive !== after.alive,
    match: (bullet, { fields }) => bullet.by === fields.by && Math.abs(ticksSince(bullet.born, fields.born)) <= LATE_TICKS,
  });
}

/**
 * One tick of the own ship: move, shoot, count down.
 * @param {Record<string, any>} ship
 * @param {Readonly<Record<string, any>>} steer
 * @param {StepContext} context
 */
export function fly(ship, steer, context) {
  ship.reload = Math.max(0, ship.reload - 1);
  if (!ship.alive) return;
  ship.thrust = steer.thrust;
  const { x, y, vx, vy, heading } = ship;
  Object.assign(ship, step({ x, y, vx, vy, heading }, steer.turn, steer.thrust, rocks(context), context.dt));
  if (steer.fire && ship.reload === 0) shoot(ship, context);
}

/** Launch a bullet from the ship's nose. @param {Record<string, any>} ship @param {StepContext} context */
function shoot(ship, { tick, entity, spawn }) {
  const [dx, dy] = direction(ship.heading);
  spawn("Bullet", { x: ship.x + dx * SHIP_RADIUS, y: ship.y + dy * SHIP_RADIUS, heading: ship.heading, born: tick, by: entity });
  ship.reload = RELOAD_TICKS;
}

/** @param {StepContext} context */
function rocks({ all }) {
  return /** @type {import("./arena.js").Rock[]} */ (/** @type {unknown} */ (all("Rock")));
}
