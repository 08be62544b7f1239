// @ts-check
/**
 * How a ship flies: the twin of `server/tickwire/demo/flight.py`, equal to it to the last bit.
 *
 * The same operations in the same order, on doubles; sine and cosine from a table rounded to 1/65536,
 * because browsers and Python may differ in their last bit. `tests/vectors/flight.json` holds courses
 * that were flown in Python and that this has to repeat exactly.
 */

export const WIDTH = 120;
export const HEIGHT = 80;
export const SHIP_RADIUS = 1.2;

/** A ship points in one of so many directions. */
export const HEADINGS = 1024;
export const HEADING_STEP = (2 * Math.PI) / HEADINGS;
export const POSITION_STEP = 1 / 64;
export const SPEED_STEP = 1 / 256;

/** Headings per second at full rudder. */
export const TURN_RATE = 720;
/** Acceleration of the engine, units per second squared. */
export const THRUST = 22;
/** Share of the speed lost per second. */
export const DRAG = 0.9;
/** Share of the speed into a wall or a rock that comes back out of it. */
export const BOUNCE = 0.55;

/** Cosine of each heading. @type {readonly number[]} */
export const COSINES = Array.from({ length: HEADINGS }, (_, i) => Math.floor(Math.cos(i * HEADING_STEP) * 65536 + 0.5) / 65536);

/**
 * @typedef {{x: number, y: number, vx: number, vy: number, heading: number}} Motion
 * Where a ship is (units), how fast it moves (units per second) and where it points (radians).
 * @typedef {{x: number, y: number, radius: number}} Disc
 */

/**
 * Fly for one tick; the ship given is left as it is.
 * @param {Readonly<Motion>} ship where it is now
 * @param {number} turn rudder from -1 (counter-clockwise on the screen) to 1
 * @param {boolean} thrust whether the engine burns
 * @param {Iterable<Readonly<Disc>>} rocks what it may bounce off, by id
 * @param {number} dt length of the tick in seconds
 * @returns {Motion}
 */
export function step(ship, turn, thrust, rocks, dt) {
  const index = wrap(headingIndex(ship.heading) + Math.floor(turn * TURN_RATE * dt + 0.5));
  const next = { x: 0, y: 0, vx: ship.vx, vy: ship.vy, heading: index * HEADING_STEP };
  if (thrust) {
    next.vx += cosine(index) * THRUST * dt;
    next.vy += cosine(index + 768) * THRUST * dt;
  }
  const keep = 1 - DRAG * dt;
  next.vx *= keep;
  next.vy *= keep;
  next.x = ship.x + next.vx * dt;
  next.y = ship.y + next.vy * dt;
  for (const rock of rocks) bounce(next, rock);
  stayInside(next);
  next.x = snap(next.x, POSITION_STEP);
  next.y = snap(next.y, POSITION_STEP);
  next.vx = snap(next.vx, SPEED_STEP);
  next.vy = snap(next.vy, SPEED_STEP);
  return next;
}

/** The number of the direction nearest to an angle in radians. @param {number} heading */
export function headingIndex(heading) {
  return wrap(Math.floor(heading / HEADING_STEP + 0.5));
}

/**
 * The unit vector a ship with this heading points along; y is down, so angles run clockwise.
 * @param {number} heading
 * @returns {[number, number]}
 */
export function direction(heading) {
  const index = headingIndex(heading);
  return [cosine(index), cosine(index + 768)];
}

/** Push a ship that overlaps a rock out of it and turn its speed away. @param {Motion} ship @param {Readonly<Disc>} rock */
function bounce(ship, rock) {
  const dx = ship.x - rock.x;
  const dy = ship.y - rock.y;
  const reach = rock.radius + SHIP_RADIUS;
  const square = dx * dx + dy * dy;
  if (square >= reach * reach) return;
  const distance = Math.sqrt(square);
  const nx = distance > 0 ? dx / distance : 1;
  const ny = distance > 0 ? dy / distance : 0;
  const inward = ship.vx * nx + ship.vy * ny;
  if (inward < 0) {
    ship.vx -= (1 + BOUNCE) * inward * nx;
    ship.vy -= (1 + BOUNCE) * inward * ny;
  }
  ship.x = rock.x + nx * reach;
  ship.y = rock.y + ny * reach;
}

/** Bounce off the arena's walls. @param {Motion} ship */
function stayInside(ship) {
  if (ship.x < SHIP_RADIUS) {
    ship.x = SHIP_RADIUS;
    if (ship.vx < 0) ship.vx = -ship.vx * BOUNCE;
  } else if (ship.x > WIDTH - SHIP_RADIUS) {
    ship.x = WIDTH - SHIP_RADIUS;
    if (ship.vx > 0) ship.vx = -ship.vx * BOUNCE;
  }
  if (ship.y < SHIP_RADIUS) {
    ship.y = SHIP_RADIUS;
    if (ship.vy < 0) ship.vy = -ship.vy * BOUNCE;
  } else if (ship.y > HEIGHT - SHIP_RADIUS) {
    ship.y = HEIGHT - SHIP_RADIUS;
    if (ship.vy > 0) ship.vy = -ship.vy * BOUNCE;
  }
}

/** Round to a multiple of `grid`, halves up. @param {number} value @param {number} grid */
function snap(value, grid) {
  return Math.floor(value / grid + 0.5) * grid;
}

/** A heading's number brought into 0 .. HEADINGS - 1. @param {number} index */
function wrap(index) {
  return ((index % HEADINGS) + HEADINGS) % HEADINGS;
}

/** Cosine by heading number; +768 is a sine. @param {number} index */
function cosine(index) {
  return COSINES[index % HEADINGS] ?? 0;
}
