// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { Lateness, mixAngles, RenderClock, Track } from "../../client_demo/web/sdk/interpolation.js";
import { seededRandom } from "./kit/virtual.js";
import { schema, SHIP } from "./kit/wire.js";

const SHIP_SPEC = schema().entities[SHIP];

/** A ship's track, fed with x and heading. */
class Course {
  context = { hz: 20, gap: 1, newest: 0, /** @type {Record<string, number>} */ snap: {} };
  /** @type {Record<string, any>} */
  #view = {};
  /** @type {Record<string, number>} */
  #now = {};
  /** @type {Track | null} */
  #track = null;

  /** @param {number} tick @param {number} x @param {number} [heading] */
  at(tick, x, heading = 0) {
    this.#now = { x, heading };
    this.context.newest = tick;
    const read = (/** @type {{name: string}} */ field) => this.#now[field.name];
    if (this.#track) this.#track.push(tick, read);
    else this.#track = new Track(SHIP_SPEC, tick, read);
    return this;
  }

  /** @param {number} tick */
  rest(tick) {
    this.context.newest = tick;
    return this;
  }

  /** @param {number} tick @returns {Record<string, number>} */
  view(tick) {
    this.#track?.sample(tick, this.context, this.#view);
    return this.#view;
  }
}

test("between two snapshots a value is in proportion", () => {
  const course = new Course().at(10, 5).at(11, 6).at(13, 8);
  assert.deepEqual([10, 10.5, 11, 12, 13].map((tick) => course.view(tick).x), [5, 5.5, 6, 7, 8]);
});

test("before the first sample and long after the last an entity stands", () => {
  const course = new Course().at(10, 5).at(11, 6);
  assert.equal(course.view(3).x, 5);
  assert.equal(course.rest(12).view(12).x, 6);
  assert.equal(course.rest(20).view(30).x, 6);
});

test("after the newest snapshot a moving entity keeps its course for 100 ms, within its range", () => {
  const course = new Course().at(10, 5).at(11, 6);
  assert.equal(course.view(12).x, 7);
  assert.equal(course.view(13).x, 8);
  assert.equal(course.view(17).x, 8);
  assert.equal(new Course().at(10, 118).at(11, 119.5).view(13).x, 120);
});

test("angles turn the short way round", () => {
  const course = new Course().at(10, 0, 6.2).at(11, 0, 0.1);
  const { heading } = course.view(10.5);
  assert.ok(Math.abs(heading - (0.1 + 6.2 - 2 * Math.PI) / 2) < 1e-9, `${heading}`);
  assert.ok(Math.abs(mixAngles(0.1, 6.2, 0.5) - mixAngles(6.2, 0.1, 0.5)) < 1e-9);
  for (const [from, to, share] of [[0, 6.28, 2.5], [6.28, 0, 2.5], [3, 3, 0.5]]) {
    const mixed = mixAngles(from, to, share);
    assert.ok(mixed >= 0 && mixed < 2 * Math.PI, `${mixed}`);
  }
});

test("an entity that was put elsewhere jumps there at its snapshot, and keeps no course from it", () => {
  const course = new Course().at(10, 5, 1).at(11, 60, 2);
  assert.deepEqual([course.view(10.9).x, course.view(10.9).heading], [5, 1], "all fields wait");
  assert.equal(course.view(11).x, 60);
  assert.equal(course.view(12).x, 60);
});

test("how far is elsewhere can be set by class, and grows with the time between the snapshots", () => {
  const course = new Course().at(10, 5).at(11, 9).at(13, 17);
  course.context.snap = { Ship: 4 };
  assert.equal(course.view(10.5).x, 7);
  assert.equal(course.view(12).x, 13);
  course.context.snap = { Ship: 3.9 };
  assert.equal(course.view(10.5).x, 5);
  assert.equal(course.view(12).x, 9);
});

test("only the last samples are kept, and sampling before them shows the oldest", () => {
  const course = new Course();
  for (let tick = 0; tick < 100; tick++) course.at(tick, tick);
  assert.equal(course.view(90.25).x, 90.25);
  assert.equal(course.view(10).x, 84);
});

/**
 * Draw against snapshots that arrive with jitter, and count the frames that had to run ahead of them.
 * @param {{trip: number, jitter: number, every?: number, seconds?: number}} link trip in ms, one way
 */
function play({ trip, jitter, every = 2, seconds = 60 }) {
  const hz = 30;
  const random = seededRandom(4);
  const lateness = new Lateness(every);
  const render = new RenderClock();
  /** @type {{tick: number, at: number}[]} */
  const arrivals = [];
  for (let tick = 0, last = 0; tick < seconds * hz; tick += every) {
    last = Math.max(last, (tick * 1000) / hz + trip + (random() * 2 - 1) * jitter);
    arrivals.push({ tick, at: last });
  }
  let newest = -1;
  let frames = 0;
  let underruns = 0;
  let fastest = 0;
  let delay = 0;
  for (let now = 200; now < seconds * 1000; now += 1000 / 60) {
    while (arrivals.length > 0 && arrivals[0].at <= now) {
      const { tick, at } = /** @type {{tick: number, at: number}} */ (arrivals.shift());
      lateness.arrived((at * hz) / 1000 - tick, newest < 0 ? 0 : tick - newest);
      newest = tick;
    }
    const before = render.tick;
    render.advance((now * hz) / 1000 - lateness.delay, 1000 / 60, hz);
    if (before !== null) fastest = Math.max(fastest, Math.abs((Number(render.tick) - before) / (hz / 60) - 1));
    if (now < 3000) continue;
    frames += 1;
    delay = (now * hz) / 1000 - Number(render.tick);
    if (Number(render.tick) > newest) underruns += 1;
  }
  return { underruns: underruns / frames, delayMs: (delay * 1000) / hz, fastest };
}

test("on an even link the delay is the trip, one snapshot and a little", () => {
  const { underruns, delayMs } = play({ trip: 50, jitter: 0 });
  assert.equal(underruns, 0);
  assert.ok(delayMs > 50 + 67 && delayMs < 50 + 67 + 20, `${delayMs} ms`);
});

test("with 40 ms of jitter fewer than 1 % of frames run ahead of the snapshots", () => {
  const { underruns, delayMs, fastest } = play({ trip: 75, jitter: 40 });
  assert.ok(underruns < 0.01, `${underruns}`);
  assert.ok(delayMs < 75 + 67 + 90, `${delayMs} ms`);
  assert.ok(fastest <= 0.0501, "the pace is never off by more than 5 %");
});

test("a single stall does not change the delay of everybody after it", () => {
  const lateness = new Lateness(1);
  for (let i = 0; i < 60; i++) lateness.arrived(2, 1);
  const before = lateness.delay;
  for (const late of [14, 13, 12, 11, 10]) lateness.arrived(late, 1);
  assert.equal(lateness.delay, before);
});

test("a halved snapshot rate is noticed, a quiet room does not count as a slow one", () => {
  const lateness = new Lateness(1);
  for (let i = 0; i < 9; i++) lateness.arrived(2, 2);
  assert.equal(lateness.gap, 2);
  for (let i = 0; i < 9; i++) lateness.arrived(2, 300);
  assert.equal(lateness.gap, 4);
});

test("the drawn tick jumps after a pause instead of running for minutes", () => {
  const render = new RenderClock();
  render.advance(100, 0, 20);
  assert.equal(render.tick, 100);
  render.advance(300, 16, 20);
  assert.equal(render.tick, 300);
  render.advance(295, 16, 20);
  assert.ok(Number(render.tick) > 300, "a small step back of the target only slows it down");
});
