// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { BULLET_SPEED, bulletAt, shortWay, ticksSince } from "../../client_demo/web/game/arena.js";
import { WIDTH } from "../../client_demo/web/game/flight.js";
import { Shots } from "../../client_demo/web/game/shots.js";
import { Timeline } from "../../client_demo/web/game/timeline.js";

const BULLET = { id: 7, type: "Bullet", mine: false, x: 10, y: 20, heading: 0, born: 100, by: null, ahead: 0, spent: 0 };

test("a bullet is its speed times its age from its launch", () => {
  assert.deepEqual(bulletAt(BULLET, 130, 30), { x: 10 + BULLET_SPEED, y: 20 });
  const down = bulletAt({ ...BULLET, heading: Math.PI / 2 }, 115, 30);
  assert.deepEqual(down, { x: 10, y: 20 + BULLET_SPEED / 2 });
});

test("a bullet launched ahead of the nose is where it would be had it left in the past", () => {
  assert.deepEqual(bulletAt({ ...BULLET, ahead: 7.5 }, 107.5, 30), { x: 10 + BULLET_SPEED / 2, y: 20 });
  assert.deepEqual(bulletAt({ ...BULLET, ahead: 7.5, spent: 5 }, 107.5, 30), { x: 10 + (BULLET_SPEED * 5) / 30, y: 20 });
});

test("ticks are counted across the end of their range", () => {
  assert.equal(ticksSince(3, 2 ** 32 - 2), 5);
  assert.equal(ticksSince(2 ** 32 - 2, 3), -5);
  assert.equal(ticksSince(0.5, 2 ** 32 - 1), 1.5);
});

test("an angle is brought to the short way round", () => {
  assert.ok(Math.abs(shortWay(2 * Math.PI - 0.1) + 0.1) < 1e-12);
  assert.ok(Math.abs(shortWay(-3 * Math.PI) + Math.PI) < 1e-12);
});

test("a bullet shows up when the picture reaches its launch, and stays until it reaches its end", () => {
  const shots = new Shots();
  shots.launch(BULLET);
  assert.equal(shots.at(99.5, 30).length, 0);
  assert.equal(shots.at(100, 30).length, 1);
  shots.end(BULLET.id, 110);
  assert.equal(shots.at(109.9, 30).length, 1);
  assert.equal(shots.at(110, 30).length, 0);
  assert.equal(shots.count, 0);
});

test("a bullet launched ahead shows up where it would have left the nose, and ends where it met something", () => {
  const shots = new Shots();
  shots.launch({ ...BULLET, ahead: 8, spent: 5 });
  assert.equal(shots.at(91.9, 30).length, 0);
  assert.equal(shots.at(92, 30)[0]?.x, 10);
  assert.equal(shots.at(96.9, 30).length, 1);
  assert.equal(shots.at(97, 30).length, 0);
});

test("a bullet whose end is never heard of goes by itself", () => {
  const shots = new Shots();
  shots.launch(BULLET);
  shots.at(150, 30);
  assert.equal(shots.count, 0);
});

/** @param {Partial<Record<string, any>>} [fields] @returns {any} a predicted bullet */
function predicted(fields) {
  return { name: "Bullet", key: "100/0", tick: 100, isSpawn: true, entity: null, fields: { x: 10, y: 20, heading: 0, born: 100, by: null, ...fields } };
}

const NOWHERE = { own: 0, news: 0, hz: 30 };

test("an own bullet flies on the own time, and goes on without a gap or a double when the real one takes over", () => {
  const shots = new Shots();
  const event = predicted();
  shots.predict(event);
  assert.equal(shots.at(92, 30, 99.9).length, 0);
  assert.deepEqual(shots.at(92, 30, 100).map(({ x }) => x), [10]);
  const before = shots.at(98, 30, 106).map(({ x }) => x);
  event.entity = { ...BULLET, ahead: 8 };
  shots.handOver(event);
  assert.deepEqual(shots.at(98, 30, 106).map(({ x }) => x), before);
  assert.deepEqual([shots.count, shots.has(event.entity)], [1, true]);
  assert.equal(shots.end(BULLET.id, 103), false);
  assert.equal(shots.at(102.9, 30, 110.9).length, 1);
  assert.equal(shots.at(103, 30, 111).length, 0, "11 ticks: the 3 of the server, and the 8 that it was ahead");
});

