// @ts-check
/** What lies behind the arena: clouds, and stars that move less the farther away they are. */

import { seeded } from "../sdk/chance.js";
import { context2d } from "./sprites.js";

/** Distance layers: how much of the camera's way they move, how many stars, how big. */
const LAYERS = [
  { depth: 0.12, count: 150, size: 0.9, alpha: 0.45 },
  { depth: 0.26, count: 80, size: 1.4, alpha: 0.7 },
  { depth: 0.45, count: 34, size: 2.1, alpha: 0.95 },
];
/** Clouds are soft: painted on few pixels and enlarged once, since to enlarge them in every frame is slow. */
const CLOUD_SHARE = 1 / 8;
const CLOUD_DEPTH = 0.04;
/** How far the clouds reach beyond the picture on each side, as a share of it. */
const CLOUD_SLACK = 0.03;

export class Stars {
  #layers = LAYERS.map((layer, number) => ({ ...layer, stars: scatter(layer.count, number + 1) }));
  /** @type {HTMLCanvasElement | null} */
  #clouds = null;

  /** The palette or size has changed. */
  clear() {
    this.#clouds = null;
  }

  /**
   * Cover the whole canvas.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./camera.js").Camera} camera
   * @param {import("./palette.js").Palette} palette
   * @param {number} ratio canvas pixels per CSS pixel
   */
  draw(context, camera, palette, ratio) {
    const { width, height, scale } = camera;
    this.#clouds ??= clouds(width, height, palette);
    const shiftX = (camera.x / camera.world.width - 0.5) * CLOUD_DEPTH;
    const shiftY = (camera.y / camera.world.height - 0.5) * CLOUD_DEPTH;
    context.drawImage(this.#clouds, -Math.round((CLOUD_SLACK + shiftX) * width), -Math.round((CLOUD_SLACK + shiftY) * height));
    context.fillStyle = palette.star;
    for (const layer of this.#layers) {
      context.globalAlpha = layer.alpha;
      const size = layer.size * ratio;
      for (const star of layer.stars) {
        const x = positive(star.x * width - camera.x * scale * layer.depth, width);
        const y = positive(star.y * height - camera.y * scale * layer.depth, height);
        context.fillRect(x, y, size * star.size, size * star.size);
      }
    }
    context.globalAlpha = 1;
  }
}

/** @param {number} count @param {number} seed */
function scatter(count, seed) {
  const chance = seeded(seed);
  return Array.from({ length: count }, () => ({ x: chance(), y: chance(), size: 0.6 + chance() * 0.8 }));
}

/** The clouds for a picture of that size. @param {number} width @param {number} height @param {import("./palette.js").Palette} palette */
function clouds(width, height, palette) {
  const small = blank(width * CLOUD_SHARE, height * CLOUD_SHARE);
  paintClouds(small, palette);
  const large = blank(width * (1 + 2 * CLOUD_SLACK) + 1, height * (1 + 2 * CLOUD_SLACK) + 1);
  context2d(large).drawImage(small, 0, 0, large.width, large.height);
  return large;
}

/** @param {HTMLCanvasElement} canvas @param {import("./palette.js").Palette} palette */
function paintClouds(canvas, palette) {
  const context = context2d(canvas);
  context.fillStyle = palette.space;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const chance = seeded(7);
  const reach = Math.max(canvas.width, canvas.height);
  for (let i = 0; i < 7; i++) {
    const x = chance() * canvas.width;
    const y = chance() * canvas.height;
    const radius = reach * (0.22 + chance() * 0.3);
    const gradient = context.createRadialGradient(x, y, 0, x, y, radius);
    const [colour, density] = palette.nebulae[i % palette.nebulae.length] ?? ["0 0% 50%", 0];
    gradient.addColorStop(0, `hsl(${colour} / ${density})`);
    gradient.addColorStop(1, `hsl(${colour} / 0)`);
    context.fillStyle = gradient;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
}

/** @param {number} width @param {number} height */
function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  return canvas;
}

/** A remainder that is never negative. @param {number} value @param {number} size */
function positive(value, size) {
  return ((value % size) + size) % size;
}
