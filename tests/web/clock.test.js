// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { ServerClock } from "../../client_demo/web/sdk/clock.js";
import { TickLine, tickDistance, wrapTick } from "../../client_demo/web/sdk/ticks.js";
import { seededRandom } from "./kit/virtual.js";

const HOUR_MS = 3_600_000;

/** A link to a server whose clock is `offset` ahead of ours and drifts. */
class Link {
  clock = new ServerClock();
  #random = seededRandom(3);

  /** @param {{offset?: number, drift?: number, up?: number, down?: number, jitter?: number}} link */
  constructor({ offset = 5000, drift = 0, up = 25, down = 25, jitter = 0 } = {}) {
    this.offset = offset;
    this.drift = drift;
    this.up = up;
    this.down = down;
    this.jitter = jitter;
    this.clock.begin({ tick: 100, time: this.server(0) - down, hz: 20 }, 0);
  }

  /** @param {number} now the server's true time at our time `now` */
  server(now) {
    return now * (1 + this.drift) + this.offset;
  }

  /** @param {number} t1 */
  ping(t1) {
    const there = t1 + this.up + this.#random() * this.jitter;
    const back = there + 2 + this.down + this.#random() * this.jitter;
    this.clock.exchange(t1, this.server(there), this.server(there + 2), back);
    return back;
  }

  /** The error of the estimate at our time `now`. @param {number} now */
  error(now) {
    return this.clock.serverNow(now) - this.server(now);
  }

  /** Ping every second and draw 60 frames a second. @param {number} from @param {number} to */
  run(from, to, frameMs = 1000 / 60) {
    let worst = 0;
    for (let second = from; second < to; second += 1000) {
      this.ping(second);
      for (let now = second; now < second + 1000; now += frameMs) {
        this.clock.advance(now);
        worst = Math.max(worst, Math.abs(this.error(now)));
      }
    }
    return worst;
  }
}

test("one exchange over an even link tells the offset exactly, and the round trip without the server's part", () => {
  const link = new Link();
  link.ping(0);
  assert.equal(link.error(60), 0);
  assert.equal(link.clock.rttMs, 50);
});

test("before the first exchange the time in WELCOME is the best guess", () => {
  const link = new Link();
  assert.equal(link.clock.isSynced, false);
  assert.equal(link.error(0), -25);
});

test("jitter of 40 ms each way leaves the offset within a quarter of it", () => {
  const link = new Link({ jitter: 40 });
  link.run(0, 20_000);
  const worst = link.run(20_000, 80_000);
  assert.ok(worst < 10, `${worst} ms`);
});

test("a new offset is approached smoothly: time never runs backwards and never jumps", () => {
  const link = new Link();
  link.run(0, 5000);
  link.offset += 100;
  let last = link.clock.serverNow(5000);
  for (let now = 5000; now < 25_000; now += 20) {
    if (now % 1000 === 0) link.ping(now);
    link.clock.advance(now);
    const step = link.clock.serverNow(now) - last;
    assert.ok(now === 5000 || (step >= 19 && step <= 21.01), `a step of ${step}`);
    last = link.clock.serverNow(now);
  }
  assert.ok(Math.abs(link.error(25_000)) < 0.5);
});

test("an offset that was never right is put right at once", () => {
  const link = new Link();
  link.run(0, 3000);
  link.offset += 90_000;
  for (let now = 3000; now < 15_000; now += 1000) link.ping(now);
  assert.ok(Math.abs(link.error(15_000)) < 1);
});

test("a clock that runs 50 ppm fast stays within 2 ms for 24 hours", () => {
  const link = new Link({ drift: -50e-6 });
  let worst = 0;
  for (let hour = 0; hour < 24; hour++) worst = Math.max(worst, link.run(hour * HOUR_MS, hour * HOUR_MS + 30_000, 100));
  assert.ok(worst < 2, `${worst} ms`);
});

test("a resumed connection to the same server keeps the offset, another server's clock replaces it", () => {
  const link = new Link();
  link.run(0, 3000);
  link.clock.begin({ tick: 160, time: link.server(3000) - 80, hz: 20 }, 3000);
  assert.equal(link.clock.isSynced, true);
  assert.ok(Math.abs(link.error(3000)) < 0.001);
  link.clock.begin({ tick: 5, time: 77, hz: 20 }, 3000);
  assert.equal(link.clock.isSynced, false);
  assert.equal(link.clock.serverNow(3000), 77);
});

test("the server's tick follows from the epoch, and steps with a new one", () => {
  const link = new Link();
  link.ping(0);
  assert.equal(link.clock.serverTick(1000), 100 + 20 + 0.5);
  link.clock.setEpoch(130, link.server(2000));
  assert.equal(link.clock.serverTick(2000), 130);
  assert.equal(link.clock.dueTime(130.5), link.server(2025));
});

test("a server's answer that claims to have taken longer than the trip does no harm", () => {
  const link = new Link();
  link.clock.exchange(0, 10, 10_000, 50);
  assert.equal(link.clock.rttMs, 0);
  assert.ok(Number.isFinite(link.clock.serverNow(50)));
});

test("ticks are compared the short way round, with fractions", () => {
  assert.equal(tickDistance(5, 3), 2);
  assert.equal(tickDistance(1, 2 ** 32 - 1), 2);
  assert.equal(tickDistance(2 ** 32 - 1, 1), -2);
  assert.equal(tickDistance(2 ** 31, 0), -(2 ** 31));
  assert.equal(tickDistance(0.5, 2 ** 32 - 0.5), 1);
  assert.equal(wrapTick(-1), 2 ** 32 - 1);
});

test("a tick line grows across the wrap, and looks back", () => {
  const line = new TickLine(2 ** 32 - 2);
  assert.deepEqual([2 ** 32 - 1, 3, 1, 2 ** 31].map((tick) => line.unwrap(tick)), [2 ** 32 - 1, 2 ** 32 + 3, 2 ** 32 + 1, 2 ** 32 + 2 ** 31]);
});
