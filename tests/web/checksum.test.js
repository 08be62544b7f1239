// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { Crc32, privateChecksum, publicChecksum } from "../../client_demo/web/sdk/checksum.js";
import { applyDelta, ChangeLog } from "../../client_demo/web/sdk/delta.js";
import { PrivateState } from "../../client_demo/web/sdk/private.js";
import { State } from "../../client_demo/web/sdk/state.js";
import { bytesOf, column16, MATCH, schema, spawnShips } from "./kit/wire.js";

/**
 * CRC-32 by its definition, bit by bit.
 * @param {Uint8Array} bytes
 */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** The bytes that section 8 describes: little-endian u32 and i64. */
class Layout {
  /** @type {number[]} */
  bytes = [];

  /** @param {...number} values */
  u32(...values) {
    this.bytes.push(...new Uint8Array(Uint32Array.from(values).buffer));
    return this;
  }

  /** @param {...number} values */
  i64(...values) {
    this.bytes.push(...new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer));
    return this;
  }

  /** @param {string} text */
  text(text) {
    this.u32(bytesOf(text).length).bytes.push(...bytesOf(text));
    return this;
  }

  get crc() {
    return crc32(Uint8Array.from(this.bytes));
  }
}

test("the CRC-32 is zlib's", () => {
  const crc = new Crc32();
  crc.bytes(bytesOf("123456789"));
  assert.equal(crc.value, 0xcbf43926);
  assert.equal(new Crc32().value, 0);
});

test("integers are written as little-endian i64, negative and beyond 32 bits too", () => {
  const values = [0, 1, -1, 2 ** 32, -(2 ** 32) - 5, 2 ** 52, -(2 ** 52)];
  const crc = new Crc32();
  for (const value of values) crc.i64(value);
  assert.equal(crc.value, new Layout().i64(...values).crc);
});

test("the public checksum covers classes with entities, column by column", () => {
  const state = new State(schema());
  assert.equal(publicChecksum(state), 0);
  const named = [0, [1], 0b1000, 0, new Uint8Array(), [bytesOf("Ada")]];
  applyDelta(state, [spawnShips({ 3: 30, 7: 70 }), [3 * MATCH + 1, [9], 1, 2, column16([5])]], 1, new ChangeLog());
  applyDelta(state, [named], 2, new ChangeLog());
  const layout = new Layout().u32(0, 2, 3, 7).i64(30, 70).i64(0, 0).i64(100, 100).text("").text("Ada").i64(0, 0).u32(2, 1, 9).i64(5);
  assert.equal(publicChecksum(state), layout.crc);
});

test("the private checksum covers what is owned and there, by id, defaults included", () => {
  const state = new State(schema());
  const own = new PrivateState();
  applyDelta(state, [spawnShips({ 3: 0, 7: 0 }), [3 * MATCH + 1, [9], 0, 0, new Uint8Array()]], 1, new ChangeLog());
  own.apply({ type: "private", tick: 1, owned: [3, 4, 2, 90], rows: [[7, 0b11, 4, bytesOf("key")]] }, state, () => {});
  assert.equal(privateChecksum(state, own), new Layout().u32(3).i64(10).text("").u32(7).i64(4).text("key").crc);
});
