// @ts-check
/** The camera: follows a ship softly, keeps to the arena, shakes when something hits. Pure: time comes in as seconds. */

/** At most so many units are visible across and down; phones held upright see less across. */
const VISIBLE_WIDTH = 60;
const VISIBLE_HEIGHT = 66;
/**
 * At a wall a ship is this share of the way from the middle of the picture to its edge: the camera
 * shows less of what lies beyond the walls, and the ship stays clear of the scores and the map.
 */
const OFF_CENTRE = 0.52;
/** How fast it closes in on its target: the gap shrinks by e in 1 / FOLLOW seconds. */
const FOLLOW = 7;
/** Seconds of flight it looks ahead. */
const LOOK_AHEAD = 0.28;
const SHAKE_DECAY = 6;

export class Camera {
  /** @param {{width: number, height: number}} world */
  constructor(world) {
    this.world = world;
    this.x = world.width / 2;
    this.y = world.height / 2;
    /** Pixels per unit. */
    this.scale = 1;
    this.width = 1;
    this.height = 1;
    this.shake = 0;
    /** Never shake: for those whom moving pictures make ill. */
    this.steady = false;
  }

  /** Fit to a canvas of so many pixels. @param {number} width @param {number} height */
  resize(width, height) {
    this.width = width;
    this.height = height;
    this.scale = Math.max(width / VISIBLE_WIDTH, height / VISIBLE_HEIGHT);
  }

  /**
   * Move towards a target for a frame of `seconds`.
   * @param {{x: number, y: number, vx: number, vy: number}} target
   * @param {number} seconds
   */
  follow(target, seconds) {
    const share = 1 - Math.exp(-FOLLOW * seconds);
    this.x += (this.#keep(target.x + target.vx * LOOK_AHEAD, this.world.width, this.width) - this.x) * share;
    this.y += (this.#keep(target.y + target.vy * LOOK_AHEAD, this.world.height, this.height) - this.y) * share;
    this.shake *= Math.exp(-SHAKE_DECAY * seconds);
  }

  /** Shake by up to `units`; a weaker jolt doesn't calm a stronger one. @param {number} units */
  jolt(units) {
    if (!this.steady) this.shake = Math.max(this.shake, units);
  }

  /** How far the picture is off at a moment, in units. @param {number} seconds @returns {import("./arena.js").Point} */
  tremor(seconds) {
    return {
      x: this.shake * Math.sin(seconds * 71) * Math.cos(seconds * 23),
      y: this.shake * Math.sin(seconds * 83 + 1) * Math.cos(seconds * 29),
    };
  }

  /** Whether something of that radius is (partly) in the picture. @param {number} x @param {number} y @param {number} radius */
  sees(x, y, radius) {
    const reach = radius + this.shake;
    return (
      Math.abs(x - this.x) < this.width / this.scale / 2 + reach && Math.abs(y - this.y) < this.height / this.scale / 2 + reach
    );
  }

  /**
   * Keep the picture near the arena along one axis; centre it when most of the arena fits.
   * @param {number} at
   * @param {number} size
   * @param {number} pixels
   */
  #keep(at, size, pixels) {
    const half = (pixels / this.scale / 2) * OFF_CENTRE;
    return half * 2 >= size ? size / 2 : Math.min(Math.max(at, half), size - half);
  }
}
