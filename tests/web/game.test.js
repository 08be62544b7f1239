// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { publicChecksum } from "../../client_demo/web/sdk/checksum.js";
import { applyDelta, ChangeLog } from "../../client_demo/web/sdk/delta.js";
import { encode } from "../../client_demo/web/sdk/msgpack.js";
import { State } from "../../client_demo/web/sdk/state.js";
import { UsageError } from "../../client_demo/web/sdk/tickwire.js";
import { EVENT, INPUT, JOIN, OFFSET_MS, Page, RESUME, RESYNC } from "./kit/session.js";
import { seededRandom } from "./kit/virtual.js";
import { bytesOf, column16, despawn, field, joined, MATCH, moveShips, privately, ROCK, schema, SCHEMA_MAP, SHIP, snapshot, spawnShips, welcome } from "./kit/wire.js";

/** @param {Page} page the checksum of ships 1 and 2 as `join` spawns them */
function rightSum(page) {
  const state = new State(schema());
  applyDelta(state, [spawnShips({ 1: 64, 2: 128 })], page.serverTick, new ChangeLog());
  return publicChecksum(state);
}

test("entities are live: the same object, with the author's values of now", () => {
  const page = new Page().join();
  const ship = /** @type {any} */ (page.game.entities.get(1));
  assert.deepEqual([ship.id, ship.type, ship.mine, ship.x, ship.heading, ship.hp, ship.name, ship.target, ship.ammo], [1, "Ship", false, 1, 0, 100, "", null, 10]);
  page.deliver(snapshot(101, 1, [0, [0], 0b11111, 2 + 5 * 2 + 25 * 2 + 125 * 2, joined(column16([64]), column16([256]), column16([-1]), column16([2])), [bytesOf("Ada")]]));
  assert.equal(page.game.entities.get(1), ship);
  assert.deepEqual([ship.x, ship.heading, ship.hp, ship.name, ship.target], [2, Math.PI / 2, 99, "Ada", page.game.entities.get(2)]);
});

test("a reference to an entity that is not there reads as null", () => {
  const page = new Page().join();
  page.deliver(snapshot(101, 1, [0, [0], 0b10000, 2, column16([2])]));
  assert.equal(page.game.entities.get(1)?.target.id, 2);
  page.deliver(snapshot(102, 1, despawn(SHIP, [2])));
  assert.equal(page.game.entities.get(1)?.target, null);
});

test("added, changed and removed are told once each, after the whole snapshot is applied", () => {
  const page = new Page().join();
  /** @type {any[]} */
  const seen = [];
  page.game.on("changed", (entity) => seen.push([entity.id, page.game.all("Ship").map((ship) => ship.id)]));
  const turn = [0, [0], 0b10, 2, column16([1])];
  page.deliver(snapshot(101, 1, despawn(SHIP, [2]), moveShips([0], [1]), turn, spawnShips({ 5: 0 })));
  assert.deepEqual(page.told("added"), [["Ship", 1], ["Ship", 2], ["Ship", 5]]);
  assert.deepEqual(page.told("changed"), [[1, "x", "heading"]]);
  assert.deepEqual(page.told("removed"), [["Ship", 2]]);
  assert.deepEqual(seen, [[1, [1, 5]]]);
});

test("a removed entity still reads as it was", () => {
  const page = new Page().join();
  /** @type {any[]} */
  const gone = [];
  page.game.on("removed", (entity) => gone.push([entity.id, entity.x, page.game.entities.has(entity.id)]));
  page.deliver(snapshot(101, 1, despawn(SHIP, [2])));
  assert.deepEqual(gone, [[2, 2, false]]);
});

