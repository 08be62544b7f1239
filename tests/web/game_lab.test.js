// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { counts, figure, measure, PLOTS } from "../../client_demo/web/game/plots.js";
import { BUCKET_MS, Recorder, Series, WINDOW_SECONDS } from "../../client_demo/web/game/recorder.js";
import { conditionsOf, DEFAULTS, PRESETS, presetOf, readAddress, SLIDERS, writeAddress } from "../../client_demo/web/game/settings.js";
import { ceiling } from "../../client_demo/web/game/sparkline.js";
import { LinkConditioner } from "../../client_demo/web/sdk/tickwire.js";
import { Page } from "./kit/session.js";

test("an address sets the lab, and says nothing of what it leaves as it is", () => {
  const { settings, complaints } = readAddress("?name=Ada&rtt=150&jitter=40&predict=0&panel=1");
  assert.deepEqual(settings, { ...DEFAULTS, rtt: 150, jitter: 40, predict: false, panel: true });
  assert.deepEqual(complaints, []);
  assert.equal(writeAddress("?name=Ada", settings), "?name=Ada&rtt=150&jitter=40&predict=0&panel=1");
  assert.equal(writeAddress("?rtt=150&auto=1", DEFAULTS), "?auto=1");
  assert.equal(writeAddress("?rtt=150", DEFAULTS), "");
});

test("every state of the lab survives the address", () => {
  for (const preset of Object.values(PRESETS)) {
    const settings = { ...DEFAULTS, ...preset, interpolate: false, compensate: false, ghost: true };
    assert.deepEqual(readAddress(writeAddress("", settings)).settings, settings);
  }
});

test("what an address can't mean is left at its default, and named with the remedy", () => {
  const { settings, complaints } = readAddress("?rtt=abc&jitter=-3&stall=5000&every=&predict=yes&rate=64");
  assert.deepEqual(settings, { ...DEFAULTS, rate: 64 });
  assert.deepEqual(complaints, [
    "The address has rtt=abc; use a number from 0 to 400.",
    "The address has jitter=-3; use a number from 0 to 120.",
    "The address has every=; use a number from 0 to 30.",
    "The address has stall=5000; use a number from 50 to 1000.",
    "The address has predict=yes; use 0 or 1.",
  ]);
});

test("a number between two stops of a slider goes to the nearer one", () => {
  assert.equal(readAddress("?rtt=154").settings.rtt, 150);
  assert.equal(readAddress("?rate=100").settings.rate, 128);
});

test("a link has half of the round trip and half of the jitter each way", () => {
  assert.deepEqual(conditionsOf({ rtt: 150, jitter: 40, every: 5, stall: 400, rate: 16 }), {
    delayMs: 75, jitterMs: 20, stallEveryMs: 5000, stallMs: 400, bytesPerSecond: 16_000,
  });
});

test("every setting of the sliders is one that a link can have", () => {
  const link = new LinkConditioner();
  for (const { name, stops } of SLIDERS) for (const stop of stops) link.change(conditionsOf({ ...DEFAULTS, every: 2, [name]: stop }));
  link.change(conditionsOf(DEFAULTS));
  assert.deepEqual(link.conditions, new LinkConditioner().conditions, "and left of all is a perfect one");
});

test("a preset is recognised, also when the length of no stalls differs", () => {
  for (const [name, preset] of Object.entries(PRESETS)) {
    assert.equal(presetOf({ ...DEFAULTS, ...preset }), name);
    for (const [key, value] of Object.entries(preset)) assert.ok(SLIDERS.find((slider) => slider.name === key)?.stops.includes(value), `${name} ${key}`);
  }
  assert.equal(presetOf({ ...DEFAULTS, stall: 100 }), "LAN");
  assert.equal(presetOf({ ...DEFAULTS, rtt: 10 }), null);
});

/** The values of a series that are there, oldest first. @param {Series} series */
function valuesOf(series) {
  return Array.from({ length: series.length }, (_, index) => series.at(index)).filter((value) => !Number.isNaN(value));
}

test("a recorder keeps the peak of each moment, for as long as the window", () => {
  const recorder = new Recorder(["error"]);
  const { error } = recorder.series;
  for (const value of [0, 2, 1]) recorder.note({ error: value }, 1000);
  recorder.note({ error: 0 }, 1000 + BUCKET_MS);
  assert.deepEqual([valuesOf(error), error.newest, error.highest], [[2, 0], 0, 2]);
  for (let at = 1000; at < 1000 + WINDOW_SECONDS * 1000; at += BUCKET_MS) recorder.note({ error: 1 }, at + 2 * BUCKET_MS);
  assert.deepEqual([valuesOf(error).length, error.highest], [error.length, 1]);
});

test("a slow frame leaves no gap in a plot, a pause does", () => {
  const recorder = new Recorder(["lead"]);
  const { lead } = recorder.series;
  recorder.note({ lead: 4 }, 1000);
  recorder.note({ lead: 5 }, 1000 + 3 * BUCKET_MS);
  assert.deepEqual(valuesOf(lead), [4, 5, 5, 5]);
  recorder.note({ lead: 6 }, 1000 + 103 * BUCKET_MS);
  assert.equal(valuesOf(lead).length, 5);
  recorder.note({ lead: NaN }, 1000 + 104 * BUCKET_MS);
  assert.deepEqual([valuesOf(lead).length, lead.newest], [5, 6]);
});

test("the top of a plot is a round number above its peak, and never below what is worth seeing", () => {
  assert.deepEqual([0, 46, 47, 95, 180, 700, 0.3].map((highest) => ceiling(highest, 50)), [50, 50, 100, 200, 200, 1000, 50]);
  assert.deepEqual([0, 0.4, 1.5].map((highest) => ceiling(highest, 0.5)), [0.5, 0.5, 2]);
});

test("the plots measure a game while it is played, and nothing before", () => {
  const page = new Page({ link: LinkConditioner.ofRoundTrip(100) });
  assert.ok(Object.values(measure(page.game)).every(Number.isNaN));
  page.server.time.advance(400);
  page.join().draw(2000);
  const { rtt, lead, jitter, delay, error } = measure(page.game);
  assert.ok(Math.abs(rtt - 100) < 1 && lead > 1.5 && jitter === 0 && delay > 50, JSON.stringify({ rtt, lead, jitter, delay }));
  assert.ok(Number.isNaN(error), "nothing is predicted");
  assert.deepEqual(counts(page.game), [["late inputs", 0], ["corrections", 0], ["resyncs", 0]]);
});

test("a figure has its unit, and a dash while there is none", () => {
  assert.deepEqual(PLOTS.map((plot) => figure(1.234, plot)), ["1 ms", "1 ms", "1.2 ticks", "1.23 units", "1 ms"]);
  assert.equal(figure(NaN, { unit: "ms", digits: 0 }), "– ms");
});
