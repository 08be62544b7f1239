// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { ProtocolError, UsageError } from "../../client_demo/web/sdk/errors.js";
import { decode, encode } from "../../client_demo/web/sdk/msgpack.js";
import { seededRandom } from "./kit/virtual.js";
import { fromHex, toHex } from "./kit/wire.js";

/** Values with the bytes that the msgpack specification gives them. */
/** @type {[unknown, string][]} */
const PAIRS = [
  [null, "c0"], [false, "c2"], [true, "c3"],
  [0, "00"], [127, "7f"], [128, "cc80"], [255, "ccff"], [256, "cd0100"], [65535, "cdffff"], [65536, "ce00010000"],
  [2 ** 32 - 1, "ceffffffff"], [2 ** 32, "cf0000000100000000"], [2 ** 53 - 1, "cf001fffffffffffff"],
  [-1, "ff"], [-32, "e0"], [-33, "d0df"], [-128, "d080"], [-129, "d1ff7f"], [-32768, "d18000"], [-32769, "d2ffff7fff"],
  [-(2 ** 31), "d280000000"], [-(2 ** 31) - 1, "d3ffffffff7fffffff"], [-(2 ** 52), "d3fff0000000000000"],
  [0.5, "cb3fe0000000000000"], [-1.25, "cbbff4000000000000"],
  ["", "a0"], ["hé", "a368c3a9"], ["x".repeat(32), "d920" + "78".repeat(32)], ["x".repeat(256), "da0100" + "78".repeat(256)],
  [Uint8Array.of(1, 2), "c4020102"], [new Uint8Array(256), "c50100" + "00".repeat(256)],
  [[], "90"], [[1, [2]], "92019102"], [new Array(16).fill(1), "dc0010" + "01".repeat(16)],
  [{}, "80"], [{ a: 1, b: null }, "82a16101a162c0"],
];

test("values and their bytes match the msgpack specification, both ways", () => {
  for (const [value, hex] of PAIRS) {
    assert.equal(toHex(encode(value)), hex);
    const decoded = decode(fromHex(hex));
    assert.equal(JSON.stringify(decoded), JSON.stringify(value));
    assert.equal(toHex(encode(decoded)), hex);
  }
});

test("messages of every length up to 2,000 bytes survive the writer's growing", () => {
  for (let length = 0; length < 2000; length++) {
    const value = ["x".repeat(length), 5, 300, 70_000, 0.5, [true]];
    assert.deepEqual(decode(encode(value)), value);
  }
});

test("longer than shortest forms and float32 are understood", () => {
  assert.equal(decode(fromHex("d30000000000000005")), 5);
  assert.equal(decode(fromHex("d3ffffffffffffffff")), -1);
  assert.equal(decode(fromHex("ca3f000000")), 0.5);
  assert.deepEqual(decode(fromHex("dd0000000101")), [1]);
});

test("what the protocol has no use for is a protocol error", () => {
  const cases = {
    "nothing at all": "", "a stray byte": "0000", "the reserved type": "c1", "an ext type": "d40100", "a cut integer": "cd01",
    "a cut text": "a568", "a cut bin": "c40501", "an array longer than its message": "ddffffffff01", "a map longer than its message": "dfffffffff",
    "text that is not UTF-8": "a1ff", "a map with a number as key": "810102", "a key twice": "82a16101a16102",
    "an integer beyond 2^53": "cf0020000000000000", "an integer below -2^53": "d3ffdfffffffffffff", "deep nesting": "91".repeat(40) + "c0",
  };
  for (const [what, hex] of Object.entries(cases)) assert.throws(() => decode(fromHex(hex)), ProtocolError, what);
});

test("the key __proto__ is a key like any other", () => {
  const map = /** @type {Record<string, unknown>} */ (decode(fromHex("81a95f5f70726f746f5f5f01")));
  assert.deepEqual(Object.keys(map), ["__proto__"]);
});

test("what cannot be sent is a usage error", () => {
  const loop = /** @type {unknown[]} */ ([]);
  loop.push(loop);
  for (const value of [undefined, () => {}, Symbol("s"), 10n, new Date(), loop, [undefined]]) assert.throws(() => encode(value), UsageError);
});

test("sorted keys are in the order of their UTF-8 bytes", () => {
  assert.equal(toHex(encode({ "\u{10000}": 1, "\uffff": 2, b: 3, a: 4, 10: 5 }, { sortKeys: true })), "85a2313005a16104a16203a3efbfbf02a4f090808001");
});

test("random bytes decode or fail with a protocol error, nothing else", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 24) }, () => random() * 256);
    try {
      decode(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
    }
  }
});
