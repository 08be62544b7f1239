// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { fly, predictOwn } from "../../client_demo/web/game/pilot.js";
import { Arena } from "./kit/arena.js";
import { seededRandom } from "./kit/virtual.js";

/** @typedef {import("../../client_demo/web/sdk/stepper.js").Step} Step */

/** @type {Step} the demo's step, with the trigger that the test's ships have */
const boosted = (ship, steer, context) => {
  fly(ship, steer, context);
  if (ship.alive && steer.boost) ship.vx += 2;
};

/** @param {import("./kit/arena.js").ArenaOptions} [options] */
function predicting(options) {
  const arena = new Arena(options);
  predictOwn(arena.game);
  return arena;
}

/** Hands that do something else every few frames, the same in every run. @param {Arena} arena */
function busyHands(arena) {
  const random = seededRandom(7);
  let until = 0;
  return (/** @type {number} */ now) => {
    if (now < until) return;
    until = now + 50 + 600 * random();
    Object.assign(arena.game.input, { turn: Math.floor(random() * 17) / 8 - 1, thrust: random() < 0.7, fire: random() < 0.5 });
  };
}

for (const rttMs of [0, 50, 150, 300]) {
  test(`with a round trip of ${rttMs} ms each tick is as predicted, for a minute`, () => {
    const arena = predicting({ oneWayMs: rttMs / 2 });
    const hands = busyHands(arena);
    arena.play(2000, hands);
    const { prediction } = arena;
    const before = { replays: prediction.replays, corrections: prediction.corrections };
    /** @type {number[]} */
    const errors = [];
    arena.game.on("snapshot", () => errors.push(prediction.errorUnits, prediction.visualErrorUnits));
    arena.play(58_000, hands);
    assert.ok(errors.length > 2 * 1600, `${errors.length / 2} snapshots`);
    assert.deepEqual([...new Set(errors)], [0]);
    assert.deepEqual({ replays: prediction.replays, corrections: prediction.corrections }, before);
    assert.deepEqual([arena.buffer.late, arena.errors, arena.server.reported], [0, [], []]);
    assert.ok(arena.toldKinds.filter((what) => what === "confirmed").length > 30);
    assert.equal(arena.toldKinds.includes("withdrawn"), false);
  });

  test(`with a round trip of ${rttMs} ms the ship answers in the frame of the key press`, () => {
    const arena = predicting({ oneWayMs: rttMs / 2 }).play(2000);
    for (let press = 0; press < 12; press++) {
      arena.play(60 + 50 * press, () => (arena.game.input.turn = 0));
      const { heading } = arena.own.view;
      arena.play(17, () => (arena.game.input.turn = 1));
      assert.notEqual(arena.own.view.heading, heading, `press ${press}`);
    }
  });
}

test("the picture moves evenly between the ticks, at any refresh rate", () => {
  for (const refreshHz of [60, 144]) {
    const arena = predicting({ oneWayMs: 75 });
    arena.ship.vx = 20;
    arena.ship.y = 10;
    arena.framesPerS = refreshHz;
    arena.play(1500);
    /** @type {number[]} */
    const steps = [];
    let x = NaN;
    arena.play(500, undefined, () => {
      steps.push(arena.own.view.x - x);
      ({ x } = arena.own.view);
    });
    const [least, most] = [Math.min(...steps.slice(1)), Math.max(...steps.slice(1))];
    // It slows down by 0.9 a second, the clocks may run 5 % off, and a position has steps of 1/64 a tick.
    assert.ok(least > 0 && most - least < 0.45 * most, `${refreshHz} Hz: from ${least} to ${most}`);
  }
});

test("after a long rest, when the server says nothing for a second at a time, it answers at once and rightly", () => {
  const arena = predicting({ oneWayMs: 75 }).play(20_000);
  for (let press = 0; press < 8; press++) {
    arena.play(4000 + 130 * press, () => (arena.game.input.turn = 0));
    const { heading } = arena.own.view;
    arena.play(17, () => (arena.game.input.turn = 1));
    assert.notEqual(arena.own.view.heading, heading);
  }
  assert.deepEqual([arena.prediction.replays, arena.prediction.corrections], [0, 0]);
});

