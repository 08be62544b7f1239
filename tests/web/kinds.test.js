// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { ProtocolError, UsageError } from "../../client_demo/web/sdk/errors.js";
import { buildKind } from "../../client_demo/web/sdk/kinds.js";
import { bytesOf, toHex } from "./kit/wire.js";

/** @param {string} kind @param {Record<string, unknown>} [rest] */
function build(kind, rest = {}) {
  return buildKind({ kind, ...rest }, "Ship.field");
}

test("a quantized value is rounded half up to its steps and clamped to its range", () => {
  const kind = build("quantized", { min: -1, max: 1, step: 0.25, overflow: "clamp" });
  assert.deepEqual([kind.low, kind.high], [0, 8]);
  assert.deepEqual([-5, -1, -0.125, 0, 0.124, 0.125, 7].map((v) => kind.write(v, "")), [0, 0, 4, 4, 4, 5, 8]);
  assert.equal(kind.read(3), -0.25);
});

test("a quantized field that refuses names the value and its range", () => {
  const kind = build("quantized", { min: 0, max: 10, step: 1, overflow: "refuse" });
  assert.throws(() => kind.write(11, "Steer.turn"), { name: "UsageError", message: "Steer.turn is 11; it takes a number from 0 to 10." });
});

test("an angle wraps on writing", () => {
  const kind = build("angle", { bits: 8 });
  const values = [0, Math.PI, -Math.PI / 2, 2 * Math.PI, 7 * Math.PI].map((v) => kind.write(v, ""));
  assert.deepEqual(values, [0, 128, 192, 0, 128]);
  assert.equal(kind.read(64), Math.PI / 2);
  assert.ok(Object.is(kind.write(-2 * Math.PI, ""), 0), "never minus zero");
});

test("every other kind reads back what was written", () => {
  const entity = { id: 7 };
  /** @type {[import("../../client_demo/web/sdk/kinds.js").Kind, unknown, unknown][]} */
  const cases = [
    [build("integer", { min: -5, max: 5 }), -5, -5],
    [build("flag"), true, 1],
    [build("trigger"), false, 0],
    [build("choice", { names: ["red", "blue"] }), "blue", 1],
    [build("text", { max: 8 }), "hé", bytesOf("hé")],
    [build("blob", { max: 8 }), Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
  ];
  for (const [kind, value, wire] of cases) {
    assert.deepEqual(kind.write(value, ""), wire, kind.name);
    assert.deepEqual(kind.read(wire), value, kind.name);
  }
  assert.deepEqual([entity, 7, null].map((v) => build("ref", { of: null }).write(v, "")), [7, 7, 0]);
});

test("a packed map is written with sorted keys and read without a prototype", () => {
  const kind = build("packed", { max: 32 });
  const wire = /** @type {Uint8Array} */ (kind.write({ b: [1, null], a: "x" }, ""));
  assert.equal(toHex(wire), "82a161a178a1629201c0");
  assert.deepEqual({ ...kind.read(wire) }, { a: "x", b: [1, null] });
  assert.throws(() => kind.read(Uint8Array.of(5)), ProtocolError);
  assert.throws(() => kind.write("text", "Ship.tags"), UsageError);
});

test("wrong author values throw usage errors that name the field", () => {
  /** @type {[import("../../client_demo/web/sdk/kinds.js").Kind, unknown[]][]} */
  const cases = [
    [build("quantized", { min: 0, max: 1, step: 1 }), [NaN, Infinity, "1", null, undefined]],
    [build("angle", { bits: 4 }), [NaN, {}]],
    [build("integer", { min: 0, max: 9 }), [1.5, 10, -1, "1", NaN]],
    [build("flag"), [1, "yes", null]],
    [build("choice", { names: ["red"] }), ["blue", 0, undefined]],
    [build("ref", { of: null }), [-1, 1.5, "7", {}, undefined]],
    [build("text", { max: 4 }), [5, null, "five!"]],
    [build("blob", { max: 4 }), ["ab", [1], new Uint8Array(5)]],
    [build("packed", { max: 4 }), [1, [1, 2, 3, 4]]],
  ];
  for (const [kind, values] of cases) {
    for (const value of values) assert.throws(() => kind.write(value, "Chat.text"), (error) => error instanceof UsageError && error.message.startsWith("Chat.text"), `${kind.name} ${String(value)}`);
  }
});

test("a schema field that makes no sense is a protocol error", () => {
  const cases = [
    ["nosuch", {}], ["toString", {}], ["quantized", { min: 0, max: 1, step: 0 }], ["quantized", { min: 1, max: 0, step: 1 }],
    ["quantized", { min: 0, max: NaN, step: 1 }], ["quantized", { min: 0, max: 1e300, step: 1e-9 }], ["angle", { bits: 1 }], ["angle", { bits: 33 }], ["angle", {}],
    ["integer", { min: 0, max: 2 ** 53 }], ["integer", { min: 0.5, max: 2 }], ["choice", { names: [] }], ["choice", { names: [1] }], ["text", {}], ["blob", { max: -1 }],
  ];
  for (const [kind, rest] of cases) assert.throws(() => build(String(kind), /** @type {Record<string, unknown>} */ (rest)), ProtocolError, `${kind} ${JSON.stringify(rest)}`);
});
