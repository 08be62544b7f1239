// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { ProtocolError, UsageError } from "../../client_demo/web/sdk/errors.js";
import { decodeMessage, encodeEvent, encodeInput, encodeJoin, encodeLeave, encodePing, encodeResume, encodeResync, encodeView } from "../../client_demo/web/sdk/messages.js";
import { encode } from "../../client_demo/web/sdk/msgpack.js";
import { Schema } from "../../client_demo/web/sdk/schema.js";
import { seededRandom } from "./kit/virtual.js";
import { field, SCHEMA_MAP, toHex, welcome } from "./kit/wire.js";

test("client messages have the forms of the protocol page", () => {
  assert.equal(toHex(encodeJoin("join", "arena", null, { name: "A" })), "960101a46a6f696ea56172656e61c081a46e616d65a141");
  assert.equal(toHex(encodeResume("r", Uint8Array.of(7), 300, Uint8Array.of(1))), "960201a172c40107cd012cc40101");
  assert.equal(toHex(encodeInput(300, [16, 1, 0])), "9503cd012c100100");
  assert.equal(toHex(encodeEvent(1, [Uint8Array.of(65), 5])), "940401c4014105");
  assert.equal(toHex(encodePing(1.5)), "9205cb3ff8000000000000");
  assert.equal(toHex(encodeLeave()), "9106");
  assert.equal(toHex(encodeResync(9)), "920709");
  assert.equal(toHex(encodeView(1.5, 8.125)), "9308cb3ff8000000000000cc82");
  assert.equal(toHex(encodeView(null, null)), "9308c0c0");
  assert.equal(toHex(encodeView(null, -3)), "9308c000");
  assert.equal(toHex(encodeView(null, 1e9)), "9308c0cdffff");
});

test("join options and events that are too large are refused here", () => {
  assert.throws(() => encodeJoin("join", "arena", null, { text: "x".repeat(5000) }), UsageError);
  assert.throws(() => encodeEvent(0, [new Uint8Array(5000)]), UsageError);
});

test("server messages are read by name", () => {
  assert.deepEqual(decodeMessage(encode([2, 5, 1, [0]])), { type: "snapshot", tick: 5, age: 1, groups: [[0]] });
  assert.deepEqual(decodeMessage(encode([3, 5, null, []])), { type: "private", tick: 5, owned: null, rows: [] });
  assert.deepEqual(decodeMessage(encode([4, 1, 2, 3])), { type: "event", index: 1, values: [2, 3] });
  assert.deepEqual(decodeMessage(encode([5, 1, 2.5, 3])), { type: "pong", t1: 1, t2: 2.5, t3: 3 });
  assert.deepEqual(decodeMessage(encode([6, 1, 2, null])), { type: "check", tick: 1, publicSum: 2, privateSum: null });
  assert.deepEqual(decodeMessage(encode([7, 1, 2.5])), { type: "epoch", tick: 1, time: 2.5 });
  assert.deepEqual(decodeMessage(encode([8, 1, -2, 3, 4])), { type: "news", tick: 1, slack: -2, late: 3, refused: 4 });
  assert.deepEqual(decodeMessage(encode([9, 3, 4])), { type: "load", rung: 3, every: 4 });
  const message = decodeMessage(welcome({ unknown: 1 }));
  assert.ok(message.type === "welcome" && message.room === "room-1" && message.snapshotEvery === 1);
});

