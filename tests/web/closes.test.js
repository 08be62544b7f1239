// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { comebackAfter, describeClose, pauseBefore } from "../../client_demo/web/sdk/closes.js";

test("every close code of the protocol page has a sentence, and its range says what to do", () => {
  const page = readFileSync(new URL("../../shared/tickwire_shared/PROTOCOL.md", import.meta.url), "utf8");
  const codes = [...page.matchAll(/^\| (40\d\d) \|/gm)].map((match) => Number(match[1]));
  assert.ok(codes.length >= 18);
  for (const code of codes) {
    const error = describeClose(code, "", true);
    assert.match(error.reason, /^[A-Z].*\.$/);
    assert.notEqual(error.reason, describeClose(1006, "", true).reason, `${code}`);
    const expected = code === 4010 ? "rejoin" : code < 4020 ? "final" : code < 4040 ? "now" : "backoff";
    assert.equal(comebackAfter(code), expected);
    assert.equal(error.retry, expected !== "final");
  }
});

test("the server's own reason comes first", () => {
  assert.equal(describeClose(4006, "The arena is for members.", true).reason, "The arena is for members.");
});

test("a lost connection and a server that is not there have different sentences", () => {
  assert.equal(describeClose(1006, "", true).reason, "The connection to the server was lost.");
  assert.equal(describeClose(1006, "", false).reason, "The server does not answer.");
});

test("codes outside the ranges are met with backoff", () => {
  for (const code of [1000, 1001, 1006, 1011, 3000, 4060, 4999]) assert.equal(comebackAfter(code), "backoff");
});

test("pauses double up to 10 s, and the jitter is full", () => {
  const longest = Array.from({ length: 8 }, (_, attempt) => pauseBefore(attempt, () => 1));
  assert.deepEqual(longest, [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
  assert.equal(pauseBefore(5000, () => 0.5), 5000);
  assert.equal(pauseBefore(3, () => 0), 0);
});
