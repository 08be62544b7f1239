// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { publicChecksum } from "../../client_demo/web/sdk/checksum.js";
import { ProtocolError } from "../../client_demo/web/sdk/errors.js";
import { decodeMessage } from "../../client_demo/web/sdk/messages.js";
import { Replica } from "../../client_demo/web/sdk/replica.js";
import { moveShips, schema, snapshot, spawnShips } from "./kit/wire.js";

/** @param {Replica} replica @param {Uint8Array} bytes */
function take(replica, bytes) {
  return replica.snapshot(/** @type {import("../../client_demo/web/sdk/messages.js").SnapshotMessage} */ (decodeMessage(bytes)));
}

/** A replica that holds ship 1 at x 10, at a tick. */
function holding(tick = 100) {
  const replica = new Replica(schema());
  take(replica, snapshot(tick, 0, spawnShips({ 1: 10 })));
  return replica;
}

test("a full snapshot replaces whatever is held", () => {
  const replica = holding();
  assert.equal(take(replica, snapshot(90, 0, spawnShips({ 2: 20 }))), "full");
  assert.deepEqual([...replica.state.rows()].map((row) => row.id), [2]);
  assert.equal(replica.heldTick, 90);
});

test("a delta fits when the tick held is at or after its base and before its end", () => {
  for (const [age, expected] of /** @type {const} */ ([[1, "unfit"], [4, "unfit"], [5, "delta"], [9, "delta"]])) {
    assert.equal(take(holding(), snapshot(105, age, moveShips([0], [1]))), expected, `age ${age}`);
  }
  assert.equal(take(holding(), snapshot(100, 5)), "unfit");
  assert.equal(take(holding(), snapshot(99, 5)), "unfit");
});

test("ticks are compared across the wrap", () => {
  const replica = holding(2 ** 32 - 2);
  assert.equal(take(replica, snapshot(1, 3, moveShips([0], [1]))), "delta");
  assert.equal(replica.heldTick, 1);
});

test("after a delta that does not fit, the next ones wait for a full snapshot", () => {
  const replica = holding();
  take(replica, snapshot(105, 2, moveShips([0], [1])));
  assert.equal(replica.heldTick, null);
  assert.equal(take(replica, snapshot(106, 1, moveShips([0], [1]))), "ignored");
  assert.equal(take(replica, snapshot(107, 0, spawnShips({ 1: 77 }))), "full");
  assert.equal(take(replica, snapshot(108, 1, moveShips([0], [1]))), "delta");
  assert.equal(replica.state.find(1)?.wire[0], 78);
});

test("a server that never sends the full snapshot is reported at last", () => {
  const replica = new Replica(schema());
  assert.throws(() => {
    for (let i = 0; i < 1000; i++) take(replica, snapshot(i, 1));
  }, ProtocolError);
});

test("a broken delta leaves nothing to build on, a broken full one keeps what is held", () => {
  const replica = holding();
  assert.throws(() => take(replica, snapshot(101, 0, moveShips([5], [1]))), ProtocolError);
  assert.equal(replica.heldTick, 100);
  assert.throws(() => take(replica, snapshot(101, 1, moveShips([5], [1]))), ProtocolError);
  assert.equal(replica.heldTick, null);
});

test("a checksum counts at the tick held or in a quiet time after it, not for the past", () => {
  const replica = holding();
  const right = publicChecksum(replica.state);
  const check = (/** @type {number} */ tick, /** @type {number} */ publicSum, /** @type {number | null} */ privateSum = null) => replica.agrees({ type: "check", tick, publicSum, privateSum });
  assert.equal(check(100, right), true);
  assert.equal(check(110, right, 0), true);
  assert.equal(check(100, right + 1), false);
  assert.equal(check(110, right, 1), false);
  assert.equal(check(99, right + 1), true);
  replica.awaitFull();
  assert.equal(check(100, right + 1), true, "nothing is trusted now anyway");
});
