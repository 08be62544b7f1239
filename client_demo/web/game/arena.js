// @ts-check
/**
 * What the page knows about the arena: the classes of `server/tickwire/demo/arena.py` as types, its
 * constants, and how a bullet flies.
 */

import { direction } from "./flight.js";

export const TICK_RATE = 30;
export const BULLET_SPEED = 54;
export const RESPAWN_SECONDS = 2;
export const RELOAD_TICKS = 7;
export const FULL_HP = 100;
export const REPAIR_RADIUS = 1.2;

/**
 * @typedef {{x: number, y: number}} Point
 * @typedef {{x: number, y: number, heading: number}} Pose
 *
 * @typedef {{id: number, type: string, mine: boolean}} Entity
 * @typedef {Entity & Pose & {view: Pose, thrust: boolean, hp: number, alive: boolean, shield: boolean, score: number,
 *   name: string, hue: number, vx: number, vy: number, reload: number}} Ship
 * @typedef {Entity & Pose & {born: number, by: Ship | null}} Bullet
 * @typedef {Entity & Point & {radius: number}} Rock
 * @typedef {Entity & Point} Crate
 * @typedef {Entity & {width: number, height: number, ends: number, round: number}} Match
 *
 * @typedef {{turn: number, thrust: boolean, fire: boolean}} Steer
 */

/**
 * Where a bullet is at a tick, which may have a fraction.
 * @param {Readonly<{x: number, y: number, heading: number, born: number}>} bullet
 * @param {number} tick
 * @param {number} hz ticks per second
 * @returns {Point}
 */
export function bulletAt(bullet, tick, hz) {
  const [dx, dy] = direction(bullet.heading);
  const way = (BULLET_SPEED * ticksSince(tick, bullet.born)) / hz;
  return { x: bullet.x + dx * way, y: bullet.y + dy * way };
}

/**
 * How many ticks `tick` is after `origin`, negative when before; ticks wrap at 2^32.
 * @param {number} tick
 * @param {number} origin
 */
export function ticksSince(tick, origin) {
  const gap = (tick - origin) % 2 ** 32;
  if (gap >= 2 ** 31) return gap - 2 ** 32;
  return gap < -(2 ** 31) ? gap + 2 ** 32 : gap;
}

/** An angle brought into [-pi, pi). @param {number} angle */
export function shortWay(angle) {
  const turn = 2 * Math.PI;
  return ((((angle + Math.PI) % turn) + turn) % turn) - Math.PI;
}
