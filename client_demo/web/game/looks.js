// @ts-check
/** What a ship's picture remembers from frame to frame: how it moves, burns and flickers, and whether it is in play as shown. */

import { direction } from "./flight.js";

/** @typedef {{alive: boolean, flash: number, flame: number, x: number, y: number, vx: number, vy: number, spark: number}} Look */
/** @typedef {import("./arena.js").Ship} Ship */
/** @typedef {import("./arena.js").Pose} Pose */

const FLASH_DECAY = 7;
const SPARKS_PER_SECOND = 55;
/** A ship doesn't fly so fast (units per second): it was put elsewhere. */
const TELEPORT = 90;

export class Looks {
  /** @type {Map<number, Look>} */
  #looks = new Map();

  /** The look of a ship, made at its first use. @param {Ship} ship @returns {Look} */
  of(ship) {
    const known = this.#looks.get(ship.id);
    if (known) return known;
    const look = { alive: ship.alive, flash: 0, flame: 0, x: ship.view.x, y: ship.view.y, vx: 0, vy: 0, spark: 0 };
    this.#looks.set(ship.id, look);
    return look;
  }

  /** @param {number} id */
  forget(id) {
    this.#looks.delete(id);
  }

  /**
   * Bring a ship's look up to this frame, and let its engine throw sparks.
   * @param {Ship} ship
   * @param {Pose} pose where it is drawn
   * @param {number} seconds since the last frame
   * @param {import("./particles.js").Particles} particles
   */
  advance(ship, pose, seconds, particles) {
    const look = this.of(ship);
    if (seconds <= 0) return look;
    const vx = (pose.x - look.x) / seconds;
    const vy = (pose.y - look.y) / seconds;
    const jumped = Math.abs(vx) + Math.abs(vy) > TELEPORT;
    const share = 1 - Math.exp(-12 * seconds);
    look.vx = jumped ? 0 : look.vx + (vx - look.vx) * share;
    look.vy = jumped ? 0 : look.vy + (vy - look.vy) * share;
    look.x = pose.x;
    look.y = pose.y;
    look.flash *= Math.exp(-FLASH_DECAY * seconds);
    const burns = ship.thrust && look.alive;
    look.flame += ((burns ? 1 : 0) - look.flame) * (1 - Math.exp(-14 * seconds));
    look.spark = burns ? look.spark + seconds * SPARKS_PER_SECOND : 0;
    for (; look.spark >= 1; look.spark--) throwSpark(ship, pose, look, particles);
    return look;
  }
}

/** @param {Ship} ship @param {Pose} pose @param {Look} look @param {import("./particles.js").Particles} particles */
function throwSpark(ship, pose, look, particles) {
  const [dx, dy] = direction(pose.heading + (Math.random() - 0.5) * 0.5);
  const fast = 7 + Math.random() * 6;
  particles.add({
    x: pose.x - dx * 1.2,
    y: pose.y - dy * 1.2,
    vx: look.vx * 0.5 - dx * fast,
    vy: look.vy * 0.5 - dy * fast,
    age: 0,
    life: 0.25 + Math.random() * 0.35,
    size: 0.4 + Math.random() * 0.35,
    hue: 20 + Math.random() * 30,
    hot: 4,
  });
}
