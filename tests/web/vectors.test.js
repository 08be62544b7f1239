// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { encode } from "../../client_demo/web/sdk/msgpack.js";
import { playVector, readVectors } from "./kit/vectors.js";
import { bytesOf, despawn, moveShips, privately, SCHEMA_MAP, SHIP, snapshot, spawnShips, toHex } from "./kit/wire.js";

/**
 * Made by hand, so that the reader of vectors itself is known to compare; the checksum is from Python's zlib.
 * @returns {import("./kit/vectors.js").Vector}
 */
function handmade() {
  const ship = { x: 64, heading: 0, hp: 100, name: "", target: 0 };
  return {
    schema: toHex(encode(SCHEMA_MAP)),
    steps: [
      { message: toHex(privately(5, [2], [[2, 2, bytesOf("key")]])) },
      { message: toHex(snapshot(5, 0, spawnShips({ 1: 64, 2: 128 }))), state: { Ship: { 1: ship, 2: { ...ship, x: 128, ammo: 10, secret: "6b6579" } } }, public: 861674091 },
      { message: toHex(snapshot(6, 1, despawn(SHIP, [2]), moveShips(null, [1]))), state: { Ship: { 1: { ...ship, x: 65 } } } },
    ],
  };
}

test("a vector made by hand is played and compared", () => {
  assert.equal(playVector(handmade()), 3);
});

test("a vector that does not hold fails", () => {
  const wrongs = [
    (/** @type {any} */ vector) => (vector.steps[1].state.Ship[1].x = 63),
    (/** @type {any} */ vector) => (vector.steps[1].state.Ship[2].secret = "00"),
    (/** @type {any} */ vector) => (vector.steps[1].state.Ship[3] = {}),
    (/** @type {any} */ vector) => delete vector.steps[1].state.Ship[1].hp,
    (/** @type {any} */ vector) => (vector.steps[2].state.Rock = { 4: {} }),
    (/** @type {any} */ vector) => (vector.steps[1].public += 1),
    (/** @type {any} */ vector) => vector.steps.splice(1, 1),
  ];
  for (const spoil of wrongs) {
    const vector = handmade();
    spoil(vector);
    assert.throws(() => playVector(vector), assert.AssertionError, String(spoil));
  }
});

for (const [name, vector] of readVectors(fileURLToPath(new URL("../vectors", import.meta.url)))) {
  test(`the vector ${name.replace(/^.*\//, "")} holds`, () => {
    assert.ok(playVector(vector) > 0, "it compares something");
  });
}

const corpus = process.env.TICKWIRE_CORPUS;
if (corpus) {
  test("every vector of the generated corpus holds", () => {
    const vectors = readVectors(corpus);
    assert.ok(vectors.length > 0, `${corpus} holds vectors`);
    for (const [name, vector] of vectors) assert.ok(playVector(vector) > 0, name);
  });
}