test("all and one give the entities of a class by id, and know the classes", () => {
  const page = new Page();
  assert.deepEqual(page.game.all("Ship"), []);
  page.join();
  assert.deepEqual(page.game.all("Ship").map((ship) => ship.id), [1, 2]);
  assert.equal(page.game.all("Ship"), page.game.all("Ship"), "the array is made once");
  assert.equal(page.game.one("Match"), undefined);
  page.deliver(snapshot(101, 1, [3 * MATCH + 1, [9], 1, 2, column16([3])]));
  assert.equal(page.game.one("Match")?.round, 3);
  assert.throws(() => page.game.all("Shop"), { name: "UsageError", message: /Ship, Rock, Match/ });
});

test("a full snapshot sweeps: the same objects stay, the others go, differences are changes", () => {
  const page = new Page().join();
  const ship = page.game.entities.get(2);
  page.heard.length = 0;
  page.deliver(snapshot(120, 0, spawnShips({ 2: 130, 7: 0 })));
  assert.deepEqual(page.heard, [["removed", "Ship", 1], ["added", "Ship", 7], ["changed", 2, "x"]]);
  assert.equal(page.game.entities.get(2), ship);
  page.deliver(snapshot(121, 1, moveShips([0], [1])));
  assert.equal(ship?.x, 131 / 64);
});

test("what only the owner sees is there when the entity is added, and falls back when it is lost", () => {
  const page = new Page();
  page.server.time.advance(0);
  /** @type {any[]} */
  const added = [];
  page.game.on("added", (ship) => added.push([ship.id, ship.mine, ship.ammo, ship.secret]));
  page.deliver(privately(100, [2], [[2, 0b11, 3, bytesOf("key")]]), snapshot(100, 0, spawnShips({ 1: 0, 2: 0 })));
  assert.deepEqual(added, [[1, false, 10, ""], [2, true, 3, "key"]]);
  assert.deepEqual({ player: page.game.me.player, owned: [...page.game.me.owned] }, { player: 3, owned: [2] });
  page.deliver(privately(101, null, [[2, 1, 2]]));
  assert.equal(page.game.entities.get(2)?.ammo, 2);
  page.deliver(privately(102, [], []));
  assert.equal(page.game.entities.get(2)?.ammo, 10);
  assert.deepEqual(page.told("changed"), [[2, "ammo"], [2, "ammo", "secret"]]);
});

test("events reach listeners of all and of one name, references resolved", () => {
  const page = new Page().join();
  /** @type {any[]} */
  const hits = [];
  page.game.on("event:Hit", ({ victim, damage }) => hits.push([victim?.id, damage]));
  page.deliver(encode([4, 0, 2, 30]), encode([4, 0, 99, 5]), encode([4, 1, bytesOf("Ada"), bytesOf("hi")]));
  assert.deepEqual(hits, [[2, 30], [undefined, 5]]);
  assert.deepEqual(page.told("event").map(([name]) => name), ["Hit", "Hit", "Chat"]);
  assert.deepEqual(page.told("event")[2][1], { from: "Ada", text: "hi" });
});

test("a listener that stops listening hears nothing more, and unknown names are refused", () => {
  const page = new Page().join();
  let calls = 0;
  const stop = page.game.on("snapshot", () => (calls += 1));
  page.deliver(snapshot(101, 1));
  stop();
  page.deliver(snapshot(102, 1));
  assert.equal(calls, 1);
  assert.throws(() => page.game.on(/** @type {any} */ ("chnged"), () => {}), UsageError);
});

test("a listener that throws is reported and disturbs nobody", () => {
  const page = new Page();
  const fault = new Error("the page's own");
  page.game.on("added", () => {
    throw fault;
  });
  /** @type {number[]} */
  const added = [];
  page.game.on("added", (entity) => added.push(entity.id));
  page.join();
  assert.deepEqual(added, [1, 2]);
  assert.deepEqual(page.server.reported, [fault, fault]);
  assert.equal(page.game.status, "playing");
});