test("an own bullet that the server does not know is gone", () => {
  const shots = new Shots();
  const event = predicted();
  shots.predict(event);
  shots.withdraw(event);
  assert.deepEqual(shots.at(92, 30, 101), []);
  shots.handOver({ ...event, entity: BULLET });
  assert.equal(shots.count, 0);
});

test("a bullet that a replay moved to another tick moves along", () => {
  const shots = new Shots();
  const event = predicted();
  shots.predict(event);
  event.fields = { ...event.fields, born: 103 };
  shots.meet([], { ...NOWHERE, own: 103 });
  assert.deepEqual(shots.at(92, 30, 103).map(({ x }) => x), [10]);
});

test("an own bullet stops where it is seen to meet a ship, a rock or a wall, and is seen to end once", () => {
  for (const [disc, x] of /** @type {[any, number][]} */ ([[{ x: 30, y: 20.5, radius: 1.3 }, 28.8], [null, WIDTH]])) {
    const shots = new Shots();
    const event = predicted(disc ? {} : { x: WIDTH - 10 });
    shots.predict(event);
    /** @type {any[]} */
    const met = [];
    for (let own = 100; own < 116; own += 0.5) {
      met.push(...shots.meet(disc ? [disc] : [], { ...NOWHERE, own }));
      assert.equal(shots.at(0, 30, own).length, met.length > 0 ? 0 : 1);
    }
    assert.equal(met.length, 1);
    assert.ok(met[0].x >= x - 1e-9 && met[0].x < x + 1, `${met[0].x}`);
    event.entity = { ...BULLET, ahead: 8 };
    shots.handOver(event);
    assert.equal(shots.end(BULLET.id, 103), true);
  }
});

test("an own bullet that only seemed to meet something flies on once the server's is past it", () => {
  const shots = new Shots();
  const event = predicted();
  const ship = { x: 30, y: 20, radius: 1.2 };
  shots.predict(event);
  assert.equal(shots.meet([ship], { ...NOWHERE, own: 111 }).length, 1);
  event.entity = { ...BULLET, ahead: 8 };
  shots.handOver(event);
  shots.meet([ship], { ...NOWHERE, own: 115, news: 104 });
  assert.equal(shots.at(0, 30, 115).length, 0);
  assert.deepEqual(shots.meet([ship], { ...NOWHERE, own: 116, news: 105 }), []);
  assert.deepEqual(shots.at(0, 30, 116).map(({ x }) => x), [10 + (BULLET_SPEED * 16) / 30]);
});

test("a trail does not reach back behind the launch", () => {
  const shots = new Shots();
  shots.launch(BULLET);
  const [young] = shots.at(101, 30);
  assert.equal(young?.trail.x, 10);
});

test("what happens waits until the picture shows its tick, in the order it was given", () => {
  const timeline = new Timeline();
  /** @type {string[]} */
  const done = [];
  timeline.at(12, () => done.push("b"));
  timeline.at(10, () => done.push("a"));
  timeline.at(12, () => done.push("c"));
  timeline.advance(9.9);
  assert.deepEqual(done, []);
  timeline.advance(10);
  assert.deepEqual(done, ["a"]);
  timeline.advance(12.5);
  assert.deepEqual(done, ["a", "b", "c"]);
  timeline.advance(13);
  assert.equal(done.length, 3);
});

test("what lies impossibly far ahead happens at once", () => {
  const timeline = new Timeline();
  let done = false;
  timeline.at(5000, () => (done = true));
  timeline.advance(10);
  assert.ok(done);
});
