// @ts-check
/** Behind the start card: a few ships that fly about by themselves, on the same step as in the game. */

import { seeded } from "../sdk/chance.js";
import { HEIGHT, WIDTH, step } from "./flight.js";
import { follow } from "./steering.js";

/** @typedef {import("./arena.js").Ship} Ship */
/** @typedef {import("./flight.js").Motion} Motion */

const HZ = 30;
const SHIPS = 11;
const NEW_COURSE_TICKS = 110;
/** After a longer pause they don't fly after what they missed. */
const MOST_STEPS = 8;
const ROCKS = /** @type {const} */ ([[22, 20, 4], [43, 58, 5], [62, 24, 3], [80, 55, 4.5], [99, 22, 5.5], [14, 62, 2.5], [108, 66, 3]]);

export class Attract {
  hz = HZ;
  clock = { renderTick: 0 };
  #chance = seeded(11);
  #tick = 0;
  #rocks = ROCKS.map(([x, y, radius], id) => ({ id, type: "Rock", mine: false, x, y, radius, heading: 0 }));
  #pilots = Array.from({ length: SHIPS }, (_, index) => this.#pilot(index));
  /** @type {number | null} */
  #started = null;

  ships() {
    return this.#pilots.map(({ ship }) => ship);
  }

  rocks() {
    return this.#rocks;
  }

  /** @returns {import("./arena.js").Crate[]} */
  crates() {
    return [];
  }

  /** Fly on to a moment. @param {number} now seconds */
  advance(now) {
    this.#started ??= now;
    const due = (now - this.#started) * HZ;
    if (due - this.#tick > MOST_STEPS) this.#started = now - this.#tick / HZ;
    for (; this.#tick < due && due - this.#tick <= MOST_STEPS; this.#tick++) for (const pilot of this.#pilots) this.#fly(pilot);
    const share = Math.min(1, Math.max(0, due - this.#tick + 1));
    for (const { ship, before } of this.#pilots) {
      ship.view.x = before.x + (ship.x - before.x) * share;
      ship.view.y = before.y + (ship.y - before.y) * share;
      ship.view.heading = ship.heading;
    }
  }

  /** @param {number} index */
  #pilot(index) {
    const at = { x: this.#chance() * WIDTH, y: this.#chance() * HEIGHT, heading: this.#chance() * 6 };
    const looks = { thrust: true, hp: 100, alive: true, shield: false, score: 0, name: "", hue: Math.round(index * 137.508) % 360 };
    /** @type {Ship} */
    const ship = { id: 100 + index, type: "Ship", mine: false, ...at, vx: 0, vy: 0, reload: 0, ...looks, view: { ...at } };
    return { ship, before: { ...at }, target: { ...at } };
  }

  /** @param {{ship: Ship, before: import("./arena.js").Pose, target: import("./arena.js").Point}} pilot */
  #fly(pilot) {
    const { ship, before, target } = pilot;
    if ((this.#tick + ship.id * 17) % NEW_COURSE_TICKS === 0) pilot.target = { x: this.#chance() * WIDTH, y: this.#chance() * HEIGHT };
    const { turn } = follow(...towards(ship, target), ship.heading);
    ship.thrust = Math.abs(turn) < 0.6;
    Object.assign(before, { x: ship.x, y: ship.y, heading: ship.heading });
    Object.assign(ship, step(ship, turn * 0.4, ship.thrust, this.#rocks, 1 / HZ));
  }
}

/** The direction of a point, as a thumb on a stick would show it. @param {Motion} ship @param {import("./arena.js").Point} to @returns {[number, number]} */
function towards(ship, to) {
  const far = Math.max(1e-6, Math.hypot(to.x - ship.x, to.y - ship.y));
  return [(to.x - ship.x) / far, (to.y - ship.y) / far];
}
