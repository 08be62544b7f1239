// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_UNDER_WAY_BYTES } from "../../client_demo/web/sdk/conditioner.js";
import { connect, LinkConditioner, UsageError } from "../../client_demo/web/sdk/tickwire.js";
import { FakeServer } from "./kit/server.js";
import { Page } from "./kit/session.js";

/** A socket behind a link, with a server that notes when what comes, and clocks from when it connected. */
class Line {
  server = new FakeServer();
  /** @type {[number, string][]} what arrived here, and when */
  here = [];
  /** @type {[number, string][]} what arrived at the server */
  there = [];
  /** @type {number[]} close codes heard */
  closes = [];
  isOpen = false;

  /** @param {LinkConditioner} link */
  constructor(link) {
    this.link = link;
    this.server.heard = (_, message) => this.there.push([this.now, String(message)]);
    this.began = this.server.time.now();
    this.socket = link.over(this.server.runtime()).open("ws://game.test");
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => (this.isOpen = true);
    this.socket.onmessage = ({ data }) => this.here.push([this.now, String(new Uint8Array(data)[0])]);
    this.socket.onclose = ({ code }) => this.closes.push(code);
  }

  get now() {
    return this.server.time.now() - this.began;
  }

  /** @param {number} ms */
  wait(ms) {
    this.server.time.advance(ms);
    return this;
  }

  /** The server sends so many bytes, the first of which is the number by which it is known. @param {number} number @param {number} [size] */
  receive(number, size = 1) {
    this.server.socket.deliver(Uint8Array.from({ length: size }, () => number));
    this.server.time.advance(0);
    return this;
  }

  /** Send a small message. @param {number} number */
  send(number) {
    this.socket.send(Uint8Array.of(number));
    this.server.time.advance(0);
    return this;
  }

  /** One numbered message every `everyMs`, for so long. @param {number} everyMs @param {number} forMs @param {number} [size] */
  stream(everyMs, forMs, size = 1) {
    for (let at = 0; at < forMs; at += everyMs) this.receive((at / everyMs) % 256, size).wait(everyMs);
    return this;
  }

  /** How long each message of a stream took. @param {number} everyMs @param {number} [from] when the first was sent */
  trips(everyMs, from = 0) {
    return this.here.map(([at], index) => at - from - index * everyMs);
  }
}

/** @param {number[]} numbers */
function isAscending(numbers) {
  return numbers.every((value, index) => index === 0 || value >= numbers[index - 1]);
}

test("a perfect link lets everything through at once, without a timer", () => {
  const line = new Line(new LinkConditioner()).wait(0).send(1).receive(2);
  assert.deepEqual([line.there, line.here, line.server.time.pending], [[[0, "1"]], [[0, "2"]], 0]);
});

test("the delay is that of each direction, and the handshake takes a round trip", () => {
  const line = new Line(new LinkConditioner({ delayMs: 75 })).wait(149);
  assert.equal(line.isOpen, false);
  line.wait(1);
  assert.equal(line.isOpen, true);
  line.send(1).receive(2).wait(1000);
  assert.deepEqual([line.there, line.here], [[[225, "1"]], [[225, "2"]]]);
});

test("a round trip of 150 ms shows as such in the game's clock", () => {
  const page = new Page({ link: LinkConditioner.ofRoundTrip(150) });
  page.server.time.advance(600);
  page.join();
  page.server.time.advance(3000);
  assert.ok(Math.abs(page.game.clock.rttMs - 150) < 1, `${page.game.clock.rttMs}`);
});

test("jitter stays within its bounds, uses them, and never changes the order", () => {
  const line = new Line(new LinkConditioner({ delayMs: 60, jitterMs: 20, seed: 3 })).stream(50, 30_000).wait(1000);
  const trips = line.trips(50);
  assert.equal(trips.length, 600);
  assert.ok(Math.min(...trips) >= 39.5 && Math.min(...trips) < 41, `${Math.min(...trips)}`);
  assert.ok(Math.max(...trips) <= 80.5 && Math.max(...trips) > 79, `${Math.max(...trips)}`);
  const mean = trips.reduce((sum, trip) => sum + trip) / trips.length;
  assert.ok(Math.abs(mean - 60) < 2, `${mean}`);
  const close = new Line(new LinkConditioner({ delayMs: 60, jitterMs: 50 })).stream(5, 1000).wait(1000);
  assert.deepEqual(close.here.map(([, number]) => Number(number)), Array.from({ length: 200 }, (_, index) => index));
});

test("more jitter than delay never makes a message arrive before it was sent", () => {
  const line = new Line(new LinkConditioner({ delayMs: 5, jitterMs: 50 })).stream(100, 10_000).wait(1000);
  assert.ok(Math.min(...line.trips(100)) >= 0);
});

