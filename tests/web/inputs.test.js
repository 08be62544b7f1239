// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { UsageError } from "../../client_demo/web/sdk/errors.js";
import { Inputs } from "../../client_demo/web/sdk/inputs.js";
import { LeadController } from "../../client_demo/web/sdk/lead.js";
import { decode } from "../../client_demo/web/sdk/msgpack.js";
import { seededRandom } from "./kit/virtual.js";
import { schema } from "./kit/wire.js";

const STEER = /** @type {import("../../client_demo/web/sdk/schema.js").ClassSpec} */ (schema().input);

/** @param {Inputs} inputs @param {number} tick */
function sample(inputs, tick) {
  const bytes = inputs.sample(tick);
  return bytes === null ? null : decode(bytes);
}

test("the input starts neutral, and what is set is sent for each tick from then on", () => {
  const inputs = new Inputs(STEER);
  assert.deepEqual(sample(inputs, 100.5), [3, 100, 8, 0, 0]);
  inputs.current.turn = -1;
  inputs.current.thrust = true;
  assert.equal(sample(inputs, 100.9), null, "nothing is due before the next tick");
  assert.deepEqual(sample(inputs, 101), [3, 101, 0, 1, 0]);
  assert.deepEqual(sample(inputs, 102.2), [3, 102, 0, 1, 0]);
  assert.deepEqual({ ...inputs.current }, { turn: -1, thrust: true, fire: false });
});

test("several ticks that are due go out in one message, the oldest left out after a pause", () => {
  const inputs = new Inputs(STEER);
  sample(inputs, 100);
  assert.deepEqual(sample(inputs, 103), [3, 101, 8, 0, 0, 8, 0, 0, 8, 0, 0]);
  assert.equal(/** @type {unknown[]} */ (sample(inputs, 1000)).length, 2 + 8 * 3);
  assert.deepEqual(inputs.at(993), [8, 0, 0]);
  assert.equal(inputs.at(992), undefined);
});

test("a press is in exactly one tick, whether of a trigger or of a flag", () => {
  const inputs = new Inputs(STEER);
  sample(inputs, 100);
  inputs.press("fire");
  inputs.press("thrust");
  assert.deepEqual(sample(inputs, 102), [3, 101, 8, 1, 1, 8, 0, 0]);
});

test("a trigger that is set is in exactly one tick too, and none is lost between two ticks", () => {
  const inputs = new Inputs(STEER);
  sample(inputs, 100);
  inputs.current.fire = true;
  assert.equal(sample(inputs, 100.5), null);
  assert.deepEqual(sample(inputs, 102), [3, 101, 8, 0, 1, 8, 0, 0]);
});

test("ticks go out as u32 across the wrap, and are remembered unwrapped", () => {
  const inputs = new Inputs(STEER);
  sample(inputs, 2 ** 32 - 1);
  assert.deepEqual(sample(inputs, 2 ** 32 + 1.5), [3, 0, 8, 0, 0, 8, 0, 0]);
  assert.deepEqual(inputs.at(2 ** 32), [8, 0, 0]);
  assert.equal(inputs.at(0), undefined);
});

test("a clock that steps back sends no tick twice", () => {
  const inputs = new Inputs(STEER);
  sample(inputs, 100);
  assert.equal(sample(inputs, 98.5), null);
  assert.equal(sample(inputs, 100.5), null);
  assert.deepEqual(sample(inputs, 101), [3, 101, 8, 0, 0]);
});

test("a wrong input is an error at the line that sets it", () => {
  const inputs = new Inputs(STEER);
  assert.throws(() => (inputs.current.turn = NaN), { name: "UsageError", message: /^Steer\.turn is NaN/ });
  assert.throws(() => (inputs.current.thrust = 1), UsageError);
  assert.throws(() => (inputs.current.trun = 1), TypeError);
  assert.throws(() => inputs.press("trun"), UsageError);
  assert.throws(() => inputs.press("turn"), UsageError);
  assert.deepEqual(sample(inputs, 1), [3, 1, 8, 0, 0]);
});

/** A client at 60 frames a second and a 30 Hz server at the end of a link. */
class Uplink {
  lead = new LeadController();
  now = 0;
  late = 0;
  sent = 0;
  #random = seededRandom(5);
  /** @type {{tick: number, at: number}[]} */
  #way = [];
  #last = 0;
  #newest = 0;
  #simulated = 0;
  #sampled = 0;
  #stallUntil = 0;
  #slack = Infinity;
  #told = NaN;

  /** @param {{rtt: number, jitter?: number, asymmetry?: number}} link asymmetry: extra ms on the way up that the round trip does not show */
  constructor(link) {
    this.rtt = link.rtt;
    this.jitter = link.jitter ?? 0;
    this.asymmetry = link.asymmetry ?? 0;
  }

  get serverTick() {
    return (this.now * 30) / 1000 + 1000;
  }

  get link() {
    return { rttMs: this.rtt, hz: 30 };
  }

  /** @param {number} ms */
  stall(ms) {
    this.#stallUntil = this.now + ms;
  }

  /** @param {number} seconds @returns {{late: number, leads: number[]}} what was late, and the lead at each tick */
  run(seconds) {
    const lateBefore = this.late;
    const leads = [];
    for (const end = this.now + seconds * 1000; this.now < end; this.now += 1000 / 60) {
      this.lead.advance(1000 / 60, this.serverTick, this.link);
      leads.push(Number(this.lead.tick) - this.serverTick);
      this.#send();
      this.#serve();
    }
    return { late: this.late - lateBefore, leads };
  }

