// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { diagnose, isMixedContent } from "../../client_demo/web/sdk/diagnosis.js";
import { closedBecause, SENTENCES } from "../../client_demo/web/sdk/reasons.js";
import { Page, settled } from "./kit/session.js";

const HEALTHY = { status: 200, text: '{"ok": true, "rooms": 1}' };
const STUCK = { status: 503, text: '{"ok": false}' };
const PLAIN_ON_TLS = { status: 426, text: "This port speaks TLS: use https:// and wss:// instead." };
const OTHER = { status: 200, text: "<!doctype html>" };
const UNREADABLE = { status: 0, text: "" };
const HEALTH = "http://game.test/healthz";
const DOOR = "http://game.test/ws?origin=http%3A%2F%2Fgame.test";
const TLS_HEALTH = "https://game.test/healthz";
const TLS_DOOR = "https://game.test/ws?origin=http%3A%2F%2Fgame.test";

/** @param {string} url @param {Record<string, import("../../client_demo/web/sdk/diagnosis.js").Answer>} answers */
function reasonFor(url, answers, { origin = "http://game.test", isOnline = true } = {}) {
  return diagnose(url, { ask: (asked) => Promise.resolve(answers[asked] ?? null), origin, isOnline: () => isOnline });
}

/** What answers there, and what that means. */
/** @type {[string, string, Record<string, any>, string][]} */
const CASES = [
  ["nobody", "ws://game.test/ws", {}, "not there"],
  ["nobody, by TLS", "wss://game.test/ws", {}, "not there"],
  ["a server whose pages these are not", "ws://game.test/ws", { [HEALTH]: HEALTHY, [DOOR]: { status: 403, text: "" } }, "origin refused"],
  ["a proxy without upgrades", "ws://game.test/ws", { [HEALTH]: HEALTHY, [DOOR]: { status: 426, text: "" } }, "upgrade lost"],
  ["the same behind TLS", "wss://game.test/ws", { [TLS_HEALTH]: HEALTHY, [TLS_DOOR]: { status: 426, text: "" } }, "upgrade lost"],
  ["a server with another path", "ws://game.test/ws", { [HEALTH]: HEALTHY, [DOOR]: { status: 404, text: "" } }, "wrong path"],
  ["a proxy that keeps the path to itself", "ws://game.test/ws", { [HEALTH]: HEALTHY }, "wrong path"],
  ["a full server", "ws://game.test/ws", { [HEALTH]: HEALTHY, [DOOR]: { status: 503, text: "" } }, "too busy"],
  ["too many from here", "ws://game.test/ws", { [HEALTH]: HEALTHY, [DOOR]: { status: 429, text: "" } }, "too busy"],
  ["a server with a stuck room", "ws://game.test/ws", { [HEALTH]: STUCK }, "not well"],
  ["another web server", "ws://game.test/ws", { [HEALTH]: OTHER }, "not tickwire"],
  ["another web server that says nothing to this page", "ws://game.test/ws", { [HEALTH]: UNREADABLE }, "not tickwire"],
  ["other JSON", "ws://game.test/ws", { [HEALTH]: { status: 200, text: "null" } }, "not tickwire"],
  ["a port for TLS that says so", "ws://game.test/ws", { [HEALTH]: PLAIN_ON_TLS }, "needs tls"],
  ["a port for TLS that does not", "ws://game.test/ws", { [TLS_HEALTH]: HEALTHY }, "needs tls"],
  ["a port without TLS", "wss://game.test/ws", { [HEALTH]: HEALTHY }, "no tls"],
  ["a certificate that the browser refuses", "wss://game.test/ws", { [HEALTH]: PLAIN_ON_TLS }, "not private"],
  ["the same of another server", "wss://game.test/ws", { [HEALTH]: UNREADABLE }, "not private"],
];

for (const [what, url, answers, why] of CASES) {
  test(`${what}: ${why}`, async () => assert.equal(await reasonFor(url, answers), why));
}

test("a server below a path is asked there", async () => {
  const answers = { "http://game.test/a/healthz": HEALTHY, "http://game.test/a/ws?origin=http%3A%2F%2Fgame.test": { status: 403, text: "" } };
  assert.equal(await reasonFor("ws://game.test/a/ws?x=1", answers), "origin refused");
});

test("a device without a network asks nobody", async () => {
  assert.equal(await reasonFor("ws://game.test/ws", { [HEALTH]: HEALTHY }, { isOnline: false }), "offline");
});

