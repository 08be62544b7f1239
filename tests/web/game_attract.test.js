// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Attract } from "../../client_demo/web/game/attract.js";
import { seeded } from "../../client_demo/web/sdk/chance.js";
import { HEIGHT, WIDTH } from "../../client_demo/web/game/flight.js";

test("the ships behind the start card fly, and stay inside the walls", () => {
  const attract = new Attract();
  const before = attract.ships().map(({ view }) => ({ ...view }));
  for (let frame = 0; frame < 600; frame++) {
    attract.advance(50 + frame / 60);
    for (const { view } of attract.ships()) assert.ok(view.x > 0 && view.x < WIDTH && view.y > 0 && view.y < HEIGHT);
  }
  const moved = attract.ships().map(({ view }, i) => Math.hypot(view.x - (before[i]?.x ?? 0), view.y - (before[i]?.y ?? 0)));
  assert.ok(moved.every((way) => way > 2));
});

test("after a long pause they go on where they were", () => {
  const attract = new Attract();
  for (let frame = 0; frame < 60; frame++) attract.advance(frame / 60);
  const [ship] = attract.ships();
  const x = ship?.x ?? 0;
  attract.advance(3600);
  assert.ok(Math.abs((ship?.x ?? 0) - x) < 1);
});

test("the same seed gives the same numbers, all over the range from 0 to 1", () => {
  const [one, other] = [seeded(3), seeded(3)];
  const numbers = Array.from({ length: 2000 }, () => one());
  assert.deepEqual(numbers, Array.from({ length: 2000 }, () => other()));
  assert.ok(Math.min(...numbers) >= 0 && Math.max(...numbers) < 1);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  assert.ok(mean > 0.46 && mean < 0.54);
});
