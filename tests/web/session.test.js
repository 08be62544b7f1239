// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { TRANSITIONS } from "../../client_demo/web/sdk/session.js";
import { connect, UsageError } from "../../client_demo/web/sdk/tickwire.js";
import { FakeServer } from "./kit/server.js";
import { JOIN, LEAVE, Page, PING, RESUME, settled } from "./kit/session.js";
import { moveShips, snapshot, spawnShips } from "./kit/wire.js";

test("every state but closed can be left, and every way leads to a state", () => {
  for (const [state, ways] of Object.entries(TRANSITIONS)) {
    assert.equal(Object.keys(ways).length > 0, state !== "closed");
    for (const next of Object.values(ways)) assert.ok(next in TRANSITIONS);
    if (state !== "closed") assert.equal(ways.ended, "closed");
  }
});

test("a page connects, joins and plays", async () => {
  const page = new Page({ options: { name: "Ada" } });
  assert.equal(page.server.sockets.length, 0, "not before its listeners are there");
  page.join();
  await settled();
  assert.equal(page.socket.url, "ws://game.test/ws");
  assert.equal(page.socket.binaryType, "arraybuffer");
  const [kind, protocol, mode, target, hash, options] = page.socket.received[0];
  assert.deepEqual([kind, protocol, mode, target, hash, { ...options }], [JOIN, 1, "join_or_create", "arena", null, { name: "Ada" }]);
  assert.deepEqual(page.statuses, ["connecting", "playing"]);
  assert.equal(page.ready, "ready");
});

test("ready waits for the first full snapshot", async () => {
  const page = new Page();
  page.server.time.advance(0);
  await settled();
  assert.equal(page.game.status, "playing");
  assert.equal(page.ready, "pending");
});

test("a final close ends the game with the server's sentence", async () => {
  const page = new Page();
  page.answer = (socket) => socket.end(4005, "There is no room of the type \"arena\".");
  page.server.time.advance(60_000);
  await settled();
  assert.deepEqual(page.heard, [["status", "connecting", 0, "", 0], ["status", "closed", 4005, "There is no room of the type \"arena\".", 0]]);
  const { name, code, reason, retry } = page.ready;
  assert.deepEqual([name, code, reason, retry], ["TickwireError", 4005, "There is no room of the type \"arena\".", false]);
  assert.equal(page.server.sockets.length, 1);
  assert.equal(page.server.time.pending, 0, "no timer is left");
});

test("a full room is tried again with growing pauses, until there is a seat", async () => {
  const page = new Page();
  let refusals = 4;
  const welcomes = page.answer;
  page.answer = (socket, message) => (refusals-- > 0 ? socket.end(4041) : welcomes(socket, message));
  page.server.time.advance(30_000);
  const pauses = page.told("status").filter(([status]) => status === "reconnecting");
  assert.deepEqual(pauses.map(([, code, , pause]) => [code, pause]), [[4041, 250], [4041, 500], [4041, 1000], [4041, 2000]]);
  assert.equal(pauses[0][2], "The room is full.");
  assert.equal(page.game.status, "playing");
});

test("a server that is not there is tried again, and told apart from a lost connection", () => {
  const page = new Page();
  page.server.connected = (socket) => socket.end(1006);
  page.server.time.advance(100);
  assert.deepEqual(page.told("status")[1], ["reconnecting", 1006, "The server does not answer.", 250]);
});

test("a lost connection is resumed with the token, the tick held and the schema's hash", () => {
  const page = new Page().join();
  page.deliver(snapshot(page.serverTick + 1, 1, moveShips([0], [1])));
  const held = page.serverTick + 1;
  page.socket.end(1006);
  page.server.time.advance(300);
  assert.deepEqual(page.statuses, ["connecting", "playing", "reconnecting", "connecting", "playing"]);
  assert.deepEqual(page.socket.received[0], [RESUME, 1, "room-1", "token-1", held, new Uint8Array(8)]);
  page.deliver(snapshot(held + 9, 9, moveShips([0], [5])));
  assert.equal(page.game.entities.get(1)?.x, (64 + 1 + 5) / 64);
  assert.deepEqual(page.told("removed"), []);
});

test("each connection resumes with the token of the last", () => {
  const page = new Page().join();
  for (const token of ["token-1", "token-2", "token-3"]) {
    page.server.time.advance(6000);
    page.socket.end(4020);
    page.server.time.advance(10);
    assert.equal(page.socket.received[0][3], token);
  }
});

test("a resume that fails becomes a join, at once", () => {
  const page = new Page().join();
  const welcomes = page.answer;
  page.answer = (socket, message) => (message[0] === RESUME ? socket.end(4010) : welcomes(socket, message));
  page.socket.end(1006);
  page.server.time.advance(260);
  assert.deepEqual(page.server.sockets.map((socket) => socket.received[0][0]), [JOIN, RESUME, JOIN]);
  page.deliver(snapshot(7, 0, spawnShips({ 2: 128, 9: 9 })));
  assert.deepEqual([...page.game.entities.keys()], [2, 9]);
  assert.deepEqual(page.told("removed"), [["Ship", 1]]);
});

