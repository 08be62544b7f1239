// @ts-check
/**
 * Where and when things are drawn: the one place that decides between the server's word and a prediction of it.
 *
 * The own ship is where it will be when the server has heard what the player does now; so are the own bullets. The
 * others are where they were a moment ago, between two snapshots.
 */

/** @typedef {import("./arena.js").Ship} Ship */
/** @typedef {import("./arena.js").Pose} Pose */

/** Where to draw a ship in this frame. @param {Ship} ship @returns {Pose} */
export function shownPose(ship) {
  return ship.view;
}

/**
 * The tick, with its fraction, at which this frame shows the world.
 * @param {{clock: {renderTick: number}}} game
 */
export function shownTick(game) {
  return game.clock.renderTick;
}

/**
 * The tick, with its fraction, at which this frame shows what is the player's own.
 * @param {{clock: {renderTick: number}, prediction?: {tick: number | null} | null}} game
 */
export function ownTick(game) {
  return game.prediction?.tick ?? shownTick(game);
}
