// @ts-check
/** Where the server last had the own ship: an outline, and a thread from it to where the ship is drawn. */

import { outline } from "./ships.js";

/** @typedef {import("./scene.js").Brush} Brush */

/** Nearer than this, units, the outline would only blur the ship. */
const APART = 0.15;

/**
 * @param {Brush} brush
 * @param {import("./arena.js").Ship} ship its fields are the server's word
 * @param {import("./arena.js").Pose} shown where it is drawn
 */
export function drawGhost({ context, palette }, ship, shown) {
  context.save();
  context.strokeStyle = palette.ink;
  context.lineWidth = 0.09;
  context.setLineDash([0.3, 0.22]);
  context.globalAlpha = 0.8;
  if (Math.hypot(shown.x - ship.x, shown.y - ship.y) > APART) drawThread(context, ship, shown);
  context.translate(ship.x, ship.y);
  context.rotate(ship.heading);
  context.stroke(outline);
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {import("./arena.js").Point} from @param {import("./arena.js").Point} to */
function drawThread(context, from, to) {
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}