test("a server that says come back at once is taken at its word once, then with pauses", () => {
  const page = new Page();
  page.answer = (socket) => socket.end(4020);
  page.server.time.advance(4000);
  const pauses = page.told("status").filter(([status]) => status === "reconnecting").map(([, , , pause]) => pause);
  assert.deepEqual(pauses.slice(0, 4), [0, 500, 1000, 2000]);
});

test("a connection that lasted starts the pauses anew", () => {
  const page = new Page().join();
  for (let i = 0; i < 3; i++) {
    page.server.time.advance(6000);
    page.socket.end(1006);
    page.server.time.advance(300);
  }
  const pauses = page.told("status").filter(([status]) => status === "reconnecting").map(([, , , pause]) => pause);
  assert.deepEqual(pauses, [250, 250, 250]);
});

test("without reconnect the first loss is the end", async () => {
  const page = new Page({ reconnect: false });
  page.server.connected = (socket) => socket.end(1006);
  page.server.time.advance(60_000);
  await settled();
  assert.equal(page.ready.reason, "The server does not answer.");
  assert.equal(page.game.status, "closed");
});

test("a server that accepts but says nothing is given up after 10 s", () => {
  const page = new Page();
  page.answer = () => {};
  page.server.time.advance(10_100);
  assert.equal(page.told("status").at(-1)?.[2], "The server took too long to answer.");
  assert.notEqual(page.socket.closedByClient, null);
});

test("a connection that fell silent is given up, one that only has no news is not", () => {
  const page = new Page().join();
  page.server.time.advance(60_000);
  assert.equal(page.game.status, "playing");
  page.answer = () => {};
  const { socket } = page;
  page.server.time.advance(10_000);
  assert.equal(socket.closedByClient?.code, 4045, "a code that keeps the seat");
  assert.deepEqual(page.told("status")[2], ["reconnecting", 0, "The server fell silent.", 250]);
});

test("a page that slept for a minute hears the server out before it calls it silent", () => {
  const page = new Page().join();
  page.server.time.advance(10_000);
  const answers = page.answer;
  for (let i = 0; i < 3; i++) {
    page.answer = () => {};
    page.server.time.advance(1000);
    page.server.time.sleep(60_000); // with a ping unanswered
    page.server.time.advance(100);
    page.answer = answers;
    page.server.time.advance(5000);
  }
  assert.deepEqual(page.statuses, ["connecting", "playing"]);
  assert.equal(page.server.sockets.length, 1);
  page.deliver(snapshot(page.serverTick, page.serverTick - 100, moveShips([0], [5])));
  page.draw(1000);
  page.deliver(snapshot(page.serverTick, 40));
  page.draw(1000);
  assert.equal(page.game.entities.get(1)?.view.x, (64 + 5) / 64, "drawn where it is now");
  assert.deepEqual([page.told("error"), page.server.reported], [[], []]);
});

test("a page whose connection died while it slept is back three seconds after it woke, with what it held", () => {
  const page = new Page().join();
  const held = page.serverTick + 1;
  page.deliver(snapshot(held, 1, moveShips([0], [1])));
  page.server.time.advance(10_000);
  const { socket: dead } = page;
  const answers = page.answer;
  page.answer = (socket, message) => void (socket !== dead && answers(socket, message));
  page.server.time.sleep(60_000);
  page.server.time.advance(3500);
  assert.deepEqual(page.statuses, ["connecting", "playing", "reconnecting", "connecting", "playing"]);
  assert.deepEqual(page.socket.received[0].slice(0, 5), [RESUME, 1, "room-1", "token-1", held]);
  page.deliver(snapshot(page.serverTick, page.serverTick - held, moveShips([0], [4])));
  page.draw(1000);
  page.deliver(snapshot(page.serverTick, 40));
  page.draw(1000);
  assert.equal(page.game.entities.get(1)?.view.x, (64 + 1 + 4) / 64);
  assert.deepEqual([page.told("removed"), page.told("error"), page.server.reported], [[], [], []]);
});

test("a page that was given up while it slept comes back at once, and anew when its seat is gone", () => {
  for (const isSeatGone of [false, true]) {
    const page = new Page().join();
    const answers = page.answer;
    page.answer = (socket, message) => (isSeatGone && message[0] === RESUME ? socket.end(4010) : answers(socket, message));
    page.server.time.sleep(60_000);
    page.socket.end(4045, "Nothing was heard of you for 15 s.");
    page.server.time.advance(1000);
    assert.equal(page.game.status, "playing");
    assert.deepEqual(page.server.sockets.map((socket) => socket.received[0][0]), isSeatGone ? [JOIN, RESUME, JOIN] : [JOIN, RESUME]);
    assert.deepEqual([page.told("error"), page.server.reported], [[], []]);
  }
});

