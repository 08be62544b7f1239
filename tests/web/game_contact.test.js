// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { firstContact } from "../../client_demo/web/game/contact.js";

const ORIGIN = { x: 0, y: 0 };

test("a point that flies at a disc touches its edge, wherever on the way that is", () => {
  assert.equal(firstContact(ORIGIN, { x: 10, y: 0 }, { x: 5, y: 0 }, 1), 0.4);
  assert.equal(firstContact(ORIGIN, { x: 10, y: 0 }, { x: 5, y: 3 }, 5), 0.1);
});

test("a disc that is beside the way, behind its start or beyond its end is missed", () => {
  assert.equal(firstContact(ORIGIN, { x: 10, y: 0 }, { x: 5, y: 3 }, 2.9), null);
  assert.equal(firstContact(ORIGIN, { x: 10, y: 0 }, { x: -3, y: 0 }, 1), null);
  assert.equal(firstContact(ORIGIN, { x: 10, y: 0 }, { x: 12, y: 0 }, 1), null);
  assert.equal(firstContact(ORIGIN, ORIGIN, { x: 3, y: 0 }, 1), null);
});

test("a way that starts inside touches at once", () => {
  assert.equal(firstContact(ORIGIN, { x: 10, y: 0 }, { x: 0.5, y: 0 }, 1), 0);
});