test("what only the server knew is put right at once, and the picture glides there", () => {
  const arena = predicting({ oneWayMs: 75 }).play(2000);
  const { prediction } = arena;
  const pushed = once(() => Object.assign(arena.ship, { y: arena.ship.y + 2 }));
  arena.interfere = pushed;
  let largest = 0;
  let { y } = arena.own.view;
  arena.play(400, undefined, () => {
    largest = Math.max(largest, Math.abs(arena.own.view.y - y));
    ({ y } = arena.own.view);
  });
  assert.deepEqual([prediction.corrections, prediction.replays, prediction.snaps], [1, 1, 0]);
  assert.equal(prediction.state?.y, 42);
  assert.ok(largest > 0.05 && largest < 0.4, `at most ${largest} units in a frame`);
  assert.ok(prediction.visualErrorUnits > 0 && prediction.visualErrorUnits < 0.3);
  arena.play(1000);
  assert.deepEqual([arena.own.view.y, prediction.visualErrorUnits], [42, 0]);
});

test("the error that is told is that of the last snapshot, before smoothing", () => {
  const arena = predicting().play(2000);
  /** @type {number[]} */
  const errors = [];
  arena.game.on("snapshot", () => errors.push(arena.prediction.errorUnits));
  arena.interfere = once(() => Object.assign(arena.ship, { x: arena.ship.x + 0.75, vx: 1 }));
  arena.play(500);
  assert.deepEqual(errors.filter((error) => error !== 0), [0.75]);
});

test("news of what the step never changes is taken in without counting as a mistake", () => {
  const arena = predicting({ oneWayMs: 75 });
  arena.play(2000, () => (arena.game.input.thrust = true));
  arena.interfere = once(() => (arena.ship.hp = 80));
  arena.play(1000);
  const { prediction } = arena;
  assert.deepEqual([prediction.replays, prediction.corrections, prediction.errorUnits, prediction.state?.hp], [1, 0, 0, 80]);
});

test("a respawn is a jump, however near, and so is what is put far away", () => {
  const arena = predicting({ oneWayMs: 75 }).play(2000);
  const { prediction } = arena;
  arena.interfere = once(() => (arena.ship.alive = false));
  arena.play(500);
  arena.interfere = once(() => Object.assign(arena.ship, { alive: true, x: arena.ship.x + 3 }));
  arena.play(500);
  assert.deepEqual([arena.own.view.x, prediction.visualErrorUnits], [63, 0]);
  arena.interfere = once(() => Object.assign(arena.ship, { x: 20 }));
  /** @type {number[]} */
  const places = [];
  arena.play(500, undefined, () => places.push(arena.own.view.x));
  assert.deepEqual([...new Set(places)], [63, 20]);
  assert.deepEqual([prediction.snaps, prediction.corrections, prediction.errorUnits], [3, 0, 0]);
});

test("a step that throws is reported once, and the server's state is shown from then on", () => {
  const arena = new Arena({ oneWayMs: 75 });
  let fails = false;
  const prediction = arena.game.predict({
    entity: "Ship",
    step(ship, steer, context) {
      if (fails) throw new RangeError("no such rock");
      fly(ship, steer, context);
    },
  });
  const hands = busyHands(arena);
  arena.play(2000, hands);
  fails = true;
  arena.play(2000, hands);
  assert.equal(arena.errors.length, 1);
  assert.equal(arena.errors[0].name, "PredictionError");
  assert.match(arena.errors[0].reason, /at tick 1\d\d, .*no such rock/);
  assert.equal(arena.errors[0].cause.name, "RangeError");
  assert.deepEqual([prediction.error, prediction.state, prediction.tick, prediction.pose()], [arena.errors[0], null, null, null]);
  assert.equal(arena.game.status, "playing");
  arena.play(1000, () => Object.assign(arena.game.input, { turn: 0, thrust: false, fire: false }));
  assert.equal(arena.own.view.heading, arena.own.heading);
  fails = false;
  prediction.enabled = true;
  arena.play(1000, hands);
  assert.deepEqual([prediction.error, arena.errors.length], [null, 1]);
  assert.equal(typeof prediction.tick, "number");
});

