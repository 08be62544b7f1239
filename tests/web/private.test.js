// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { ProtocolError } from "../../client_demo/web/sdk/errors.js";
import { decodeMessage } from "../../client_demo/web/sdk/messages.js";
import { Replica } from "../../client_demo/web/sdk/replica.js";
import { bytesOf, despawn, moveShips, privately, schema, SHIP, snapshot, spawnShips } from "./kit/wire.js";

/** A replica to feed with messages. */
class Fed {
  replica = new Replica(schema());

  /** @param {...Uint8Array} messages */
  take(...messages) {
    for (const bytes of messages) {
      const message = decodeMessage(bytes);
      if (message.type === "snapshot") this.replica.snapshot(message);
      else if (message.type === "private") this.replica.private(message);
      else assert.fail(message.type);
    }
    return this;
  }

  /** @param {number} id @returns {[ammo: any, secret: any]} */
  secrets(id) {
    const [ammo, secret] = this.replica.schema.entities[SHIP].privateFields;
    return [this.replica.own.wire(id, ammo), this.replica.own.decoded(id, secret)];
  }
}

test("private values may come before the snapshot that spawns their entity", () => {
  const fed = new Fed().take(privately(100, [3], [[3, 0b11, 4, bytesOf("key")]]), snapshot(100, 0, spawnShips({ 3: 0, 5: 0 })));
  assert.deepEqual(fed.secrets(3), [4, "key"]);
  assert.deepEqual(fed.secrets(5), [10, ""]);
  assert.ok(fed.replica.own.owned.has(3));
});

test("rows are absolute and change only the fields in their mask", () => {
  const fed = new Fed().take(privately(100, [3], [[3, 0b11, 4, bytesOf("key")]]), snapshot(100, 0, spawnShips({ 3: 0 })), privately(101, null, [[3, 0b1, 2]]));
  assert.deepEqual(fed.secrets(3), [2, "key"]);
  assert.equal(fed.replica.privateLog.length, 1);
});

test("what is no longer owned falls back to its defaults", () => {
  const fed = new Fed().take(privately(100, [3, 5], [[3, 1, 4], [5, 1, 6]]), snapshot(100, 0, spawnShips({ 3: 0, 5: 0 })), privately(101, [5], []));
  assert.deepEqual(fed.secrets(3), [10, ""]);
  assert.deepEqual(fed.secrets(5), [6, ""]);
  assert.deepEqual(fed.replica.privateLog.map(([id]) => id), [3]);
});

test("what is despawned is forgotten", () => {
  const fed = new Fed().take(privately(100, [3], [[3, 1, 4]]), snapshot(100, 0, spawnShips({ 3: 0 })), snapshot(101, 1, despawn(SHIP, [3])));
  assert.deepEqual(fed.secrets(3), [10, ""]);
});

test("a full snapshot keeps only what the private message of its tick said", () => {
  const fed = new Fed().take(privately(100, [3, 5], [[3, 1, 4], [5, 0b11, 6, bytesOf("old")]]), snapshot(100, 0, spawnShips({ 3: 0, 5: 0 })));
  fed.take(privately(105, [5], [[5, 0b1, 7]]), snapshot(105, 0, spawnShips({ 3: 0, 5: 0 })));
  assert.deepEqual(fed.secrets(3), [10, ""]);
  assert.deepEqual(fed.secrets(5), [7, ""]);
  fed.take(snapshot(110, 0, spawnShips({ 3: 0, 5: 0 })));
  assert.equal(fed.replica.own.owned.size, 0);
  assert.deepEqual(fed.secrets(5), [10, ""]);
});

test("private values that make no sense are protocol errors, and only a full snapshot helps then", () => {
  /** @type {Record<string, [owned: any, rows: any]>} */
  const cases = {
    "a stranger's row": [null, [[5, 1, 4]]],
    "a row that is no array": [null, [3]],
    "an empty row": [null, [[]]],
    "a missing value": [null, [[3, 1]]],
    "a value too many": [null, [[3, 1, 4, 4]]],
    "a mask beyond the fields": [null, [[3, 4, 4]]],
    "a value out of range": [null, [[3, 1, 11]]],
    "text for bytes": [null, [[3, 2, "key"]]],
    "bytes too long": [null, [[3, 2, new Uint8Array(9)]]],
    "bytes that are not UTF-8": [null, [[3, 2, Uint8Array.of(255)]]],
    "owned ids that descend": [[3, 1], []],
    "the owned id 0": [[0], []],
  };
  for (const [what, [owned, rows]] of Object.entries(cases)) {
    const fed = new Fed().take(privately(100, [3], []), snapshot(100, 0, spawnShips({ 3: 0, 5: 0 })));
    assert.throws(() => fed.take(privately(101, owned, rows)), ProtocolError, what);
    assert.equal(fed.replica.heldTick, null, what);
    assert.equal(fed.replica.snapshot({ type: "snapshot", tick: 102, age: 2, groups: [moveShips([0], [1])] }), "ignored");
  }
});
