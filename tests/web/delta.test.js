// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { applyDelta, ChangeLog } from "../../client_demo/web/sdk/delta.js";
import { ProtocolError } from "../../client_demo/web/sdk/errors.js";
import { State } from "../../client_demo/web/sdk/state.js";
import { bytesOf, column16, despawn, joined, MATCH, moveShips, ROCK, schema, SHIP, spawnShips } from "./kit/wire.js";

/** A state with ships 1, 2, 4, 9 at x 10, 20, 40, 90. */
function fleet() {
  const state = new State(schema());
  applyDelta(state, [spawnShips({ 1: 10, 2: 20, 4: 40, 9: 90 })], 100, new ChangeLog());
  return state;
}

/** @param {State} state the x of all ships, by id */
function shipsOf(state) {
  return Object.fromEntries(state.tables[SHIP].rows.map((row) => [row.id, row.wire[0]]));
}

test("a spawned entity has its class's defaults in the fields that the group leaves out", () => {
  const state = fleet();
  assert.deepEqual(state.find(4)?.wire, [40, 0, 100, bytesOf(""), 0]);
  assert.equal(state.tick, 100);
});

test("an update names all rows, a bitmap of rows, or gap-coded rows", () => {
  const state = fleet();
  const log = new ChangeLog();
  applyDelta(state, [moveShips(null, [1, 1, 1, 1]), moveShips(Uint8Array.of(0b1010), [5, 6]), moveShips([0, 2], [-2, -3])], 101, log);
  assert.deepEqual(shipsOf(state), { 1: 9, 2: 26, 4: 38, 9: 97 });
  assert.deepEqual(log.updated.map((row) => row.id), [1, 2, 4, 9, 2, 9, 1, 4]);
  assert.ok(log.fields.every((fields) => fields.length === 1 && fields[0].name === "x"));
});

test("rows are counted among the survivors, and spawns come in sorted by id", () => {
  const state = fleet();
  const log = new ChangeLog();
  applyDelta(state, [despawn(SHIP, [1, 4]), moveShips([0, 1], [1, 2]), spawnShips({ 3: 30, 12: 120 })], 101, log);
  assert.deepEqual(state.tables[SHIP].rows.map((row) => row.id), [2, 3, 9, 12]);
  assert.deepEqual(shipsOf(state), { 2: 21, 3: 30, 9: 92, 12: 120 });
  assert.deepEqual(log.despawned, [1, 4]);
  assert.deepEqual(log.spawned.map((row) => row.id), [3, 12]);
});

test("angles wrap both ways", () => {
  const state = fleet();
  const turn = (/** @type {number[]} */ values) => [0, null, 0b10, 2, column16(values)];
  applyDelta(state, [turn([-1, 511, -512, 0])], 101, new ChangeLog());
  assert.deepEqual(state.tables[SHIP].rows.map((row) => row.wire[1]), [1023, 511, 512, 0]);
  applyDelta(state, [turn([2, -512, 511, 0])], 102, new ChangeLog());
  assert.deepEqual(state.tables[SHIP].rows.map((row) => row.wire[1]), [1, 1023, 1023, 0]);
});

test("int columns come before byte columns, and byte columns are absolute", () => {
  const state = fleet();
  applyDelta(state, [[0, [1], 0b11101, 2 + 5 * 2 + 25 * 2, joined(column16([3]), column16([-40]), column16([9])), [bytesOf("Ada")]]], 101, new ChangeLog());
  assert.deepEqual(state.find(2)?.wire, [23, 0, 60, bytesOf("Ada"), 9]);
  assert.equal(state.find(2)?.decoded[3], "Ada");
});

test("names are copied out of the message they came in", () => {
  const state = fleet();
  const message = bytesOf("Ada");
  applyDelta(state, [[0, [0], 0b1000, 0, new Uint8Array(), [message]]], 101, new ChangeLog());
  message.fill(0);
  assert.deepEqual(state.find(1)?.wire[3], bytesOf("Ada"));
});

test("classes have their rows each for itself", () => {
  const state = fleet();
  applyDelta(state, [despawn(SHIP, [9]), [3 * ROCK + 1, [5], 1, 2, column16([7])], [3 * MATCH + 1, [6], 0, 0, new Uint8Array()]], 101, new ChangeLog());
  assert.deepEqual(state.tables.map((table) => table.rows.map((row) => row.id)), [[1, 2, 4], [5], [6]]);
});

