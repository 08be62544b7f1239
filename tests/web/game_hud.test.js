// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { clockFace, grade } from "../../client_demo/web/game/hud.js";
import { figures, milliseconds } from "../../client_demo/web/game/netgraph.js";
import { evened } from "../../client_demo/web/game/palette.js";
import { Resolution } from "../../client_demo/web/game/resolution.js";
import { places } from "../../client_demo/web/game/scoreboard.js";
import { wishes } from "../../client_demo/web/game/start.js";
import { sentence } from "../../client_demo/web/game/status.js";
import { fit } from "../../client_demo/web/game/words.js";

/** @param {number} id @param {number} score @param {boolean} [mine] */
function ship(id, score, mine = false) {
  const pose = { x: 0, y: 0, heading: 0 };
  const rest = { thrust: false, hp: 100, alive: true, shield: false, name: `p${id}`, hue: 0, vx: 0, vy: 0, reload: 0 };
  return { id, type: "Ship", mine, score, view: pose, ...pose, ...rest };
}

test("the scoreboard lists the best first, and who came first of equals", () => {
  const listed = places([ship(1, 2), ship(2, 5), ship(3, 2)], 8);
  assert.deepEqual(listed.map((place) => [place.rank, place.ship.id]), [[1, 2], [2, 1], [3, 3]]);
});

test("the own place is listed even when it is far down, with its true rank", () => {
  const listed = places([ship(1, 9), ship(2, 8), ship(3, 7), ship(4, 0, true)], 3);
  assert.deepEqual(listed.map((place) => [place.rank, place.ship.id]), [[1, 1], [2, 2], [4, 4]]);
});

test("the clock shows minutes and seconds, and never less than zero", () => {
  assert.deepEqual([180, 59.2, 9, 0, -3].map(clockFace), ["3:00", "1:00", "0:09", "0:00", "0:00"]);
});

test("a hull is good, worn or low", () => {
  assert.deepEqual([1, 0.5, 0.2].map(grade), ["good", "worn", "low"]);
});

test("milliseconds are whole from ten on, and a dash while there are none", () => {
  assert.deepEqual([4.26, 7, 31.7, NaN].map(milliseconds), ["4.3 ms", "7 ms", "32 ms", "– ms"]);
});

test("the net graph names tick, traffic, round trip and interval", () => {
  const stats = { tick: 812, bytesPerSecond: 1440, rttMs: 31, jitterMs: 2, snapshotIntervalMs: 33.4, snapshotsPerSecond: 29.9, late: 0 };
  assert.deepEqual(Object.fromEntries(figures(stats)), {
    tick: "812", in: "1.4 kB/s", "round trip": "31 ms", jitter: "2 ms", interval: "33 ms", snapshots: "30/s",
  });
});

test("the banner is empty while all is well, and otherwise a sentence with the reason", () => {
  assert.equal(sentence({ status: "playing" }), "");
  assert.equal(sentence({ status: "connecting" }), "Connecting…");
  assert.equal(sentence({ status: "joining" }), "Connecting…");
  assert.equal(sentence({ status: "closed", reason: "every seat is taken" }), "Every seat is taken.");
  assert.equal(sentence({ status: "reconnecting", reason: "", retryInMs: 2100 }), "The connection was lost. Trying again in 3 s.");
  assert.equal(sentence({ status: "reconnecting", reason: "The server stops.", retryInMs: 0 }), "The server stops. Trying again…");
});

test("the address may name the player and the room, and start at once", () => {
  assert.deepEqual(wishes("?name=Ada&auto=1&room=x7"), { name: "Ada", auto: true, room: "x7" });
  assert.deepEqual(wishes(""), { name: null, auto: false, room: null });
});

test("words are cut to their bytes at a whole character", () => {
  assert.equal(fit("  Grace   Hopper ", 24), "Grace Hopper");
  assert.equal(fit("é".repeat(20), 7), "ééé");
  assert.equal(fit("🚀🚀", 7), "🚀");
});

test("drawing becomes coarser on a slow machine, one step at a time, and not for a hiccup", () => {
  const resolution = new Resolution();
  for (let i = 0; i < 30; i++) resolution.frame(1 / 20);
  for (let i = 0; i < 60; i++) resolution.frame(1 / 60);
  assert.equal(resolution.share, 1);
  for (let i = 0; i < 45; i++) resolution.frame(1 / 20);
  assert.equal(resolution.share, 0.8);
  for (let i = 0; i < 900; i++) resolution.frame(1 / 20);
  assert.equal(resolution.share, 0.5);
});

test("a tab that slept does not count as a slow machine", () => {
  const resolution = new Resolution();
  for (let i = 0; i < 500; i++) resolution.frame(5);
  assert.equal(resolution.share, 1);
});

test("blue is lightened on dark, yellow and green are darkened on light", () => {
  assert.ok(evened(245, "dark") > 8 && evened(60, "dark") === 0);
  assert.ok(evened(110, "light") < -8 && evened(245, "light") > 0);
});
