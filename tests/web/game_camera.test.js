// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Camera } from "../../client_demo/web/game/camera.js";

const WORLD = { width: 120, height: 80 };

/** @param {number} width @param {number} height */
function camera(width, height) {
  const made = new Camera(WORLD);
  made.resize(width, height);
  return made;
}

/** Follow for so many seconds, at 60 frames a second. @param {Camera} camera @param {{x: number, y: number}} at @param {number} seconds */
function follow(camera, { x, y }, seconds) {
  for (let i = 0; i < seconds * 60; i++) camera.follow({ x, y, vx: 0, vy: 0 }, 1 / 60);
}

test("a desktop window shows 60 units across, a phone fewer", () => {
  const desktop = camera(1280, 800);
  assert.equal(desktop.width / desktop.scale, 60);
  const phone = camera(390, 844);
  assert.ok(phone.width / phone.scale < 35);
  assert.ok(phone.height / phone.scale < 67);
});

test("the camera comes to rest on a ship in the middle", () => {
  const made = camera(1280, 800);
  follow(made, { x: 50, y: 35 }, 2);
  assert.ok(Math.hypot(made.x - 50, made.y - 35) < 0.01);
});

test("the camera follows as fast at 30 frames a second as at 120", () => {
  const [slow, fast] = [camera(1280, 800), camera(1280, 800)];
  const target = { x: 40, y: 30, vx: 0, vy: 0 };
  for (let i = 0; i < 6; i++) slow.follow(target, 1 / 30);
  for (let i = 0; i < 24; i++) fast.follow(target, 1 / 120);
  assert.ok(Math.abs(slow.x - fast.x) < 1e-9);
});

test("the camera looks ahead of a moving ship", () => {
  const made = camera(1280, 800);
  for (let i = 0; i < 300; i++) made.follow({ x: 60, y: 40, vx: 20, vy: 0 }, 1 / 60);
  assert.ok(made.x > 64);
});

test("a ship in a corner is off the middle but clear of the scores, and little is seen beyond the walls", () => {
  for (const made of [camera(1280, 800), camera(390, 844)]) {
    follow(made, { x: 1.2, y: 1.2 }, 3);
    const at = { x: made.width / 2 + (1.2 - made.x) * made.scale, y: made.height / 2 + (1.2 - made.y) * made.scale };
    assert.ok(at.x > made.width / 4 && at.x < made.width / 2);
    assert.ok(at.y > made.height * 0.24 && at.y < made.height / 2);
  }
});

test("a window that shows all of the arena keeps it in the middle", () => {
  const made = camera(4000, 100);
  made.scale = 10;
  follow(made, { x: 5, y: 70 }, 3);
  assert.ok(Math.abs(made.x - 60) < 0.01);
});

test("a jolt fades, and a weaker one does not calm a stronger one", () => {
  const made = camera(1280, 800);
  made.jolt(1);
  made.jolt(0.2);
  assert.equal(made.shake, 1);
  follow(made, { x: 60, y: 40 }, 1);
  assert.ok(made.shake < 0.01);
});

test("a steady camera never shakes", () => {
  const made = camera(1280, 800);
  made.steady = true;
  made.jolt(2);
  assert.equal(made.shake, 0);
});

test("only what is in the picture is seen", () => {
  const made = camera(1280, 800);
  assert.ok(made.sees(60, 40, 0));
  assert.ok(made.sees(91, 40, 2));
  assert.ok(!made.sees(91, 40, 0.5));
});
