// @ts-check
/** What stands still in the arena: floor, grid, walls, rocks and repair crates. */

import { REPAIR_RADIUS } from "./arena.js";
import { seeded } from "../sdk/chance.js";

/** @typedef {import("./scene.js").Brush} Brush */

const GRID = 10;
/** Thicknesses of the light around the walls, laid over each other to a soft edge. */
const WALL_GLOW = [3.2, 2.85, 2.52, 2.2, 1.9, 1.62, 1.36, 1.12, 0.9, 0.7, 0.52, 0.36];
/** Far enough to cover all that the camera can see beyond the walls. */
const BEYOND = 60;

/** The grid, the walls, and the dark beyond them; inside, the sky is the floor. @param {Brush} brush @param {{width: number, height: number}} world */
export function drawFloor({ context, palette, camera }, { width, height }) {
  context.fillStyle = palette.beyond;
  context.beginPath();
  context.rect(-BEYOND, -BEYOND, width + 2 * BEYOND, height + 2 * BEYOND);
  context.rect(0, 0, width, height);
  context.fill("evenodd");
  context.strokeStyle = palette.grid;
  context.lineWidth = 1.2 / camera.scale;
  context.beginPath();
  for (let x = GRID; x < width; x += GRID) {
    context.moveTo(x, 0);
    context.lineTo(x, height);
  }
  for (let y = GRID; y < height; y += GRID) {
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  context.stroke();
  context.lineJoin = "round";
  context.strokeStyle = palette.wallGlow;
  for (const thickness of WALL_GLOW) {
    context.lineWidth = thickness;
    context.strokeRect(0, 0, width, height);
  }
  context.strokeStyle = palette.wall;
  context.lineWidth = 0.18;
  context.strokeRect(0, 0, width, height);
}

/** @param {Brush} brush @param {import("./arena.js").Rock} rock */
export function drawRock({ context, palette, camera, sprites }, rock) {
  if (!camera.sees(rock.x, rock.y, rock.radius * 1.2)) return;
  const reach = rock.radius * 1.15;
  const size = reach * 2 * camera.scale;
  const sprite = sprites.get(`rock ${rock.id} ${rock.radius}`, size, size, (target, width) => {
    target.scale(width / (reach * 2), width / (reach * 2));
    target.translate(reach, reach);
    paintRock(target, rock, palette);
  });
  context.drawImage(sprite, rock.x - reach, rock.y - reach, reach * 2, reach * 2);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./arena.js").Rock} rock
 * @param {import("./palette.js").Palette} palette
 */
function paintRock(context, { id, radius }, palette) {
  const chance = seeded(id * 31 + 5);
  const corners = Math.round(9 + radius * 1.4);
  const start = chance() * 6;
  context.beginPath();
  for (let i = 0; i < corners; i++) {
    const angle = start + ((i + chance() * 0.5) / corners) * Math.PI * 2;
    const far = radius * (0.93 + chance() * 0.13);
    context.lineTo(Math.cos(angle) * far, Math.sin(angle) * far);
  }
  context.closePath();
  const shade = context.createRadialGradient(-radius * 0.45, -radius * 0.5, radius * 0.1, 0, 0, radius * 1.15);
  shade.addColorStop(0, palette.rock[0]);
  shade.addColorStop(1, palette.rock[1]);
  context.fillStyle = shade;
  context.fill();
  context.save();
  context.clip();
  for (let i = 0; i < 5; i++) paintCrater(context, radius, chance, palette);
  context.restore();
  context.lineJoin = "round";
  context.lineWidth = 0.12;
  context.strokeStyle = palette.rockEdge;
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} radius of the rock
 * @param {() => number} chance
 * @param {import("./palette.js").Palette} palette
 */
function paintCrater(context, radius, chance, palette) {
  const angle = chance() * Math.PI * 2;
  const far = radius * Math.sqrt(chance()) * 0.85;
  const size = radius * (0.1 + chance() * 0.16);
  const x = Math.cos(angle) * far;
  const y = Math.sin(angle) * far;
  const crater = new Path2D();
  crater.ellipse(x, y, size, size * 0.85, angle, 0, Math.PI * 2);
  context.globalAlpha = 0.4;
  context.fillStyle = palette.rock[1];
  context.fill(crater);
  context.globalAlpha = 0.28;
  context.lineWidth = 0.1;
  context.strokeStyle = palette.rockEdge;
  context.stroke(crater);
  context.globalAlpha = 1;
}

/** @param {Brush} brush @param {import("./arena.js").Crate} crate @param {number} seconds */
export function drawCrate({ context, palette, camera, sprites }, crate, seconds) {
  if (!camera.sees(crate.x, crate.y, 4)) return;
  const pulse = 1 + Math.sin(seconds * 3 + crate.id) * 0.12;
  const halo = REPAIR_RADIUS * 2.4 * pulse;
  context.globalAlpha = 0.3;
  context.globalCompositeOperation = palette.glow;
  const light = sprites.light(palette.crate, "rgb(60 240 160 / 0%)");
  context.drawImage(light, crate.x - halo, crate.y - halo, halo * 2, halo * 2);
  context.globalCompositeOperation = "source-over";
  context.globalAlpha = 1;
  const size = REPAIR_RADIUS * 2.4;
  const sprite = sprites.get("crate", size * camera.scale, size * camera.scale, (target, width) => {
    target.scale(width / size, width / size);
    target.translate(size / 2, size / 2);
    paintCrate(target, palette);
  });
  context.save();
  context.translate(crate.x, crate.y);
  context.rotate(Math.sin(seconds * 0.8 + crate.id) * 0.25);
  context.drawImage(sprite, -size / 2, -size / 2, size, size);
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {import("./palette.js").Palette} palette */
function paintCrate(context, palette) {
  const half = REPAIR_RADIUS * 0.78;
  context.beginPath();
  context.roundRect(-half, -half, half * 2, half * 2, 0.32);
  context.fillStyle = palette.space;
  context.fill();
  context.lineWidth = 0.2;
  context.strokeStyle = palette.crate;
  context.stroke();
  context.fillStyle = palette.crate;
  context.fillRect(-0.17, -0.55, 0.34, 1.1);
  context.fillRect(-0.55, -0.17, 1.1, 0.34);
}
