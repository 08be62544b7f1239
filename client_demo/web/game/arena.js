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
 * @typedef {Entity & Pose & {born: number, by: Ship | null, ahead: number, spent: number}} Bullet
 * @typedef {Readonly<Pose & {born: number, ahead?: number, spent?: number}>} Flight what says where a bullet is when
 * @typedef {Entity & Point & {radius: number}} Rock
 * @typedef {Entity & Point} Crate
 * @typedef {Entity & {width: number, height: number, ends: number, round: number}} Match
 *
 * @typedef {{turn: number, thrust: boolean, fire: boolean}} Steer
 */

/**
 * How many ticks a bullet has flown at a tick. It was launched that far `ahead` of the nose, because it was fired at
 * what its pilot saw, some ticks ago (`Arena.catch_up`); `spent` is after how many it met something on that first way.
 * @param {Flight} bullet
 * @param {number} tick
 */
export function flownTicks({ born, ahead = 0 }, tick) {
  return ticksSince(tick, born) + ahead;
}

/**
 * Where a bullet is at a tick, which may have a fraction.
 * @param {Flight} bullet
 * @param {number} tick
 * @param {number} hz ticks per second
 * @returns {Point}
 */
export function bulletAt(bullet, tick, hz) {
  const [dx, dy] = direction(bullet.heading);
  const way = (BULLET_SPEED * Math.min(flownTicks(bullet, tick), bullet.spent || Infinity)) / hz;
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
