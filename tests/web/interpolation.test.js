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
 * A link for snapshots: ms one way and its jitter, both by when it was sent; stalls; and ticks per snapshot.
 * @typedef {{trip: number | ((sent: number) => number), jitter?: number, every?: number, stallEvery?: number, stall?: number, seconds?: number, seed?: number}} TestLink
 */

/**
 * When each snapshot arrives: in order, late by jitter, held up by stalls.
 * @param {TestLink} link
 */
function arrivalsOver({ trip, jitter = 0, every = 1, stallEvery = Infinity, stall = 0, seconds = 60, seed = 4 }) {
  const random = seededRandom(seed);
  let last = 0;
  return Array.from({ length: (seconds * 30) / every }, (_, index) => {
    const sent = (index * every * 1000) / 30;
    const at = sent + (typeof trip === "number" ? trip : trip(sent)) + (random() * 2 - 1) * jitter;
    last = Math.max(last, at >= stallEvery && at % stallEvery < stall ? at - (at % stallEvery) + stall : at);
    return { tick: index * every, at: last };
  });
}

/**
 * Draw 60 frames a second against snapshots that arrive over a link.
 * @param {TestLink} link
 * @returns {{now: number, delayMs: number, isUnder: boolean, pace: number}[]} for each frame: how far in the past it shows,
 *   whether that was ahead of the newest snapshot, and how much faster or slower than time the picture ran
 */
function play(link) {
  const hz = 30;
  const lateness = new Lateness(link.every ?? 1);
  const render = new RenderClock();
  const arrivals = arrivalsOver(link);
  let newest = -1;
  const frames = [];
  for (let now = 200; arrivals.length > 0; now += 1000 / 60) {
    while (arrivals.length > 0 && arrivals[0].at <= now) {
      const { tick, at } = /** @type {{tick: number, at: number}} */ (arrivals.shift());
      lateness.arrived((at * hz) / 1000 - tick, newest < 0 ? 0 : tick - newest);
      newest = tick;
    }
    const before = lateness.isKnown ? render.tick : (render.tick = null);
    render.advance((now * hz) / 1000 - lateness.delay, 1000 / 60, hz);
    const tick = Number(render.tick);
    frames.push({ now, delayMs: now - (tick * 1000) / hz, isUnder: tick > newest, pace: before === null ? 0 : Math.abs((tick - before) / (hz / 60) - 1) });
  }
  return frames;
}

/** The share of frames after the first 3 s that had to run ahead of the snapshots. @param {ReturnType<typeof play>} frames */
function underruns(frames) {
  const judged = frames.filter(({ now }) => now >= 3000);
  return judged.filter(({ isUnder }) => isUnder).length / judged.length;
}

/** The frames from one time to another, in seconds. @param {ReturnType<typeof play>} frames @param {number} from @param {number} to */
function between(frames, from, to) {
  return frames.filter(({ now }) => now >= from * 1000 && now < to * 1000);
}

/** @param {ReturnType<typeof play>} frames */
function delays(frames) {
  const all = frames.map(({ delayMs }) => delayMs);
  return { least: Math.min(...all), most: Math.max(...all) };
}

test("on an even link the delay is the trip, one snapshot and a little", () => {
  const frames = play({ trip: 50, every: 2 });
  assert.equal(underruns(frames), 0);
  const { least, most } = delays(between(frames, 3, 60));
  assert.ok(least > 50 + 67 && most < 50 + 67 + 20, `${least} to ${most} ms`);
});

test("at a round trip of 150 ms with 40 ms of jitter each way fewer than 1 % of frames in 60 s run ahead of the snapshots", () => {
  for (const [seed, every] of [[1, 1], [2, 1], [3, 2], [4, 3]]) {
    const frames = play({ trip: 75, jitter: 40, every, seed });
    assert.ok(underruns(frames) < 0.01, `${underruns(frames)}`);
    const { most } = delays(between(frames, 3, 60));
    assert.ok(most < 75 + every * 33.4 + 2 * 40, `no more delay than that takes: ${most} ms`);
    assert.ok(Math.max(...between(frames, 3, 60).map(({ pace }) => pace)) <= 0.0501, "the pace is never off by more than 5 %");
  }
});

test("stalls of 400 ms every 5 s leave the delay as it was, and only cost the frames that they held up", () => {
  for (const jitter of [0, 20]) {
    const calm = delays(between(play({ trip: 75, jitter }), 3, 60));
    const frames = play({ trip: 75, jitter, stallEvery: 5000, stall: 400 });
    const { most } = delays(between(frames, 3, 60));
    assert.ok(most < calm.most + 10, `${most} ms, ${calm.most} ms without stalls`);
    const late = between(frames, 3, 60).filter(({ now, isUnder }) => isUnder && now % 5000 > 500);
    assert.deepEqual(late, [], "100 ms after a stall all is as before it");
  }
});

test("on a link that becomes a longer one, or a shorter one, the picture is settled within 3 s", () => {
  for (const [before, after] of [[15, 100], [100, 15]]) {
    const frames = play({ trip: (sent) => (sent < 10_000 ? before : after), jitter: 3, seconds: 20 });
    const { least, most } = delays(between(frames, 13, 20));
    assert.ok(least > after + 33 && most < after + 2 * 33.4 + 15, `${least} to ${most} ms`);
    assert.equal(between(frames, 12, 20).some(({ isUnder }) => isUnder), false);
    assert.ok(Math.max(...frames.map(({ pace }) => pace)) <= 0.2501, "without a jump");
  }
});

test("the first moments of a bad link are as good as the later ones", () => {
  const frames = between(play({ trip: 75, jitter: 20 }), 0.5, 3);
  assert.equal(frames.some(({ isUnder }) => isUnder), false);
});

test("what a stall held up counts once, by the first of it", () => {
  const lateness = new Lateness(1);
  for (let i = 0; i < 60; i++) lateness.arrived(2, 1);
  const before = lateness.delay;
  for (let late = 14; late > 2; late--) lateness.arrived(late, 1);
  assert.equal(lateness.delay, before);
  for (let i = 0; i < 60; i++) lateness.arrived(i % 2 === 0 ? 2 : 4, 1);
  assert.ok(lateness.delay > before + 1, "what comes late again and again is waited for");
});

test("when the server's clock is set back the picture follows within a second, and never runs backwards", () => {
  const render = new RenderClock();
  render.advance(100, 0, 30);
  let last = 100;
  for (let frame = 1; frame <= 60; frame++) {
    render.advance(100 - 5 + frame / 2, 1000 / 60, 30);
    assert.ok(Number(render.tick) > last);
    last = Number(render.tick);
  }
  assert.ok(Math.abs(last - (100 - 5 + 30)) < 1.6, `${last}`);
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
