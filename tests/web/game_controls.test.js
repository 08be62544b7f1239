// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { both, follow, rudder } from "../../client_demo/web/game/steering.js";

const REST = { turn: 0, thrust: false, fire: false };

test("a key that is not held leaves the rudder alone, a tap turns finely, holding turns at full rate", () => {
  assert.equal(rudder(-1), 0);
  assert.equal(rudder(0), 3 / 8);
  assert.equal(rudder(200), 1);
});

test("a stick at rest does nothing", () => {
  assert.deepEqual(follow(0.1, -0.1, 2), { turn: 0, thrust: false });
});

test("a stick turns the nose the short way to where it points", () => {
  assert.ok(follow(0, 1, 0).turn > 0);
  assert.ok(follow(0, -1, 0).turn < 0);
  assert.equal(follow(1, -0.2, 6.2).turn, -3 / 8);
  assert.equal(follow(1, 0, 0).turn, 0);
  assert.ok(follow(Math.cos(3), Math.sin(3), -3).turn < 0);
});

test("a stick's rudder is in the steps of the wire and never beyond its ends", () => {
  for (let angle = -4; angle < 4; angle += 0.05) {
    const { turn } = follow(Math.cos(angle), Math.sin(angle), 0.3);
    assert.equal(turn * 8, Math.round(turn * 8));
    assert.ok(Math.abs(turn) <= 1);
  }
});

test("only a stick pushed far thrusts", () => {
  assert.equal(follow(0.4, 0, 0).thrust, false);
  assert.equal(follow(0.9, 0, 0).thrust, true);
});

test("with keys and thumbs at once the harder turn counts, and either may thrust or fire", () => {
  assert.deepEqual(both({ turn: -1, thrust: false, fire: true }, { turn: 0.5, thrust: true, fire: false }), { turn: -1, thrust: true, fire: true });
  assert.deepEqual(both(REST, REST), REST);
});
