// @ts-check
/** The map in the corner: rocks, crates, ships, and what part the camera shows. */

import { context2d } from "./sprites.js";
import { paletteOf, tint } from "./palette.js";

/** Redrawn so often: the eye doesn't need more in a corner. */
const INTERVAL_MS = 66;

export class Minimap {
  #context;
  #drawn = -Infinity;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.#context = context2d(canvas);
  }

  /**
   * @param {import("./link.js").Link} game
   * @param {import("./camera.js").Camera} camera
   * @param {"dark" | "light"} theme
   * @param {number} nowMs
   */
  draw(game, camera, theme, nowMs) {
    if (nowMs - this.#drawn < INTERVAL_MS) return;
    this.#drawn = nowMs;
    const context = this.#context;
    const palette = paletteOf(theme);
    const { width, height } = this.#fit();
    context.setTransform(width / camera.world.width, 0, 0, height / camera.world.height, 0, 0);
    context.clearRect(0, 0, camera.world.width, camera.world.height);
    context.fillStyle = palette.rockEdge;
    for (const rock of game.rocks()) this.#dot(rock.x, rock.y, rock.radius);
    context.fillStyle = palette.crate;
    for (const crate of game.crates()) context.fillRect(crate.x - 1.3, crate.y - 1.3, 2.6, 2.6);
    this.#frame(camera, palette);
    for (const ship of game.ships()) if (ship.alive) this.#ship(ship, palette);
  }

  /** @param {import("./arena.js").Ship} ship @param {import("./palette.js").Palette} palette */
  #ship(ship, palette) {
    this.#context.fillStyle = tint(ship.hue, palette);
    this.#dot(ship.view.x, ship.view.y, ship.mine ? 2.4 : 1.9);
    if (!ship.mine) return;
    this.#context.lineWidth = 0.9;
    this.#context.strokeStyle = palette.ink;
    this.#context.stroke();
  }

  /** @param {import("./camera.js").Camera} camera @param {import("./palette.js").Palette} palette */
  #frame(camera, palette) {
    const across = camera.width / camera.scale;
    const down = camera.height / camera.scale;
    this.#context.lineWidth = 0.6;
    this.#context.strokeStyle = palette.rockEdge;
    this.#context.strokeRect(camera.x - across / 2, camera.y - down / 2, across, down);
  }

  /** @param {number} x @param {number} y @param {number} radius */
  #dot(x, y, radius) {
    this.#context.beginPath();
    this.#context.arc(x, y, radius, 0, Math.PI * 2);
    this.#context.fill();
  }

  #fit() {
    const width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    const height = Math.round(this.canvas.clientHeight * devicePixelRatio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    return { width, height };
  }
}