test("a page that came by https opens ws only on its own machine", async () => {
  assert.equal(await reasonFor("ws://game.test/ws", {}, { origin: "https://game.test" }), "mixed content");
  for (const host of ["localhost", "127.0.0.1", "[::1]", "a.localhost"]) assert.equal(isMixedContent(`ws://${host}:8000/ws`, "https://game.test"), false);
  assert.equal(isMixedContent("ws://game.test/ws", "http://game.test"), false);
  assert.equal(isMixedContent("wss://game.test/ws", "https://game.test"), false);
  assert.equal(isMixedContent("ws://game.test/ws", undefined), false);
});

test("a page hears why it can not connect, once that is known", async () => {
  const page = new Page();
  page.server.answers = { [HEALTH]: HEALTHY, [DOOR]: { status: 403, text: "" } };
  page.server.connected = (socket) => socket.end(1006);
  /** @type {any[]} */
  const heard = [];
  page.game.on("status", ({ status, why, reason }) => heard.push([status, why, reason]));
  page.server.time.advance(100);
  await settled();
  const words = ["origin refused", SENTENCES["origin refused"]];
  assert.deepEqual(heard, [["connecting", "", ""], ["reconnecting", "not there", SENTENCES["not there"]], ["reconnecting", ...words]]);
  assert.equal(page.told("status").at(-1)?.[3], 150, "what is left of the pause");
  heard.length = 0;
  page.server.time.advance(200);
  assert.deepEqual(heard, [["connecting", "", ""], ["reconnecting", ...words]], "known already");
});

test("what was found out holds until a connection came about", async () => {
  const page = new Page();
  page.server.answers = { [HEALTH]: OTHER };
  page.server.connected = (socket) => socket.end(1006);
  page.server.time.advance(100);
  await settled();
  assert.equal(page.told("status").at(-1)?.[2], SENTENCES["not tickwire"]);
  page.server.connected = (socket) => socket.accept();
  page.server.time.advance(1000);
  assert.equal(page.game.status, "playing");
  page.server.connected = (socket) => socket.end(1006);
  page.socket.end(1006);
  page.server.time.advance(600);
  assert.equal(page.told("status").at(-1)?.[2], SENTENCES["not there"]);
});

test("only each fourth failure is looked into", async () => {
  const page = new Page();
  page.server.connected = (socket) => socket.end(1006);
  for (let i = 0; i < 300; i++) {
    page.server.time.advance(100);
    await settled();
  }
  const tries = page.server.sockets.length;
  assert.ok(tries > 8);
  assert.equal(page.server.asked.length, 2 * Math.ceil(tries / 4));
});

test("without reconnect the game ends for the reason that was found", async () => {
  const page = new Page({ reconnect: false });
  page.server.answers = { [HEALTH]: OTHER };
  page.server.connected = (socket) => socket.end(1006);
  page.server.time.advance(0);
  await settled();
  assert.deepEqual([page.ready.why, page.ready.reason], ["not tickwire", SENTENCES["not tickwire"]]);
});

test("a game that was left meanwhile stays left", async () => {
  for (const reconnect of [true, false]) {
    const page = new Page({ reconnect });
    page.server.connected = (socket) => socket.end(1006);
    page.server.time.advance(0);
    page.game.leave();
    await settled();
    assert.deepEqual(page.told("status").at(-1)?.slice(0, 2), ["closed", 4000]);
  }
});

test("a connection that was open is lost, and nobody is asked", async () => {
  const page = new Page().join();
  /** @type {string[]} */
  const whys = [];
  page.game.on("status", ({ why }) => whys.push(why));
  page.socket.end(1006);
  page.server.time.advance(100);
  await settled();
  assert.deepEqual(whys, ["lost"]);
  assert.deepEqual(page.server.asked, []);
});

test("a close has the name of its code", () => {
  const page = new Page();
  /** @type {string[]} */
  const whys = [];
  page.game.on("status", ({ why }) => whys.push(why));
  page.answer = (socket) => socket.end(4041, "16 of 16.");
  page.server.time.advance(100);
  assert.equal(whys.at(-1), "room full");
});

test("the reasons and the names of close codes are those of the protocol page, and each has a sentence", () => {
  const page = readFileSync(new URL("../../shared/tickwire_shared/PROTOCOL.md", import.meta.url), "utf8");
  const reasons = page.split("| reason | meaning |")[1].split("\n\n")[0];
  const names = [...reasons.matchAll(/^\| ([a-z ]+) \|/gm)].map((match) => match[1]);
  assert.deepEqual(Object.keys(SENTENCES), names);
  for (const sentence of Object.values(SENTENCES)) assert.match(sentence, /^[A-Z].*\.$/);
  const codes = [...page.matchAll(/^\| (4\d{3}) \| ([a-z ]+) \|/gm)];
  assert.ok(codes.length >= 18);
  for (const [, code, name] of codes) assert.equal(closedBecause(Number(code)), name);
  assert.equal(closedBecause(1006), "lost");
});
