// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { COSINES, direction, step } from "../../client_demo/web/game/flight.js";

/** @typedef {{rocks: number[][], start: number[], flown: (number | boolean)[][]}} Course */
/** @type {{cosines: number[], dt: number, courses: Course[]}} */
const vectors = JSON.parse(readFileSync(new URL("../vectors/flight.json", import.meta.url), "utf8"));

test("the cosine table is the one that Python made", () => {
  assert.deepEqual([...COSINES], vectors.cosines);
});

for (const [number, course] of vectors.courses.entries()) {
  test(`course ${number} ends every tick exactly where Python's step ended it`, () => {
    const rocks = course.rocks.map(([x = 0, y = 0, radius = 0]) => ({ x, y, radius }));
    const [x = 0, y = 0, vx = 0, vy = 0, heading = 0] = course.start;
    let ship = { x, y, vx, vy, heading };
    for (const [turn, thrust, ...expected] of course.flown) {
      ship = step(ship, Number(turn), Boolean(thrust), rocks, vectors.dt);
      assert.deepEqual([ship.x, ship.y, ship.vx, ship.vy, ship.heading].map(positiveZero), expected.map(Number).map(positiveZero));
    }
  });
}

test("a step leaves the ship it was given as it was", () => {
  const ship = Object.freeze({ x: 60, y: 40, vx: 1, vy: 2, heading: 3 });
  assert.notEqual(step(ship, 1, true, [], 1 / 30), ship);
});

test("heading 0 points right and a quarter turn points down", () => {
  assert.deepEqual(direction(0), [1, 0]);
  assert.deepEqual(direction(Math.PI / 2), [0, 1]);
});

/** Both languages have two zeros that compare equal and write differently in JSON. @param {number} value */
function positiveZero(value) {
  return value === 0 ? 0 : value;
}
