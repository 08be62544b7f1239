// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { ColumnReader } from "../../client_demo/web/sdk/columns.js";
import { ProtocolError } from "../../client_demo/web/sdk/errors.js";
import { fromHex, joined } from "./kit/wire.js";

/** @param {string | Uint8Array} ints @param {unknown} widths @param {number} columns @param {number} count */
function read(ints, widths, columns, count) {
  const reader = new ColumnReader(typeof ints === "string" ? fromHex(ints) : ints, widths, columns, count);
  return Array.from({ length: columns }, () => {
    const out = new Float64Array(count);
    reader.next(out);
    return [...out];
  });
}

test("each width holds its least and greatest difference", () => {
  assert.deepEqual(read("7f80ff", 0, 1, 3), [[127, -128, -1]]);
  assert.deepEqual(read("ff00fe" + "87" + "0f", 1, 1, 3), [[2047, -2048, -2]]);
  assert.deepEqual(read("ff7f0080", 2, 1, 2), [[32767, -32768]]);
  assert.deepEqual(read("ffffff7f00000080", 3, 1, 2), [[2 ** 31 - 1, -(2 ** 31)]]);
  assert.deepEqual(read("0000000000001000ffffffffffffffff", 4, 1, 2), [[2 ** 52, -1]]);
});

test("12 bits put the earlier nibble in the low half", () => {
  assert.deepEqual(read("010203" + "54" + "06", 1, 1, 3), [[0x401, 0x502, 0x603]]);
});

test("columns follow each other, their widths in one number in base 5", () => {
  assert.deepEqual(read("01" + "0200" + "03", 0 + 2 * 5 + 0 * 25, 3, 1), [[1], [2], [3]]);
});

test("20 columns have their widths in a number, 21 in bytes", () => {
  const codes = Array.from({ length: 21 }, (_, i) => i % 5);
  const parts = codes.map((code) => new Uint8Array([1, 2, 2, 4, 8][code]).fill(1, 0, 1));
  const widths = codes.slice(0, 20).reduce((sum, code, i) => sum + code * 5 ** i, 0);
  assert.deepEqual(read(joined(...parts.slice(0, 20)), widths, 20, 1), new Array(20).fill([1]));
  assert.deepEqual(read(joined(...parts), Uint8Array.from(codes), 21, 1), new Array(21).fill([1]));
});

test("no columns have the widths 0 and no bytes", () => {
  assert.deepEqual(read("", 0, 0, 5), []);
});

test("widths and bytes that don't belong together are protocol errors", () => {
  /** @type {[string, unknown, number, number][]} */
  const cases = [
    ["00", 0, 1, 2], ["0000", 0, 1, 1], ["00", 5, 1, 1], ["00", -1, 1, 1], ["00", null, 1, 1], ["00", 0.5, 1, 1], ["00", Uint8Array.of(0), 1, 1], ["00", 1, 0, 0],
    ["00".repeat(21), 0, 21, 1], ["00".repeat(21), new Uint8Array(20), 21, 1], ["00".repeat(21), new Uint8Array(21).fill(5), 21, 1],
  ];
  for (const [ints, widths, columns, count] of cases) assert.throws(() => read(ints, widths, columns, count), ProtocolError, `${ints} ${String(widths)}`);
  assert.throws(() => read("00" + "10", 1, 1, 1), ProtocolError, "a stray nibble");
  assert.throws(() => read("00000000000020ff", 4, 1, 1), ProtocolError, "beyond 2^53");
});
