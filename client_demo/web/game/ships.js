// @ts-check
/** How a ship looks: light, flame, hull, shield, and above it a name and a bar. */

import { FULL_HP } from "./arena.js";
import { tint } from "./palette.js";

/** @typedef {import("./scene.js").Brush} Brush */
/** @typedef {import("./arena.js").Ship} Ship */
/** @typedef {import("./arena.js").Pose} Pose */

/** Half the width of a hull's picture, units. */
const REACH = 1.8;
const NAME_PIXELS = 13;

/**
 * @param {Brush} brush
 * @param {Ship} ship
 * @param {Pose} pose where to draw it
 * @param {{flash: number, flame: number}} look flash: 1 just hit .. 0; flame: how far the engine has spun up
 * @param {number} seconds
 */
export function drawShip(brush, ship, pose, look, seconds) {
  const { context, camera } = brush;
  if (!camera.sees(pose.x, pose.y, 5)) return;
  drawHalo(brush, ship, pose);
  context.save();
  context.translate(pose.x, pose.y);
  context.rotate(pose.heading);
  if (look.flame > 0.02) drawFlame(brush, look.flame, seconds, ship.id);
  context.drawImage(hull(brush, ship.hue), -REACH, -REACH, REACH * 2, REACH * 2);
  if (look.flash > 0.02) {
    context.globalAlpha = look.flash;
    context.drawImage(hull(brush, -1), -REACH, -REACH, REACH * 2, REACH * 2);
    context.globalAlpha = 1;
  }
  context.restore();
  if (ship.shield) drawShield(brush, ship, pose, seconds);
}

/** Name and hull above a ship; the own name is left out, its owner knows. @param {Brush} brush @param {Ship} ship @param {Pose} pose */
export function drawLabel(brush, ship, pose) {
  const { context, camera, palette } = brush;
  if (ship.mine || ship.name === "" || !camera.sees(pose.x, pose.y, 5)) return;
  const picture = nameplate(brush, ship.name);
  const width = picture.width / camera.scale;
  const height = picture.height / camera.scale;
  context.drawImage(picture, pose.x - width / 2, pose.y - 2.35 - height, width, height);
  const share = ship.hp / FULL_HP;
  context.fillStyle = palette.outline;
  context.fillRect(pose.x - 1.3, pose.y - 2.3, 2.6, 0.34);
  context.fillStyle = share > 0.5 ? tint(150, palette) : share > 0.25 ? tint(42, palette) : tint(352, palette);
  context.fillRect(pose.x - 1.24, pose.y - 2.24, 2.48 * share, 0.22);
}

/** @param {Brush} brush @param {Ship} ship @param {Pose} pose */
function drawHalo({ context, palette, sprites }, ship, pose) {
  const reach = 3.4;
  context.globalCompositeOperation = palette.glow;
  context.globalAlpha = palette.name === "dark" ? 0.42 : 0.3;
  context.drawImage(sprites.light(tint(ship.hue, palette), tint(ship.hue, palette, 0, 0)), pose.x - reach, pose.y - reach, reach * 2, reach * 2);
  context.globalAlpha = 1;
  context.globalCompositeOperation = "source-over";
}

/** @param {Brush} brush @param {number} power @param {number} seconds @param {number} id */
function drawFlame({ context, palette }, power, seconds, id) {
  const flicker = 0.8 + 0.2 * Math.sin(seconds * 60 + id) + 0.12 * Math.sin(seconds * 97 + id * 3);
  for (const [length, width, hue, lighter] of FLAME) {
    context.beginPath();
    context.moveTo(-0.8, -width);
    context.quadraticCurveTo(-1.2, 0, -0.9 - length * power * flicker, 0);
    context.quadraticCurveTo(-1.2, 0, -0.8, width);
    context.fillStyle = tint(hue, palette, lighter, 0.9);
    context.fill();
  }
}

/** Outer and inner flame: length, half width, hue, lighter by. @type {[number, number, number, number][]} */
const FLAME = [
  [2.3, 0.52, 22, -4],
  [1.5, 0.32, 45, 12],
  [0.8, 0.18, 52, 30],
];

