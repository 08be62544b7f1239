// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { PredictedEvents } from "../../client_demo/web/sdk/predicted_events.js";

/** @typedef {import("../../client_demo/web/sdk/stepper.js").Raised} Raised */

/** A ledger, and what it told. */
class Ledger {
  /** @type {any[][]} */
  told = [];
  isInDoubt = false;
  /** @param {(entity: any, event: any) => boolean} [match] */
  constructor(match) {
    this.events = new PredictedEvents((what, { key, tick, entity }) => this.told.push([what, key, tick, ...(entity ? [entity.id] : [])]), (entity, field) => /** @type {any} */ (entity)[field.name], match);
  }

  /** Simulate ticks, with what they raise as [tick, key]. @param {[number, number]} ticks @param {...[number, string]} raised */
  follow(ticks, ...raised) {
    this.events.follow(ticks, raised.map(([tick, key]) => ({ name: "Flash", key, tick, fields: { tick }, isSpawn: false, wire: new Map() })), this.isInDoubt);
  }

  /** The same, of bullets. @param {[number, number]} ticks @param {...[number, string]} raised */
  spawn(ticks, ...raised) {
    const field = /** @type {any} */ ({ name: "born" });
    this.events.follow(ticks, raised.map(([tick, key]) => ({ name: "Bullet", key, tick, fields: { born: tick }, isSpawn: true, wire: new Map([[field, tick]]) })), this.isInDoubt);
  }

  /** @param {number} id @param {number} born */
  adopt(id, born) {
    this.events.adopt(/** @type {any} */ ({ id, type: "Bullet", born }));
  }
}

test("what is raised again by a replay is told once", () => {
  const ledger = new Ledger();
  ledger.follow([10, 12], [11, "11"]);
  ledger.follow([11, 13], [11, "11"]);
  ledger.events.judge(10, true);
  ledger.events.judge(11, true);
  ledger.events.judge(12, true);
  assert.deepEqual(ledger.told, [["predicted", "11", 11], ["confirmed", "11", 11]]);
});

test("what a replay does not raise again is withdrawn at once, what it raises later moves", () => {
  const ledger = new Ledger();
  ledger.follow([10, 12], [11, "11"], [12, "12"]);
  ledger.follow([11, 13], [13, "13"]);
  assert.deepEqual(ledger.told, [["predicted", "11", 11], ["predicted", "12", 12], ["withdrawn", "12", 12]]);
  ledger.events.judge(13, true);
  assert.deepEqual(ledger.told.at(-1), ["confirmed", "13", 13]);
});

test("ticks that were not simulated again keep what they raised", () => {
  const ledger = new Ledger();
  ledger.follow([10, 12], [11, "11"]);
  ledger.follow([12, 14]);
  assert.deepEqual(ledger.told, [["predicted", "11", 11]]);
});

test("when the server's state went otherwise, what was to happen until then moves to where the replay has it", () => {
  const ledger = new Ledger();
  ledger.spawn([10, 20], [11, "11"], [18, "18"]);
  ledger.isInDoubt = true;
  ledger.spawn([12, 20], [12, "12"], [19, "19"]);
  ledger.events.judge(11, false);
  ledger.adopt(5, 12);
  ledger.adopt(6, 19);
  assert.deepEqual(ledger.told, [["predicted", "11", 11], ["predicted", "18", 18], ["confirmed", "12", 12, 5], ["confirmed", "19", 19, 6]]);
});

test("what waits in doubt is not what is raised later in play", () => {
  const ledger = new Ledger();
  ledger.spawn([10, 20], [11, "11"]);
  ledger.events.judge(11, false);
  ledger.spawn([21, 22], [21, "21"]);
  assert.deepEqual(ledger.told.map(([what, key]) => [what, key]), [["predicted", "11"], ["predicted", "21"]]);
});

test("an event whose state went otherwise is withdrawn", () => {
  const ledger = new Ledger();
  ledger.follow([10, 12], [11, "11"], [12, "12"]);
  ledger.events.judge(11, false);
  assert.deepEqual(ledger.told.slice(2), [["withdrawn", "11", 11]]);
});

test("an event with a key of its own is the same in whatever tick it is raised", () => {
  const ledger = new Ledger();
  ledger.follow([10, 12], [11, "jump"]);
  ledger.follow([11, 13], [13, "jump"]);
  ledger.events.judge(12, true);
  ledger.events.judge(13, true);
  assert.deepEqual(ledger.told, [["predicted", "jump", 11], ["confirmed", "jump", 13]]);
});

test("a spawn is confirmed by its entity, and no replay predicts it a second time", () => {
  const ledger = new Ledger();
  ledger.spawn([10, 12], [11, "11"], [12, "12"]);
  ledger.adopt(5, 12);
  ledger.adopt(6, 99);
  ledger.spawn([12, 13], [12, "12"]);
  ledger.events.judge(12, false);
  assert.deepEqual(ledger.told, [["predicted", "11", 11], ["predicted", "12", 12], ["confirmed", "12", 12, 5]]);
});

test("a spawn whose state is as predicted but that did not come has ended already", () => {
  const ledger = new Ledger();
  ledger.spawn([10, 12], [11, "11"]);
  ledger.events.judge(11, true);
  assert.deepEqual(ledger.told.at(-1), ["withdrawn", "11", 11]);
});

test("a spawn whose state went otherwise waits for an entity that the page takes for it, for 8 ticks", () => {
  const ledger = new Ledger((bullet, { fields }) => bullet.born - fields.born < 8);
  ledger.spawn([10, 20], [11, "11"], [18, "18"]);
  ledger.events.judge(11, false);
  ledger.adopt(5, 14);
  assert.deepEqual(ledger.told.at(-1), ["confirmed", "11", 11, 5]);
  ledger.events.judge(25, false);
  assert.equal(ledger.told.length, 3);
  ledger.events.judge(26, false);
  assert.deepEqual(ledger.told.at(-1), ["withdrawn", "18", 18]);
});

test("what is in doubt when nothing is predicted any more is withdrawn, what is settled is not", () => {
  const ledger = new Ledger();
  ledger.spawn([10, 12], [11, "11"], [12, "12"]);
  ledger.adopt(5, 11);
  ledger.events.clear();
  assert.deepEqual(ledger.told.slice(2), [["confirmed", "11", 11, 5], ["withdrawn", "12", 12]]);
  ledger.events.judge(30, true);
  assert.equal(ledger.told.length, 4);
});