test("snapshots are told with their size, and counted", () => {
  const page = new Page().join();
  /** @type {any[]} */
  const told = [];
  page.game.on("snapshot", (snapshot) => told.push(snapshot));
  const message = snapshot(101, 1, moveShips([0], [1]));
  page.deliver(message);
  assert.deepEqual(told, [{ tick: 101, bytes: message.length, full: false }]);
  for (let tick = 102; tick < 142; tick++) {
    page.deliver(snapshot(tick, 1, moveShips([0], [1])));
    page.draw(50);
  }
  const { stats } = page.game;
  assert.equal(stats.tick, 141);
  assert.ok(Math.abs(stats.snapshotsPerSecond - 20) < 1.5, `${stats.snapshotsPerSecond}`);
  assert.ok(Math.abs(stats.snapshotIntervalMs - 50) < 3, `${stats.snapshotIntervalMs}`);
  assert.ok(stats.bytesPerSecond > 20 * message.length);
});

test("a client event is sent with its defaults, and only what clients may send", () => {
  const page = new Page();
  assert.equal(page.game.send("Chat", { text: "early" }), false);
  page.join();
  assert.equal(page.game.send("Chat", { text: "hi" }), true);
  page.server.time.advance(0);
  assert.deepEqual(page.socket.sent(EVENT), [[4, 1, new Uint8Array(), bytesOf("hi")]]);
  for (const [name, fields] of /** @type {const} */ ([["Hit", {}], ["Chta", {}], ["Chat", { txt: "" }], ["Chat", { text: 5 }], ["Chat", { text: "x".repeat(121) }]])) {
    assert.throws(() => page.game.send(name, fields), UsageError, JSON.stringify(fields));
  }
});

test("inputs are sent once for each tick, ahead of the server, once the clock is known", () => {
  const page = new Page();
  page.server.delayMs = () => 50;
  page.join();
  assert.deepEqual(Object.keys(page.game.input), ["turn", "thrust", "fire"]);
  page.game.input.turn = 1;
  page.draw(2000);
  page.game.press("fire");
  page.draw(1000);
  const inputs = page.socket.sent(INPUT);
  const ticks = inputs.flatMap(([, tick, ...values]) => values.filter((_, i) => i % 3 === 0).map((_, i) => tick + i));
  assert.ok(ticks.length >= 55, `${ticks.length}`);
  assert.ok(ticks.every((tick, i) => i === 0 || tick === ticks[i - 1] + 1));
  assert.ok(Math.abs(ticks[ticks.length - 1] - page.serverTick - 1) <= 1, "they come about one tick before they are needed");
  assert.equal(inputs.flatMap(([, , ...values]) => values.filter((_, i) => i % 3 === 2)).filter((fire) => fire === 1).length, 1);
  assert.ok(page.game.clock.leadTicks > 1.5 && page.game.clock.leadTicks < 4, `${page.game.clock.leadTicks}`);
});

test("what is set on the input before the room is joined does no harm", () => {
  const page = new Page();
  page.game.input.turn = 1;
  page.game.press("fire");
  page.game.frame(5);
  page.join();
  assert.equal(page.game.input.turn, 0);
});

test("a room without inputs can be watched", () => {
  const page = new Page();
  page.answer = (socket, message) => void (message[0] === JOIN && page.welcome({ schema: { ...SCHEMA_MAP, input: null } }));
  page.join();
  page.game.press("fire");
  page.draw(100);
  assert.equal(page.socket.sent(INPUT).length, 0);
});