test("a step that throws only in the replay ends the prediction the same way", () => {
  const arena = new Arena({ oneWayMs: 75 });
  let newest = 0;
  arena.game.predict({
    entity: "Ship",
    step(ship, steer, context) {
      if (context.tick < newest) throw new Error("not again");
      newest = context.tick;
      fly(ship, steer, context);
    },
  });
  arena.play(2000);
  assert.deepEqual(arena.errors, []);
  arena.interfere = once(() => (arena.ship.hp = 80));
  arena.play(1000);
  assert.match(arena.errors.map(({ reason }) => reason).join(), /not again/);
  assert.deepEqual([arena.errors.length, arena.game.status, arena.server.reported], [1, "playing", []]);
});

/** Each makes a prediction impossible in its own way. */
/** @type {[what: string, options: any, message: RegExp, arena?: import("./kit/arena.js").ArenaOptions][]} */
const IMPOSSIBLE = [
  ["a class that is not there", { entity: "Boat", step: fly }, /"Boat".*Ship, Bullet, Rock/],
  ["a class that is not marked", { entity: "Ship", step: fly }, /@entity\(predicted=True\)/, { isMarked: false }],
  ["an entity of somebody else", { entity: (/** @type {any} */ g) => g.one("Rock"), step: fly }, /Rock 2 is not this player's/],
  ["a place of fields that are not there", { entity: "Ship", step: fly, positions: ["x", "z"] }, /"z"/],
  ["a value that its field cannot hold", { entity: "Ship", step: (/** @type {any} */ ship) => (ship.x = NaN) }, /Ship\.x is NaN/],
  ["a field that is not there", { entity: "Ship", step: (/** @type {any} */ ship) => (ship.speed = 1) }, /speed/],
  ["a spawn of fields that are not there", { entity: "Ship", step: (/** @type {any} */ _, /** @type {any} */ __, /** @type {any} */ { spawn }) => spawn("Bullet", { speed: 1 }) }, /"speed".*born/],
];

for (const [what, options, message, arenaOptions] of IMPOSSIBLE) {
  test(`${what} is an error that says so, and the page lives on`, () => {
    const arena = new Arena(arenaOptions);
    const { entity } = options;
    arena.game.predict(typeof entity === "function" ? { ...options, entity: () => entity(arena.game) } : options);
    arena.play(1000);
    assert.match(arena.errors[0].reason, message);
    assert.equal(arena.errors.length, 1);
    assert.deepEqual([arena.game.status, arena.own.view.x, arena.server.reported], ["playing", 60, []]);
  });
}

test("predict without a step, or without an entity, is an error at its line", () => {
  const { game } = new Arena();
  assert.throws(() => game.predict(/** @type {any} */ ({ entity: "Ship" })), { name: "UsageError", message: /step/ });
  assert.throws(() => game.predict(/** @type {any} */ ({ step: fly })), { name: "UsageError", message: /entity/ });
  assert.equal(game.prediction, null);
});

test("an error that nobody listens to is reported to the browser", () => {
  const arena = new Arena();
  arena.game.predict({ entity: "Boat", step: fly });
  arena.silence();
  arena.play(1000);
  assert.deepEqual([arena.errors.length, arena.server.reported.length], [0, 1]);
});

test("a shot is shown in the frame of the key press, once, and handed over to the real bullet", () => {
  const arena = predicting({ oneWayMs: 75 }).play(2000);
  arena.play(17, () => (arena.game.input.fire = true));
  assert.equal(arena.told.length, 1);
  const [what, name, tick] = arena.told[0];
  assert.deepEqual([what, name], ["predicted", "Bullet"]);
  arena.play(1000, () => (arena.game.input.fire = false));
  assert.deepEqual(arena.told.slice(1), [["confirmed", "Bullet", tick, 4]]);
  const bullet = arena.game.entities.get(4);
  assert.equal(bullet?.born, tick);
});

test("when the real bullet is added, the shot is already confirmed, with the same values", () => {
  const arena = predicting({ oneWayMs: 75 }).play(2000);
  /** @type {any[]} */
  const order = [];
  /** @type {any} */
  let shot;
  arena.game.on("predicted", (event) => (shot = event));
  arena.game.on("confirmed", (event) => order.push(["confirmed", event === shot]));
  arena.game.on("added", (/** @type {any} */ bullet) => order.push(["added", shot.entity === bullet, Object.keys(shot.fields).every((name) => shot.fields[name] === bullet[name])]));
  arena.play(500, (now) => Object.assign(arena.game.input, { turn: 0.5, fire: now < 3200 }));
  assert.deepEqual(order, [["confirmed", true], ["added", true, true]]);
});

test("a shot that the server does not take is withdrawn, and its reload is put right", () => {
  const arena = predicting({ oneWayMs: 75 }).play(2000);
  arena.isLoaded = false;
  // Where nothing happens the server speaks once a second.
  arena.play(2000, (now) => (arena.game.input.fire = now < 3100));
  assert.equal(arena.toldKinds[0], "predicted");
  assert.equal(arena.toldKinds.includes("confirmed"), false);
  assert.equal(arena.toldKinds.filter((kind) => kind === "withdrawn").length, arena.toldKinds.length / 2);
  assert.equal(arena.prediction.state?.reload, 0);
});

test("a shot whose input came late is handed over to the bullet that the server fired a little later", () => {
  const arena = predicting({ oneWayMs: 30 }).play(3000);
  arena.stall(150);
  arena.play(17, () => (arena.game.input.fire = true));
  const [, , tick] = arena.told[0];
  arena.play(1000, (now) => (arena.game.input.fire = now < 4100));
  const born = arena.fired[0].born;
  assert.ok(born > tick, `predicted for ${tick}, fired in ${born}`);
  const first = arena.told.filter(([, , at]) => at === tick).map(([what]) => what);
  assert.deepEqual(first, ["predicted", "confirmed"]);
});

test("an event is told once, then confirmed with the state of its tick, or withdrawn with another one", () => {
  const arena = new Arena({ oneWayMs: 75 });
  arena.game.predict({
    entity: "Ship",
    step(ship, steer, context) {
      boosted(ship, steer, context);
      if (steer.boost) context.event("Boost", { vx: ship.vx });
    },
  });
  arena.play(2000);
  arena.game.press("boost");
  arena.play(500);
  assert.deepEqual(arena.toldKinds, ["predicted", "confirmed"]);
  assert.deepEqual([arena.prediction.corrections, arena.ship.vx > 1], [0, true]);
  arena.buffer.loses = true;
  arena.game.press("boost");
  arena.play(500);
  assert.deepEqual(arena.toldKinds, ["predicted", "confirmed", "predicted", "withdrawn"]);
  assert.equal(arena.prediction.corrections > 0, true);
});

test("a trigger whose input came late fires at the server's next tick, and the prediction follows", () => {
  const arena = new Arena({ oneWayMs: 30 });
  arena.game.predict({ entity: "Ship", step: boosted });
  arena.play(3000);
  arena.stall(150);
  arena.game.press("boost");
  arena.play(1000);
  assert.equal(arena.buffer.late > 0, true);
  assert.equal(arena.ship.vx > 0.5 && arena.ship.vx < 2, true, "the boost was not lost, and not doubled");
  const { corrections } = arena.prediction;
  arena.play(1000);
  assert.deepEqual([arena.prediction.corrections, arena.prediction.errorUnits], [corrections, 0]);
});

test("through a stall every 5 s nothing is fired twice, no shot is left in doubt, and all is as predicted again within a second", () => {
  const arena = predicting({ oneWayMs: 40 });
  const hands = busyHands(arena);
  arena.play(3000, hands);
  for (let round = 0; round < 6; round++) {
    arena.stall(400);
    arena.play(1400, hands);
    const { corrections } = arena.prediction;
    arena.play(3600, hands);
    assert.equal(arena.prediction.corrections, corrections, `round ${round}`);
  }
  arena.play(1000, () => (arena.game.input.fire = false));
  assert.equal(arena.toldKinds.filter((kind) => kind === "predicted").length, arena.toldKinds.filter((kind) => kind !== "predicted").length);
  const handed = arena.told.filter(([what]) => what === "confirmed").map(([, , , id]) => id);
  assert.equal(new Set(handed).size, handed.length);
});

test("a growing lead makes the picture glide, not jump", () => {
  const arena = predicting({ oneWayMs: 30 });
  arena.ship.y = 10;
  const hands = () => Object.assign(arena.game.input, { thrust: true, turn: 1 });
  arena.play(3000, hands);
  arena.oneWayMs = 100;
  let largest = 0;
  let { x, y } = arena.own.view;
  arena.play(3000, hands, () => {
    largest = Math.max(largest, Math.hypot(arena.own.view.x - x, arena.own.view.y - y));
    ({ x, y } = arena.own.view);
  });
  assert.ok(arena.buffer.late > 0);
  assert.ok(largest < 1.5, `${largest} units in a frame`);
});

test("switched off it is drawn as the others are, switched on it goes on", () => {
  const arena = predicting({ oneWayMs: 75 });
  const hands = () => (arena.game.input.turn = 0.5);
  arena.play(2000, hands);
  const { prediction } = arena;
  prediction.enabled = false;
  arena.play(1000, hands);
  assert.deepEqual([prediction.tick, prediction.state, prediction.entity, prediction.pendingTicks], [null, null, null, 0]);
  const behind = arena.own.view.heading;
  prediction.enabled = true;
  arena.play(1000, hands);
  assert.notEqual(prediction.tick, null);
  assert.deepEqual([prediction.corrections, arena.errors], [0, []]);
  assert.notEqual(arena.own.view.heading, behind);
});

test("after a lost connection it begins anew, and the picture glides on from where it was", () => {
  const arena = predicting({ oneWayMs: 40 });
  arena.ship.y = 10;
  const hands = () => (arena.game.input.turn = 0.5);
  arena.play(2000, hands);
  arena.interfere = once(() => (arena.ship.vx = 10));
  arena.play(500, hands);
  /** @type {any[]} */
  const states = [];
  arena.game.on("status", ({ status }) => states.push(status, arena.prediction.state));
  arena.server.socket.end(1006);
  let largest = 0;
  let { x } = arena.own.view;
  arena.play(1500, hands, () => {
    largest = Math.max(largest, Math.abs(arena.own.view.x - x));
    ({ x } = arena.own.view);
  });
  assert.deepEqual(states.slice(-2), ["playing", null]);
  assert.ok(largest < 1, `${largest} units in a frame`);
  const { corrections } = arena.prediction;
  arena.play(3000, hands);
  assert.deepEqual([arena.prediction.corrections, arena.prediction.errorUnits], [corrections, 0]);
});

test("shots that are under way when the connection is lost are withdrawn", () => {
  const arena = predicting({ oneWayMs: 75 }).play(2000);
  arena.play(17, () => (arena.game.input.fire = true));
  arena.server.socket.end(1006);
  arena.play(1000, () => (arena.game.input.fire = false));
  assert.deepEqual(arena.toldKinds, ["predicted", "withdrawn"]);
});

test("ticks wrap at 2^32 without a mistake", () => {
  const arena = predicting({ oneWayMs: 75, tick: 2 ** 32 - 90 });
  const hands = busyHands(arena);
  arena.play(6000, hands);
  assert.ok(arena.tick > 2 ** 32 + 60);
  assert.ok(Number(arena.prediction.tick) < 200);
  assert.deepEqual([arena.prediction.corrections, arena.toldKinds.includes("withdrawn")], [0, false]);
});

test("when the server is silent for long the ship stands still at last instead of flying off", () => {
  const arena = predicting({ oneWayMs: 40 });
  arena.ship.vx = 2;
  arena.play(2000);
  arena.stall(7000);
  arena.play(5000);
  const { x } = arena.own.view;
  arena.play(1000);
  assert.equal(arena.own.view.x, x);
  arena.play(4000);
  assert.deepEqual([arena.prediction.state?.x, arena.game.status], [arena.ship.x, "playing"]);
});

/** Does something in one tick. @param {() => void} action */
function once(action) {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}