/** @param {Brush} brush @param {Ship} ship @param {Pose} pose @param {number} seconds */
function drawShield({ context, palette }, ship, pose, seconds) {
  const pulse = 0.55 + 0.25 * Math.sin(seconds * 7);
  context.beginPath();
  context.arc(pose.x, pose.y, 1.95, 0, Math.PI * 2);
  context.fillStyle = tint(ship.hue, palette, 10, pulse * 0.16);
  context.fill();
  context.lineWidth = 0.13;
  context.strokeStyle = tint(ship.hue, palette, 10, pulse);
  context.stroke();
  context.beginPath();
  context.arc(pose.x, pose.y, 1.95, seconds * 2.4, seconds * 2.4 + 1.5);
  context.lineWidth = 0.2;
  context.strokeStyle = tint(ship.hue, palette, 22, 0.95);
  context.stroke();
}

/** The picture of a hull, pointing right; hue -1 is the white one shown at a hit. @param {Brush} brush @param {number} hue */
function hull({ sprites, palette, camera }, hue) {
  const size = REACH * 2 * camera.scale;
  return sprites.get(`hull ${hue}`, size, size, (context, width) => {
    context.scale(width / (REACH * 2), width / (REACH * 2));
    context.translate(REACH, REACH);
    context.lineJoin = "round";
    if (hue < 0) {
      context.fillStyle = palette.name === "dark" ? "#ffffff" : "#ff2f4e";
      context.fill(WINGS);
      context.fill(BODY);
    } else {
      paintHull(context, hue, palette);
    }
  });
}

/** The ship's shape, pointing right, in units. */
export const outline = new Path2D("M1.42 0 C1.1 -0.3 0.7 -0.4 0.35 -0.45 L-0.55 -1.18 L-1.12 -1.22 L-0.9 -0.3 L-0.9 0.3 L-1.12 1.22 L-0.55 1.18 L0.35 0.45 C0.7 0.4 1.1 0.3 1.42 0 Z");
const WINGS = new Path2D("M0.35 -0.35 L-0.55 -1.18 L-1.12 -1.22 L-0.78 -0.2 L-0.78 0.2 L-1.12 1.22 L-0.55 1.18 L0.35 0.35 Z");
const BODY = new Path2D("M1.42 0 C1 -0.34 0.3 -0.46 -0.55 -0.42 L-0.95 -0.3 L-0.95 0.3 L-0.55 0.42 C0.3 0.46 1 0.34 1.42 0 Z");
const COCKPIT = new Path2D("M0.86 0 C0.66 -0.2 0.36 -0.22 0.12 -0.17 L0.12 0.17 C0.36 0.22 0.66 0.2 0.86 0 Z");

/** @param {CanvasRenderingContext2D} context @param {number} hue @param {import("./palette.js").Palette} palette */
function paintHull(context, hue, palette) {
  const dark = palette.name === "dark";
  const metal = context.createLinearGradient(-1, 0, 1.4, 0);
  metal.addColorStop(0, tint(hue, palette, dark ? -34 : -14));
  metal.addColorStop(1, tint(hue, palette, dark ? -6 : 12));
  context.fillStyle = tint(hue, palette, dark ? -38 : -5);
  context.fill(WINGS);
  context.lineWidth = 0.11;
  context.strokeStyle = tint(hue, palette, dark ? 6 : -16);
  context.stroke(WINGS);
  context.fillStyle = metal;
  context.fill(BODY);
  context.strokeStyle = tint(hue, palette, dark ? 16 : -18);
  context.stroke(BODY);
  context.fillStyle = dark ? "#eaf6ff" : "#ffffff";
  context.globalAlpha = 0.92;
  context.fill(COCKPIT);
  context.globalAlpha = 1;
  context.fillStyle = tint(hue, palette, dark ? 20 : -20);
  for (const side of [-1, 1]) context.fillRect(-0.98, side * 0.98 - 0.09, 0.42, 0.18);
}

/** @param {Brush} brush @param {string} name */
function nameplate({ sprites, palette, ratio }, name) {
  const size = NAME_PIXELS * ratio;
  return sprites.get(`name ${name}`, size * 0.72 * (name.length + 2), size * 1.5, (context, width, height) => {
    context.font = `600 ${size}px Inter, "Segoe UI", system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = size / 4;
    context.strokeStyle = palette.outline;
    context.strokeText(name, width / 2, height / 2, width);
    context.fillStyle = palette.ink;
    context.fillText(name, width / 2, height / 2, width);
  });
}