test("the page's clocks follow the server's", () => {
  const page = new Page();
  page.server.delayMs = () => 30;
  page.join();
  for (let i = 0; i < 60; i++) {
    page.socket.deliver(snapshot(page.serverTick, 1, moveShips([0], [4])));
    page.draw(50);
  }
  const { clock } = page.game;
  assert.ok(Math.abs(clock.offsetMs - OFFSET_MS) < 1, `${clock.offsetMs}`);
  assert.ok(Math.abs(clock.serverNow - page.serverTime) < 1);
  assert.ok(Math.abs(clock.serverTick - (100 + ((page.server.time.now() - 1000) * 20) / 1000)) < 0.05);
  assert.ok(Math.abs(clock.rttMs - 60) < 1);
  assert.ok(clock.jitterMs < 20);
  const behind = clock.serverNow - clock.renderNow;
  assert.ok(behind > 80 && behind < 150, `${behind} ms behind`);
  assert.ok(Math.abs(clock.delayTicks - (clock.serverTick - clock.renderTick)) < 1e-6);
  const ship = /** @type {any} */ (page.game.entities.get(1));
  assert.ok(ship.view.x < ship.x && ship.view.x > ship.x - 1, `${ship.view.x} of ${ship.x}`);
});

test("a moving entity is drawn moving evenly", () => {
  const page = new Page();
  page.server.delayMs = () => 30;
  page.join();
  const ship = /** @type {any} */ (page.game.entities.get(1));
  /** @type {number[]} */
  const steps = [];
  let last = 0;
  for (let i = 0; i < 100; i++) {
    page.socket.deliver(snapshot(page.serverTick, 3, moveShips([0], [32])));
    for (let frame = 0; frame < 3; frame++) {
      page.draw(50 / 3);
      if (i > 60) steps.push(ship.view.x - last);
      last = ship.view.x;
    }
  }
  const [least, most] = [Math.min(...steps.slice(1)), Math.max(...steps)];
  assert.ok(least > 0.12 && most < 0.22, `from ${least} to ${most} a frame`);
});

test("view is the newest state until the first frame, and one object for good", () => {
  const page = new Page().join();
  const ship = /** @type {any} */ (page.game.entities.get(1));
  const { view } = ship;
  assert.deepEqual(view, { x: 1, heading: 0 });
  page.deliver(snapshot(101, 1, moveShips([0], [64])));
  assert.equal(ship.view, view);
  assert.equal(view.x, 2);
});

test("an epoch moves the server's tick, and what is drawn stays smooth", () => {
  const page = new Page().join();
  page.draw(1000);
  const before = page.game.clock.renderTick;
  page.deliver(encode([7, page.serverTick - 4, page.serverTime]));
  page.game.frame(page.server.time.now());
  assert.ok(Math.abs(page.game.clock.serverTick - (page.serverTick - 4)) < 0.01);
  assert.ok(Math.abs(page.game.clock.renderTick - before) < 0.1);
});

test("a busy server thins out its snapshots, which is shown in time, and is over when it says so", () => {
  const page = new Page().join();
  for (let tick = 101; tick < 120; tick += 1) {
    page.draw(50);
    page.deliver(snapshot(tick, 1, moveShips([0], [8])));
  }
  const calm = page.game.clock.delayTicks;
  assert.equal(page.game.stats.load, 0);
  page.deliver(encode([9, 3, 4]));
  for (let i = 0; i < 60; i += 1) page.draw(50 / 3);
  assert.equal(page.game.stats.load, 3);
  assert.ok(page.game.clock.delayTicks > calm + 2, `${calm} to ${page.game.clock.delayTicks}`);
  page.deliver(encode([9, 0, 1]));
  assert.equal(page.game.stats.load, 0);
});

test("a state that fails its check is replaced by a full one, and play goes on", () => {
  const page = new Page().join();
  const sum = rightSum(page);
  page.deliver(encode([6, page.serverTick, sum, null]));
  assert.equal(page.game.stats.mismatches, 0);
  page.deliver(encode([6, page.serverTick, sum ^ 1, null]), snapshot(101, 1, moveShips([0], [1])));
  page.server.time.advance(0);
  assert.deepEqual([page.game.stats.mismatches, page.game.stats.resyncs], [1, 1]);
  assert.deepEqual(page.socket.sent(RESYNC), [[RESYNC, 100]]);
  assert.equal(page.game.entities.get(1)?.x, 1, "deltas to a state that is wrong are not applied");
  page.deliver(snapshot(102, 0, spawnShips({ 1: 66, 2: 128 })), snapshot(103, 1, moveShips([0], [1])));
  assert.equal(page.game.entities.get(1)?.x, 67 / 64);
  assert.equal(page.socket.sent(RESYNC).length, 1);
});

