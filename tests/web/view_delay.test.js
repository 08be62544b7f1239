// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { decode } from "../../client_demo/web/sdk/msgpack.js";
import { ViewDelay } from "../../client_demo/web/sdk/view_delay.js";
import { INPUT, Page, PING, VIEW } from "./kit/session.js";
import { moveShips, snapshot } from "./kit/wire.js";

/** @param {Uint8Array | null} message */
function read(message) {
  return message && decode(message);
}

test("a delay is told once, and again when it changed by an eighth of a tick", () => {
  const view = new ViewDelay();
  assert.deepEqual(read(view.update(8)), [VIEW, null, 128]);
  assert.equal(view.update(8.09), null);
  assert.deepEqual(read(view.update(8.1)), [VIEW, null, 130]);
  assert.equal(view.update(8.05), null);
  view.restart();
  assert.deepEqual(read(view.update(8.05)), [VIEW, null, 129]);
});

test("every PONG is answered with its stamp, and with the delay once there is one", () => {
  const view = new ViewDelay();
  assert.deepEqual(read(view.answer(5.5, null)), [VIEW, 5.5, null]);
  assert.deepEqual(read(view.answer(6.5, 3)), [VIEW, 6.5, 48]);
  assert.equal(view.update(3), null, "the answer told it");
});

test("the delay told is the tick commanded minus the tick drawn, on a line of any length", () => {
  for (const delayMs of [0, 60, 150]) {
    const page = new Page();
    page.server.delayMs = () => delayMs;
    page.join();
    for (let i = 1; i <= 60; i++) {
      page.socket.deliver(snapshot(page.serverTick, 1, moveShips([0], [1])));
      page.draw(50);
    }
    const { clock } = page.game;
    const [, , told] = page.socket.sent(VIEW).filter(([, , delay]) => delay !== null).at(-1) ?? [];
    const shown = clock.leadTicks + clock.delayTicks;
    assert.ok(Math.abs(told / 16 - shown) < 0.2, `told ${told / 16}, shown ${shown}`);
    assert.ok(told / 16 >= (2 * delayMs * 20) / 1000 + 1, "at least the round trip");
  }
});

test("on a steady line little is told beyond the answers, and always before the input it is for", () => {
  const page = new Page();
  page.server.delayMs = () => 50;
  page.join();
  for (let i = 1; i <= 200; i++) {
    page.socket.deliver(snapshot(page.serverTick, 1, moveShips([0], [1])));
    page.draw(50);
  }
  const pings = page.socket.sent(PING).length;
  const views = page.socket.sent(VIEW);
  assert.ok(views.filter(([, t3]) => t3 !== null).length >= pings - 1);
  const extra = views.filter(([, t3]) => t3 === null).length;
  assert.ok(extra < 30, `${extra} of ${page.socket.sent(INPUT).length} inputs`);
  const kinds = page.socket.received.map(([kind]) => kind).slice(0, -1);
  page.socket.received.forEach(([kind, t3], at) => assert.ok(kind !== VIEW || t3 !== null || at === kinds.length || kinds[at + 1] === INPUT));
});
