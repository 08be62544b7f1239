// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fly } from "../../client_demo/web/game/pilot.js";

/** @typedef {{tick: number, before: (number | boolean)[], steer: (number | boolean)[], after: (number | boolean)[], shots: number[][]}} Flown */
/** @type {{hz: number, rocks: number[][], ticks: Flown[]}} */
const sortie = JSON.parse(readFileSync(new URL("../vectors/sorties.json", import.meta.url), "utf8"));
const NAMES = ["x", "y", "vx", "vy", "heading", "thrust", "alive", "reload"];
const ROCKS = sortie.rocks.map(([x, y, radius]) => ({ x, y, radius }));

/** @param {Flown} flown */
function repeat({ tick, before, steer: [turn, thrust, fire] }) {
  const ship = Object.fromEntries(NAMES.map((name, i) => [name, before[i]]));
  /** @type {number[][]} */
  const shots = [];
  const context = {
    tick, dt: 1 / sortie.hz, entity: null, all: () => ROCKS,
    spawn: (/** @type {string} */ _, /** @type {Record<string, number>} */ { x, y, heading, born }) => shots.push([x, y, heading, born]),
  };
  fly(ship, { turn, thrust, fire }, /** @type {any} */ (context));
  return { after: NAMES.map((name) => positiveZero(ship[name])), shots };
}

test("every tick of a sortie ends, and every shot leaves, exactly as in the server's arena", () => {
  for (const flown of sortie.ticks) assert.deepEqual(repeat(flown), { after: flown.after.map(positiveZero), shots: flown.shots }, `tick ${flown.tick}`);
});

test("the sortie has shots, and a time of being shot down", () => {
  assert.ok(sortie.ticks.flatMap(({ shots }) => shots).length > 10);
  const idle = sortie.ticks.filter(({ before }) => before[NAMES.indexOf("alive")] === false);
  assert.ok(idle.length > 30 && idle.length < 70);
});

/** Both languages have two zeros that compare equal. @param {unknown} value */
function positiveZero(value) {
  return value === 0 ? 0 : value;
}
