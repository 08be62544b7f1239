// @ts-check
/** Where on its way a point first touches something round: the twin of `server/tickwire/demo/contact.py`. */

/** @typedef {import("./arena.js").Point} Point */

/**
 * The share of the way from `start` to `end` at which a disc is reached; null when it is missed. 0 when the way
 * starts inside.
 * @param {Point} start
 * @param {Point} end
 * @param {Point} centre
 * @param {number} radius
 */
export function firstContact(start, end, centre, radius) {
  const wayX = end.x - start.x;
  const wayY = end.y - start.y;
  const gapX = start.x - centre.x;
  const gapY = start.y - centre.y;
  // |gap + t * way| = radius, a quadratic in t.
  const c = gapX * gapX + gapY * gapY - radius * radius;
  if (c <= 0) return 0;
  const b = gapX * wayX + gapY * wayY;
  if (b >= 0) return null; // moving away, or not at all
  const a = wayX * wayX + wayY * wayY;
  const square = b * b - a * c;
  if (square < 0) return null;
  const share = (-b - Math.sqrt(square)) / a;
  return share <= 1 ? share : null;
}
