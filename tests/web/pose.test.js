// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { Pose } from "../../client_demo/web/sdk/pose.js";
import { schema } from "./kit/wire.js";

const HZ = 20;
const FRAME_MS = 1000 / 60;
const FRAME_TICKS = HZ / 60;

/** The pose of a ship whose x, in units, is told by tick. @param {(tick: number) => number} x @param {object} [options] */
function poseOf(x, options = {}) {
  const [spec] = schema().entities;
  const forecast = { oldest: 100, last: 200, at: (/** @type {number} */ tick) => [Math.round(x(tick) * 64), 0] };
  return new Pose(spec, spec.smoothFields, /** @type {any} */ (forecast), options, 4);
}

/** @param {Pose} pose @returns {any} */
function viewOf(pose) {
  const view = {};
  pose.writePose(view);
  return view;
}

test("between two ticks it is in proportion, before the oldest and after the last it stands", () => {
  const pose = poseOf((tick) => tick - 90);
  pose.begin(150.25, { x: 60.25, heading: 0 });
  assert.deepEqual(viewOf(pose), { x: 60.25, heading: 0 });
  pose.tick = 99;
  assert.equal(viewOf(pose).x, 10);
  pose.tick = 300;
  assert.equal(viewOf(pose).x, 110);
});

test("at first it glides from where it was drawn until then, or jumps if that is far", () => {
  const pose = poseOf(() => 50);
  pose.begin(150, { x: 48, heading: 0 });
  assert.deepEqual([viewOf(pose).x, pose.errorUnits], [48, 2]);
  pose.advance(150 + FRAME_TICKS, FRAME_MS, HZ);
  assert.ok(viewOf(pose).x > 48.2 && viewOf(pose).x < 48.5);
  const other = poseOf(() => 50);
  other.begin(150, { x: 45, heading: 0 });
  assert.deepEqual([viewOf(other).x, other.errorUnits], [50, 0]);
});

test("when the clock jumps the picture keeps its course and glides", () => {
  for (const jump of [-3, 3]) {
    const pose = poseOf((tick) => 0.5 * (tick - 90));
    pose.begin(150, { x: 30, heading: 0 });
    pose.advance(150 + FRAME_TICKS + jump, FRAME_MS, HZ);
    assert.ok(Math.abs(viewOf(pose).x - (30 + 0.5 * FRAME_TICKS)) < 0.02, `${viewOf(pose).x}`);
    let tick = 150 + FRAME_TICKS + jump;
    for (let i = 0; i < 60; i++) pose.advance((tick += FRAME_TICKS), FRAME_MS, HZ);
    assert.ok(Math.abs(viewOf(pose).x - 0.5 * (tick - 90)) < 0.02);
  }
});

test("a clock that runs a few per cent fast is no jump", () => {
  const pose = poseOf((tick) => 0.5 * (tick - 90));
  let tick = 150;
  pose.begin(tick, { x: 30, heading: 0 });
  for (let i = 0; i < 60; i++) pose.advance((tick += FRAME_TICKS * 1.05), FRAME_MS, HZ);
  assert.equal(pose.errorUnits, 0);
});

test("a step that puts it elsewhere is not drawn in between", () => {
  const pose = poseOf((tick) => (tick < 151 ? 10 : 110));
  pose.begin(150.9, { x: 10, heading: 0 });
  assert.equal(viewOf(pose).x, 10);
  pose.tick = 151;
  assert.equal(viewOf(pose).x, 110);
});

test("without a distance of its own it jumps by the class's, or by an eighth of the field's range", () => {
  const [spec] = schema().entities;
  const forecast = { oldest: 100, last: 200, at: () => [0, 0] };
  /** @type {[object, number | undefined, number][]} */
  const cases = [[{ snapDistance: 2 }, 4, 2], [{}, 4, 4], [{}, undefined, 15]];
  for (const [options, classSnap, limit] of cases) {
    for (const [from, error] of [[limit, limit], [limit + 0.1, 0]]) {
      const pose = new Pose(spec, spec.smoothFields, /** @type {any} */ (forecast), options, classSnap);
      pose.begin(150, { x: from, heading: 0 });
      assert.equal(pose.errorUnits, error);
    }
  }
});