test("a snapshot without groups only moves the tick", () => {
  const state = fleet();
  const log = new ChangeLog();
  applyDelta(state, [], 105, log);
  assert.equal(state.tick, 105);
  assert.deepEqual(log, new ChangeLog());
});

test("what breaks the protocol is refused and leaves no tick to build on", () => {
  const none = new Uint8Array();
  /** @type {Record<string, unknown[]>} */
  const cases = {
    "a group that is no array": [5],
    "an empty group": [[]],
    "a class that is not there": [[9, null, 0, 0, none]],
    "a negative tag": [[-1, null, 0, 0, none]],
    "a tag that is a map": [[Object.create(null), null, 0, 0, none]],
    "updates before despawns": [moveShips([0], [1]), despawn(SHIP, [1])],
    "a spawn before an update": [spawnShips({ 20: 1 }), moveShips([0], [1])],
    "two spawn groups of a class": [spawnShips({ 20: 1 }), spawnShips({ 21: 1 })],
    "two despawn groups of a class": [despawn(SHIP, [1]), despawn(SHIP, [2])],
    "classes out of order": [[3 * ROCK + 1, [5], 0, 0, none], moveShips([0], [1])],
    "a despawn of nothing": [despawn(SHIP, [3])],
    "a despawn in the wrong class": [despawn(ROCK, [1])],
    "a despawn with more": [[2, [1], 0]],
    "a second spawn of an id": [spawnShips({ 4: 1 })],
    "a spawn of an id of another class": [[3 * ROCK + 1, [4], 0, 0, none]],
    "the id 0": [[1, [0], 0, 0, none]],
    "an id twice": [[1, [20, 0], 0, 0, none]],
    "an id beyond u32": [[1, [2 ** 32 - 1, 1], 0, 0, none]],
    "ids that are no array": [[1, 20, 0, 0, none]],
    "ids that are maps": [[1, [Object.create(null)], 0, 0, none]],
    "a row beyond the last": [moveShips([4], [1])],
    "a row twice": [moveShips([1, 0], [1, 1])],
    "a row of half": [moveShips([0.5], [1])],
    "rows that are maps": [moveShips([Object.create(null)], [1])],
    "rows that are text": [moveShips("all", [1])],
    "a bitmap too long": [moveShips(Uint8Array.of(1, 0), [1])],
    "a bitmap with a row beyond the last": [moveShips(Uint8Array.of(0b10000), [1])],
    "a mask beyond the fields": [[0, [0], 32, 0, none]],
    "a mask of half": [[0, [0], 0.5, 0, none]],
    "a mask that is a map": [[0, [0], Object.create(null), 0, none]],
    "too few bytes": [[0, [0, 1], 1, 2, column16([1])]],
    "too many bytes": [[0, [0], 1, 2, column16([1, 1])]],
    "ints that are no bytes": [[0, [0], 1, 2, "ab"]],
    "a missing byte column": [[0, [0], 8, 0, none]],
    "a byte column too many": [[0, [0], 1, 2, column16([1]), [none]]],
    "a short byte column": [[0, [0, 1], 8, 0, none, [none]]],
    "a byte column of texts": [[0, [0], 8, 0, none, ["Ada"]]],
    "a name too long": [[0, [0], 8, 0, none, [new Uint8Array(25)]]],
    "a name that is not UTF-8": [[0, [0], 8, 0, none, [Uint8Array.of(255)]]],
    "a value below its range": [moveShips([0], [-11])],
    "a value above its range": [[0, [0], 4, 2, column16([1])]],
    "an angle the long way round": [[0, [0], 2, 2, column16([512])]],
  };
  for (const [what, groups] of Object.entries(cases)) {
    const state = fleet();
    assert.throws(() => applyDelta(state, groups, 101, new ChangeLog()), ProtocolError, what);
    assert.equal(state.tick, null, what);
  }
});

test("a delta for 300 entities that all move allocates no objects per entity", () => {
  const state = new State(schema());
  const ids = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [i + 1, 1000]));
  applyDelta(state, [spawnShips(ids)], 1, new ChangeLog());
  const rows = state.tables[SHIP].rows.map((row) => row.wire);
  applyDelta(state, [moveShips(null, new Array(300).fill(3))], 2, new ChangeLog());
  assert.ok(state.tables[SHIP].rows.every((row, i) => row.wire === rows[i] && row.wire[0] === 1003), "the same arrays, changed in place");
});