test("pings are quick at first, then one a second", () => {
  const page = new Page().join();
  page.server.time.advance(1900);
  assert.equal(page.socket.sent(PING).length, 8);
  page.server.time.advance(10_000);
  assert.equal(page.socket.sent(PING).length, 18);
});

test("leaving says so, closes, and nothing comes after", async () => {
  const page = new Page().join();
  const { socket } = page;
  page.game.leave();
  page.game.leave();
  page.server.time.advance(60_000);
  assert.deepEqual(socket.closedByClient?.code, 1000);
  assert.equal(page.server.sockets.length, 1);
  assert.deepEqual(page.told("status").at(-1), ["closed", 4000, "You left the game.", 0]);
  assert.equal(page.server.time.pending, 0);
  assert.equal(page.game.send("Chat", { text: "hi" }), false);
});

test("leaving reaches the server before the close does", () => {
  const page = new Page().join();
  /** @type {any[]} */
  const order = [];
  page.socket.send = (data) => void order.push(data[1]);
  page.socket.close = () => void order.push("close");
  page.game.leave();
  assert.deepEqual(order, [LEAVE, "close"]);
});

test("leaving before the connection is made, while waiting, or from a listener works", () => {
  const early = new Page();
  early.game.leave();
  early.server.time.advance(60_000);
  assert.equal(early.server.sockets.length, 0);

  const waiting = new Page().join();
  waiting.socket.end(1006);
  waiting.server.time.advance(10);
  waiting.game.leave();
  waiting.server.time.advance(60_000);
  assert.equal(waiting.server.sockets.length, 1);

  for (const status of ["connecting", "playing", "reconnecting"]) {
    const page = new Page();
    page.game.on("status", (told) => void (told.status === status && page.game.leave()));
    page.server.time.advance(0);
    page.socket?.end(1006);
    page.server.time.advance(60_000);
    assert.equal(page.game.status, "closed", status);
    assert.equal(page.server.time.pending, 0, status);
    assert.deepEqual(page.server.reported, [], status);
  }
});

test("what an old connection still says is not heard", () => {
  const page = new Page().join();
  const old = page.socket;
  const { onmessage, onclose } = old;
  old.end(1006);
  page.server.time.advance(300);
  assert.notEqual(page.socket, old);
  assert.deepEqual([old.onmessage, old.onclose], [null, null]);
  assert.notEqual(onmessage, null);
  assert.notEqual(onclose, null);
  assert.equal(page.game.status, "playing");
});

test("an address that cannot work ends the game with a sentence", async () => {
  const page = new Page();
  page.server.connected = () => {
    throw new Error("blocked by the content security policy");
  };
  page.server.time.advance(0);
  await settled();
  assert.equal(page.ready.message, "ws://game.test/ws cannot be connected to: blocked by the content security policy");
});

test("the address may be left out, or be that of the page", () => {
  const at = (/** @type {string | undefined} */ url) => {
    const server = new FakeServer();
    connect(url, { room: "arena" }, server.runtime());
    server.time.advance(0);
    return server.socket.url;
  };
  assert.equal(at(undefined), "ws://game.test/ws");
  assert.equal(at("https://game.test:8443"), "wss://game.test:8443/ws");
  assert.equal(at("ws://game.test/arena/ws?x=1"), "ws://game.test/arena/ws?x=1");
});

test("a reservation is used once, and one that is gone ends the game", () => {
  const server = new FakeServer();
  const game = connect("ws://game.test", { reservation: "room-1.secret" }, server.runtime());
  server.time.advance(10);
  assert.deepEqual(server.socket.received[0].slice(0, 4), [JOIN, 1, "reserved", "room-1.secret"]);
  server.socket.onclose?.({ code: 4010, reason: "The reservation has been used or has expired: ask for another." });
  server.time.advance(60_000);
  assert.equal(game.status, "closed");
  assert.equal(server.sockets.length, 1);
});

test("a wrong call of connect is an error at its line", () => {
  assert.throws(() => connect(/** @type {any} */ (undefined), /** @type {any} */ ({})), UsageError);
  assert.throws(() => connect(/** @type {any} */ ({ roam: "arena" })), UsageError);
  assert.throws(() => connect({ room: "arena" }), /needs the server's URL/);
  assert.throws(() => connect("ftp://game.test", { room: "arena" }), /not a WebSocket URL/);
  assert.throws(() => connect("game test:", { room: "arena" }), UsageError);
  assert.throws(() => connect("ws://game.test", { room: "arena", options: { when: new Date() } }), UsageError);
});
