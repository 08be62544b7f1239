// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { VisualError } from "../../client_demo/web/sdk/visual_error.js";
import { schema } from "./kit/wire.js";

/** Of a ship: x in steps of 1/64, and a heading. */
function shipError() {
  return new VisualError(schema().entities[0].smoothFields);
}

test("an error keeps the picture where it was, then decays by 1/e in 100 ms, and is gone for good", () => {
  const error = shipError();
  error.add([10, 0], [12, 0]);
  assert.equal(error.of(0), -2);
  error.decay(100);
  assert.ok(Math.abs(error.of(0) + 2 / Math.E) < 1e-12);
  error.decay(900);
  assert.equal(error.of(0), 0);
});

test("it decays as fast at 30 frames a second as at 144", () => {
  const [slow, fast] = [30, 144].map((hz) => {
    const error = shipError();
    error.add([1, 0], [0, 0]);
    for (let i = 0; i < hz / 6; i++) error.decay(1000 / hz);
    return error.of(0);
  });
  assert.ok(Math.abs(slow - fast) < 1e-12);
});

test("errors add up, an angle's the short way round", () => {
  const error = shipError();
  error.add([1, 0.1], [0, 6.2]);
  error.add([1, 3], [0, 0]);
  assert.equal(error.of(0), 2);
  assert.ok(Math.abs(error.of(1) - (3.1 - 6.2)) < 1e-12);
  error.clear();
  assert.deepEqual([error.of(0), error.of(1)], [0, 0]);
});
