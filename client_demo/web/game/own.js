// @ts-check
/**
 * Where things are drawn: the one place that decides between the server's word and a prediction of it.
 *
 * Today every ship, the own one too, is where the interpolated view of the server's state has it, and
 * bullets fly on the same clock, so that what is seen to touch did touch.
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