test("server messages of the wrong form are protocol errors", () => {
  const cases = [
    5, {}, [], ["2"], [0], [10], [1.5], ["toString"], [null], [Object.create(null)],
    [2], [2, 5], [2, -1, 0], [2, 2 ** 32, 0], [2, 1.5, 0], [2, "5", 0], [2, 5, null],
    [3, 5, null], [3, 5, 1, []], [3, 5, null, null], [3, 5, null, [], 1], [4], [4, null], [5, 1, 2], [5, 1, 2, NaN], [5, 1, 2, "3"],
    [6, 1, 2], [6, 1, null, null], [6, 1, 2, 2 ** 32], [7, 1], [7, 1, Infinity], [8, 1, 0.5, 0, 0], [8, 1, 0, -1, 0], [8, 1, 0, 0],
    [9], [9, 1], [9, 4, 1], [9, 1, 0], [9, -1, 1], [9, 1, 1.5], [9, 1, 1, 1],
    [1], [1, []], [1, {}],
  ];
  for (const message of cases) assert.throws(() => decodeMessage(encode(message)), ProtocolError, JSON.stringify(message));
  const keys = ["protocol", "room", "type", "player", "token", "hz", "snapshot_every", "tick", "time", "hash", "resumed", "hold"];
  for (const key of keys) for (const value of [null, -1.5, [], Object.create(null)]) {
    if (key === "time" && value === -1.5) continue;
    assert.throws(() => decodeMessage(welcome({ [key]: value })), ProtocolError, `${key} ${JSON.stringify(value)}`);
  }
  for (const hz of [0, -1, Infinity]) assert.throws(() => decodeMessage(welcome({ hz })), ProtocolError);
});

test("a schema of the wrong form is a protocol error", () => {
  const x = field("x", "flag");
  const one = (/** @type {unknown} */ fields, /** @type {unknown} */ flags = []) => ({ entities: [{ name: "A", flags, fields }], input: null, events: [] });
  const cases = [
    null, [], {}, { entities: 1, input: null, events: [] }, { ...SCHEMA_MAP, events: null }, { ...SCHEMA_MAP, input: 5 }, { ...SCHEMA_MAP, entities: [5] },
    one(null), one([5]), one([x], null), one([x], [5]), one([x, x]), one([{ ...x, name: "" }]), one([{ ...x, to: "team" }]), one([{ ...x, default: 2 }]), one([{ ...x, default: null }]),
    one([field("t", "text", { max: 2, default: Uint8Array.of(255) })]), one([field("t", "text", { max: 2, default: new Uint8Array(3) })]),
    one(["id"].map((name) => field(name, "flag"))), one(["view"].map((name) => field(name, "flag"))), one(["__proto__"].map((name) => field(name, "flag"))),
    one(Array.from({ length: 49 }, (_, i) => field(`f${i}`, "flag"))),
    { ...one([x]), entities: [...one([x]).entities, ...one([x]).entities] },
    { ...one([x]), input: { name: "I", flags: [], fields: [field("t", "text", { max: 2, default: new Uint8Array() })] } },
    { ...one([x]), input: { name: "I", flags: [], fields: [{ ...x, to: "owner" }] } },
    { ...one([x]), events: [{ name: "E", flags: [], fields: [{ ...x, to: "owner" }] }] },
  ];
  for (const map of cases) assert.throws(() => Schema.parse(map), ProtocolError, JSON.stringify(map));
  const widest = [...Array.from({ length: 48 }, (_, i) => field(`f${i}`, "flag")), ...Array.from({ length: 48 }, (_, i) => field(`g${i}`, "flag", { to: "owner" }))];
  const spec = Schema.parse(one(widest, ["unknown"])).entities[0];
  assert.equal(spec.select(2 ** 48 - 1).ints.length, 48);
  assert.deepEqual(spec.select(2 ** 47 + 1).all.map((f) => f.name), ["f0", "f47"]);
});

test("mutated messages decode or fail with a protocol error, nothing else", () => {
  const random = seededRandom(2);
  const valid = [welcome(), encode([2, 5, 1, [0, null, 1, 2, new Uint8Array(4)]]), encode([3, 5, [1, 2], [[1, 1, 5]]]), encode([8, 1, -2, 3, 4])];
  for (let i = 0; i < 20_000; i++) {
    const bytes = valid[i % valid.length].slice();
    for (let k = 0; k < 3; k++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
    try {
      const message = decodeMessage(bytes);
      if (message.type === "welcome") Schema.parse(message.schema);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${String(error)} ${toHex(bytes)}`);
    }
  }
});