test("a delta that does not fit what is held asks for a full snapshot", () => {
  const page = new Page().join();
  page.deliver(snapshot(110, 3, moveShips([0], [1])));
  page.server.time.advance(0);
  assert.deepEqual(page.socket.sent(RESYNC), [[RESYNC, 110]]);
  assert.equal(page.game.status, "playing");
});

test("reports about inputs are counted", () => {
  const page = new Page().join();
  page.deliver(encode([8, 100, -2, 3, 4]));
  assert.deepEqual([page.game.stats.late, page.game.stats.refused], [3, 4]);
});

/** Each breaks the protocol in its own way, at a client that plays. */
/** @type {Record<string, Uint8Array | string>} */
const MALFORMED = {
  "a text message": "hello",
  "no bytes": new Uint8Array(),
  "random bytes": Uint8Array.of(0xc1, 1, 2, 3),
  "a truncated message": snapshot(101, 1, moveShips([0], [1])).slice(0, 9),
  "a message with more": joined(snapshot(101, 1), Uint8Array.of(0)),
  "an unknown kind": encode([77]),
  "a second welcome": welcome(),
  "a delta beyond the rows": snapshot(101, 1, moveShips([7], [1])),
  "a full snapshot of nonsense": snapshot(101, 0, [0]),
  "an event that is not in the schema": encode([4, 9]),
  "an event with too few values": encode([4, 0, 1]),
  "an event with a value out of range": encode([4, 0, 1, 101]),
  "an event with text that is not UTF-8": encode([4, 1, Uint8Array.of(255), new Uint8Array()]),
  "private values of a stranger": privately(101, null, [[1, 1, 1]]),
};

for (const [what, message] of Object.entries(MALFORMED)) {
  test(`${what} ends the connection with 4002, is reported, and the page comes back`, () => {
    const page = new Page().join();
    const { socket } = page;
    socket.deliver(message);
    page.server.time.advance(0);
    assert.equal(socket.closedByClient?.code, 4002);
    assert.ok((socket.closedByClient?.reason.length ?? 0) > 10);
    assert.deepEqual(page.told("error"), [["ProtocolError"]]);
    assert.deepEqual(page.statuses.at(-1), "reconnecting");
    assert.deepEqual(page.server.reported, []);
    page.server.time.advance(300);
    assert.deepEqual([page.socket.received[0][0], page.socket.received[0][4], page.game.status], [RESUME, null, "playing"]);
    page.deliver(snapshot(130, 0, spawnShips({ 1: 70 })));
    assert.equal(page.game.entities.get(1)?.x, 70 / 64);
    assert.equal(page.game.stats.faults, 1);
  });
}

test("anything before the welcome, and a welcome with a schema of nonsense, is met the same way", () => {
  for (const first of [snapshot(1, 0), encode([5, 1, 2, 3]), welcome({ schema: 5 }), welcome({ protocol: 2 })]) {
    const page = new Page();
    page.answer = (socket) => socket.deliver(first);
    page.server.time.advance(0);
    page.server.time.advance(0);
    assert.equal(page.server.sockets[0].closedByClient?.code, 4002);
    assert.equal(page.game.status, "reconnecting");
  }
});