test("the same seed gives the same jitter, another seed or connection another one", () => {
  const options = { delayMs: 60, jitterMs: 20 };
  /** @param {LinkConditioner} link */
  const trips = (link) => new Line(link).stream(50, 1000).wait(1000).trips(50);
  const link = new LinkConditioner({ ...options, seed: 5 });
  const first = trips(link);
  assert.deepEqual(trips(new LinkConditioner({ ...options, seed: 5 })), first);
  assert.notDeepEqual(trips(new LinkConditioner({ ...options, seed: 6 })), first);
  assert.notDeepEqual(trips(link), first);
});

test("a stall holds everything up, then all of it comes at once", () => {
  const line = new Line(new LinkConditioner({ stallEveryMs: 5000, stallMs: 400 })).stream(100, 12_000).wait(1000);
  const held = line.trips(100).flatMap((trip, index) => (trip > 0 ? [[index * 100, trip]] : []));
  assert.deepEqual(held, [[5000, 400], [5100, 300], [5200, 200], [5300, 100], [10_000, 400], [10_100, 300], [10_200, 200], [10_300, 100]]);
});

test("a narrow line carries its bytes per second, and what waits pushes out what follows", () => {
  const line = new Line(new LinkConditioner({ bytesPerSecond: 2000 })).receive(1, 992).receive(2, 992).wait(700).receive(3, 192).wait(5000);
  assert.deepEqual(line.here, [[500, "1"], [1000, "2"], [1100, "3"]]);
});

test("changes hold for what is sent from then on, and nothing overtakes", () => {
  const line = new Line(new LinkConditioner({ delayMs: 500 })).receive(1).wait(10);
  line.link.change({ delayMs: 20 });
  line.receive(2);
  line.link.change({ delayMs: 0 });
  line.receive(3).wait(600).receive(4).wait(1000);
  assert.deepEqual(line.here, [[500, "1"], [500, "2"], [500, "3"], [610, "4"]]);
});

test("the close comes behind what was sent before it, in both directions", () => {
  const line = new Line(new LinkConditioner({ delayMs: 100 })).wait(300).receive(1);
  line.server.socket.end(4007);
  line.wait(99);
  assert.deepEqual([line.here, line.closes], [[], []]);
  line.wait(1);
  assert.deepEqual([line.here, line.closes], [[[400, "1"]], [4007]]);
  const other = new Line(new LinkConditioner({ delayMs: 100 })).wait(300).send(7).wait(1);
  other.socket.close(1000, "bye");
  other.wait(100);
  assert.deepEqual([other.there, other.server.socket.closedByClient], [[[400, "7"]], { code: 1000, reason: "bye" }]);
});

test("a line that can't carry what is sent breaks instead of filling the memory", () => {
  const line = new Line(new LinkConditioner({ bytesPerSecond: 1 })).wait(20_000);
  for (let sent = 0; sent < MAX_UNDER_WAY_BYTES; sent += 16_384) line.receive(1, 16_384 - 8);
  assert.deepEqual(line.closes, []);
  line.receive(2);
  assert.deepEqual(line.closes, [1006]);
  assert.notEqual(line.server.socket.closedByClient, null);
  assert.equal(line.receive(3).wait(1e6).server.time.pending, 0);
});

test("what has arrived does not count as under way", () => {
  const line = new Line(new LinkConditioner({ delayMs: 100 })).stream(50, 1500, 16_384).wait(1000);
  assert.deepEqual([line.here.length, line.closes], [30, []]);
});

test("a link that cannot be is refused with the value, and stays as it was", () => {
  const link = new LinkConditioner({ delayMs: 30, stallEveryMs: 5000, stallMs: 400 });
  const before = link.conditions;
  for (const [wrong, words] of /** @type {[any, RegExp][]} */ ([
    [{ delayMs: -1 }, /delayMs -1; use a number of milliseconds/],
    [{ jitterMs: NaN }, /jitterMs NaN/],
    [{ delayMs: "75" }, /delayMs "75"/],
    [{ delayMs: Infinity }, /delayMs Infinity/],
    [{ bytesPerSecond: 0 }, /bytesPerSecond 0; use a number above 0/],
    [{ delayMs: 1, stallMs: 5000 }, /5000 ms every 5000 ms never moves/],
    [{ loss: 3 }, /no "loss"; it has delayMs, jitterMs/],
  ])) {
    assert.throws(() => link.change(wrong), (error) => error instanceof UsageError && words.test(error.message), JSON.stringify(wrong));
  }
  assert.equal(link.conditions, before);
  assert.throws(() => connect("ws://game.test", { room: "arena", link: /** @type {any} */ ({ delayMs: 3 }) }), /got the link a map; give it a new LinkConditioner/);
});

test("trips on the line are in order whatever the conditions", () => {
  const line = new Line(new LinkConditioner({ delayMs: 40, jitterMs: 40, stallEveryMs: 1000, stallMs: 300, bytesPerSecond: 3000 }));
  line.stream(20, 5000, 30).wait(2000);
  assert.equal(line.here.length, 250);
  assert.ok(isAscending(line.here.map(([at]) => at)));
});
