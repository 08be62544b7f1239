// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { Forecast } from "../../client_demo/web/sdk/forecast.js";
import { Inputs } from "../../client_demo/web/sdk/inputs.js";
import { schema } from "./kit/wire.js";

const HOLD = 3;

/** A counter that goes up by one a tick while the input thrusts; a second field is given. */
class Counter {
  /** @type {number[]} */
  ran = [];
  inputs = new Inputs(/** @type {import("../../client_demo/web/sdk/schema.js").ClassSpec} */ (schema().input));

  constructor({ hz = 20 } = {}) {
    const stepper = /** @type {any} */ ({
      fields: [{ kind: { isSmooth: false } }, { kind: { isSmooth: false } }],
      run: (/** @type {number[]} */ [count, given], /** @type {number[]} */ input, /** @type {number} */ tick) => {
        this.ran.push(tick);
        return [count + input[1], given];
      },
    });
    this.forecast = new Forecast(stepper, this.inputs, { hz, hold: HOLD }, 100, [0, 7]);
  }

  /** Command up to a tick, and predict that. @param {number} tick @param {boolean} thrust */
  command(tick, thrust) {
    this.inputs.current.thrust = thrust;
    for (let t = this.inputs.lastTick ?? 100; t <= tick; t++) this.inputs.sample(t);
    this.ran = [];
    return this.forecast.extend(tick);
  }
}

test("it simulates each tick once, and the next one tentatively with the input of now", () => {
  const counter = new Counter();
  assert.deepEqual(counter.command(103, true), [101, 104]);
  assert.deepEqual(counter.ran, [101, 102, 103, 104]);
  assert.deepEqual([100, 101, 103, 104].map((tick) => counter.forecast.at(tick)[0]), [0, 1, 3, 4]);
  counter.inputs.current.thrust = false;
  assert.deepEqual(counter.forecast.extend(103), [104, 104]);
  assert.equal(counter.forecast.at(104)[0], 4, "what was shown as pressed is sent");
  assert.deepEqual([counter.forecast.at(50)[0], counter.forecast.at(500)[0]], [0, 4]);
});

test("a state that is as predicted costs nothing", () => {
  const counter = new Counter();
  counter.command(105, true);
  counter.ran = [];
  assert.equal(counter.forecast.correct(102, [2, 7]).outcome, "equal");
  assert.deepEqual([counter.ran, counter.forecast.oldest, counter.forecast.newest], [[], 102, 105]);
});

test("another state is gone on from, with the inputs since", () => {
  const counter = new Counter();
  counter.command(105, true);
  counter.ran = [];
  const verdict = counter.forecast.correct(102, [50, 7]);
  assert.deepEqual([verdict.outcome, verdict.predicted], ["wrong", [2, 7]]);
  assert.deepEqual(counter.forecast.replay(), [103, 106]);
  assert.deepEqual([counter.ran, counter.forecast.at(105)[0]], [[103, 104, 105, 106], 53]);
});

test("what the step has never changed is news, until it does", () => {
  const counter = new Counter();
  counter.command(105, false);
  assert.equal(counter.forecast.correct(101, [3, 7]).outcome, "news");
  counter.forecast.replay();
  counter.command(106, true);
  assert.equal(counter.forecast.correct(105, [5, 7]).outcome, "wrong");
  counter.forecast.replay();
  assert.equal(counter.forecast.correct(106, [6, 9]).outcome, "news");
});

test("a tick that was not predicted is a new beginning", () => {
  const counter = new Counter();
  counter.command(105, true);
  const { outcome, predicted } = counter.forecast.correct(110, [9, 7]);
  assert.deepEqual([outcome, predicted, counter.forecast.newest, counter.forecast.at(111)], ["unforeseen", null, 110, [9, 7]]);
});

test("ticks that no input was sent for repeat the last one for as long as the server does", () => {
  const counter = new Counter();
  counter.command(101, true);
  counter.forecast.extend(110);
  assert.equal(counter.forecast.at(110)[0], 1 + HOLD);
});

test("three seconds after the server's last word it stands still", () => {
  const counter = new Counter({ hz: 20 });
  counter.command(300, true);
  assert.deepEqual([counter.forecast.newest, counter.forecast.at(300)[0], counter.forecast.at(161)[0]], [160, 60, 60]);
  counter.forecast.correct(150, [50, 7]);
  counter.forecast.extend(300);
  assert.equal(counter.forecast.at(300)[0], 110);
});