test("mutated messages never get past the page: it plays on, or comes back", () => {
  const random = seededRandom(6);
  const page = new Page().join();
  const valid = [
    snapshot(101, 1, moveShips(null, [1, 1]), spawnShips({ 5: 1 })), snapshot(102, 2, despawn(SHIP, [2]), [3 * ROCK + 1, [8], 1, 2, column16([3])]), snapshot(100, 0, spawnShips({ 1: 64, 2: 128 })),
    privately(101, [1], [[1, 3, 5, bytesOf("key")]]), encode([4, 1, bytesOf("Ada"), bytesOf("hi")]), encode([6, 101, 5, 5]), encode([7, 101, 5000]), encode([8, 101, 1, 2, 3]), encode([5, 1, 2, 3]),
  ];
  for (let i = 0; i < 5000; i++) {
    const bytes = valid[i % valid.length].slice();
    for (let k = 0; k <= i % 3; k++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
    page.socket.deliver(bytes);
    page.server.time.advance(0);
    page.game.frame(page.server.time.now());
    for (const entity of page.game.entities.values()) assert.ok(entity.view);
    if (page.game.status !== "playing") {
      page.server.time.advance(10_100);
      page.deliver(snapshot(100, 0, spawnShips({ 1: 64, 2: 128 })));
    }
  }
  assert.deepEqual(page.server.reported, [], "nothing but protocol errors");
  page.server.time.advance(20_000);
  assert.equal(page.game.status, "playing");
});

test("another room takes the place of the one before, even with the same ids", () => {
  const page = new Page().join();
  const ship = page.game.entities.get(1);
  page.answer = (socket, message) => {
    if (message[0] === RESUME) socket.end(4010);
    if (message[0] === JOIN) page.welcome({ room: "room-2", tick: 5, hz: 30 });
  };
  page.socket.end(1006);
  page.server.time.advance(300);
  assert.deepEqual(page.told("removed"), [["Ship", 1], ["Ship", 2]]);
  page.deliver(snapshot(5, 0, spawnShips({ 1: 1 })));
  assert.notEqual(page.game.entities.get(1), ship);
  assert.deepEqual([page.game.roomId, page.game.hz], ["room-2", 30]);
});

test("a room that was updated meanwhile brings its new schema", () => {
  const page = new Page().join();
  const changed = { ...SCHEMA_MAP, entities: [{ name: "Boat", flags: [], fields: [field("y", "flag")] }] };
  page.answer = (socket, message) => {
    if (message[0] === RESUME) socket.end(4010);
    if (message[0] === JOIN) page.welcome({ schema: changed, hash: new Uint8Array(8).fill(1) });
  };
  page.socket.end(1006);
  page.server.time.advance(300);
  page.deliver(snapshot(200, 0, [1, [1], 1, 2, column16([1])]));
  assert.equal(page.game.one("Boat")?.y, true);
  assert.equal(page.game.entities.size, 1);
});

test("without interpolation all is drawn where the newest snapshot has it; with it again the picture goes back at once", () => {
  const page = new Page();
  page.server.delayMs = () => 50;
  page.join();
  /** Snapshots for half a second, in each of which ship 1 moves by half a unit. */
  const move = () => {
    for (let i = 0; i < 10; i++) {
      page.draw(50);
      page.socket.deliver(snapshot(page.serverTick, 3, moveShips([0], [32])));
    }
    page.draw(50);
  };
  const ship = /** @type {any} */ (page.game.entities.get(1));
  page.game.interpolates = false;
  move();
  assert.ok(ship.x > 5 && ship.view.x === ship.x, `${ship.view.x} of ${ship.x}`);
  assert.equal(page.game.clock.renderTick, page.game.stats.tick);
  page.game.interpolates = true;
  page.game.frame(page.server.time.now());
  assert.ok(ship.view.x < ship.x - 0.25, `${ship.view.x} of ${ship.x}`);
  assert.ok(page.game.clock.renderTick < page.game.stats.tick);
});

test("the clock tells the round trip measured last beside the smoothed one", () => {
  const page = new Page();
  page.join().draw(3000);
  page.server.delayMs = () => 40;
  page.draw(1500);
  assert.ok(page.game.clock.lastRttMs > 79 && page.game.clock.rttMs < 30, `${page.game.clock.lastRttMs} ${page.game.clock.rttMs}`);
});