  #send() {
    const tick = Math.floor(Number(this.lead.tick));
    for (this.#sampled = Math.max(this.#sampled, tick - 8); this.#sampled < tick; ) {
      this.#sampled += 1;
      this.sent += 1;
      const arrival = Math.max(this.now, this.#stallUntil) + this.rtt / 2 + this.asymmetry + this.#random() * this.jitter;
      this.#last = Math.max(this.#last, arrival);
      this.#way.push({ tick: this.#sampled, at: this.#last });
    }
  }

  #serve() {
    while (this.#way.length > 0 && this.#way[0].at <= this.now) {
      const { tick } = /** @type {{tick: number, at: number}} */ (this.#way.shift());
      this.#newest = Math.max(this.#newest, tick);
      if (tick <= this.#simulated) this.late += 1;
    }
    if (Math.floor(this.serverTick) === this.#simulated) return;
    this.#simulated = Math.floor(this.serverTick);
    this.#slack = Math.min(this.#slack, this.#newest - this.#simulated);
    if (this.#simulated % 8 === 0) this.#report();
  }

  /** As the server does: the least slack since the last report, and nothing when there is no news. */
  #report() {
    if (this.#slack !== this.#told) this.lead.onNews({ tick: this.#simulated, slack: this.#slack });
    this.#told = this.#slack;
    this.#slack = Infinity;
  }
}

test("on an even link no input is late after the first second, and none waits long", () => {
  for (const rtt of [0, 50, 150, 300]) {
    const uplink = new Uplink({ rtt });
    uplink.run(1);
    const { late, leads } = uplink.run(20);
    assert.equal(late, 0, `${rtt} ms`);
    const ideal = (rtt / 2 / 1000) * 30 + 1;
    assert.ok(Math.abs(leads[leads.length - 1] - ideal) < 2, `${rtt} ms: ${leads[leads.length - 1]} of ${ideal}`);
  }
});

test("with 40 ms of jitter fewer than 0.5 % of inputs are late", () => {
  const uplink = new Uplink({ rtt: 150, jitter: 40 });
  uplink.run(3);
  const before = uplink.sent;
  const { late } = uplink.run(60);
  assert.ok(late / (uplink.sent - before) < 0.005, `${late}`);
});

test("a way up that is slower than the round trip shows is made up for after the first late input", () => {
  const uplink = new Uplink({ rtt: 60, asymmetry: 90 });
  uplink.run(3);
  assert.equal(uplink.run(2).late, 0);
});

test("the input tick runs at most 5 % fast or slow, and steps forward only after a late input", () => {
  const uplink = new Uplink({ rtt: 40 });
  uplink.run(3);
  uplink.rtt = 140;
  const { leads } = uplink.run(5);
  const steps = leads.slice(1).map((lead, i) => lead - leads[i]);
  const jumps = steps.filter((step) => Math.abs(step) > 0.5 * 0.0501);
  assert.ok(jumps.length > 0 && jumps.length <= 4 && jumps.every((step) => step > 0 && step <= 4.1), jumps.join(" "));
});

test("a stall every five seconds does not move the lead", () => {
  const uplink = new Uplink({ rtt: 60 });
  const before = uplink.run(5).leads.at(-1) ?? 0;
  for (let stalls = 0; stalls < 12; stalls++) {
    uplink.stall(400);
    for (const lead of uplink.run(5).leads) assert.ok(Math.abs(lead - before) < 0.5, `${before} then ${lead}`);
  }
});

test("after a pause of the tab the input tick jumps", () => {
  const uplink = new Uplink({ rtt: 60 });
  uplink.run(2);
  uplink.now += 60_000;
  assert.ok(Math.abs(uplink.run(0.1).leads[0]) < 5);
});

test("a server that reports nonsense cannot drive the lead beyond what servers accept", () => {
  const lead = new LeadController();
  const link = { rttMs: 1e6, hz: 30 };
  for (let i = 1; i < 1000; i++) lead.onNews({ tick: i, slack: -1e9 });
  lead.advance(16, 1000, link);
  assert.equal(lead.tick, 1028);
  for (let i = 1; i < 1000; i++) lead.onNews({ tick: i, slack: 1e9 });
  lead.advance(16, 1000, link);
  assert.equal(lead.tick, 1000);
});

test("what was shown ahead is sent: a button released before its tick counts for that tick, and no longer", () => {
  const inputs = new Inputs(STEER);
  sample(inputs, 100);
  inputs.current.thrust = true;
  inputs.current.turn = 1;
  assert.deepEqual(inputs.preview(), [16, 1, 0]);
  inputs.current.thrust = false;
  inputs.current.turn = 0;
  assert.deepEqual(inputs.preview(), [8, 1, 0]);
  assert.deepEqual(sample(inputs, 102), [3, 101, 8, 1, 0, 8, 0, 0]);
});

test("a tick without an input repeats the one before without its triggers, for as long as the server holds it", () => {
  const inputs = new Inputs(STEER);
  inputs.current.thrust = true;
  inputs.press("fire");
  sample(inputs, 100);
  assert.deepEqual([99, 100, 101, 103, 104].map((tick) => inputs.inForce(tick, 3)), [[8, 0, 0], [8, 1, 1], [8, 1, 0], [8, 1, 0], [8, 0, 0]]);
});
