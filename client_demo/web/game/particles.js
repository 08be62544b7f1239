// @ts-check
/** Sparks, flames and smoke: short-lived dots of light, in a pool of fixed size. */

import { tint } from "./palette.js";

/** @typedef {{x: number, y: number, vx: number, vy: number, age: number, life: number, size: number, hue: number, hot: number}} Particle */

/** More would not be seen, and slow machines have to draw them all. */
export const MOST = 500;
const DRAG = 1.6;
/** Colours are rounded to this, so that few pictures of light are needed. */
const HUE_STEP = 15;

export class Particles {
  /** @type {Particle[]} */
  #live = [];

  get count() {
    return this.#live.length;
  }

  /** Add one; when the pool is full the oldest goes. @param {Particle} particle */
  add(particle) {
    if (this.#live.length >= MOST) this.#live.shift();
    this.#live.push(particle);
  }

  /**
   * Throw `count` of them from a point in all directions.
   * @param {number} x
   * @param {number} y
   * @param {{count: number, speed: number, life: number, size: number, hue: number, hot?: number, vx?: number, vy?: number}} kind
   */
  burst(x, y, { count, speed, life, size, hue, hot = 0, vx = 0, vy = 0 }) {
    for (let i = 0; i < count; i++) {
      const angle = Math.random() * Math.PI * 2;
      const fast = speed * (0.15 + Math.random() * 0.85);
      this.add({
        x,
        y,
        vx: vx + Math.cos(angle) * fast,
        vy: vy + Math.sin(angle) * fast,
        age: 0,
        life: life * (0.4 + Math.random() * 0.6),
        size: size * (0.5 + Math.random() * 0.5),
        hue,
        hot,
      });
    }
  }

  /** Move all for a frame, drop those that have burnt out. @param {number} seconds */
  advance(seconds) {
    const keep = Math.exp(-DRAG * seconds);
    for (const dot of this.#live) {
      dot.age += seconds;
      dot.x += dot.vx * seconds;
      dot.y += dot.vy * seconds;
      dot.vx *= keep;
      dot.vy *= keep;
    }
    this.#live = this.#live.filter((dot) => dot.age < dot.life);
  }

  /** @param {import("./scene.js").Brush} brush */
  draw({ context, palette, camera, sprites }) {
    context.globalCompositeOperation = palette.glow;
    for (const dot of this.#live) {
      if (!camera.sees(dot.x, dot.y, dot.size)) continue;
      const left = 1 - dot.age / dot.life;
      const hue = Math.round(dot.hue / HUE_STEP) * HUE_STEP;
      const lighter = left < 0.6 ? 0 : dot.hot;
      context.globalAlpha = Math.min(1, left * 1.4);
      const reach = dot.size * (0.4 + left * 0.6);
      context.drawImage(sprites.light(tint(hue, palette, lighter), tint(hue, palette, lighter, 0)), dot.x - reach, dot.y - reach, reach * 2, reach * 2);
    }
    context.globalAlpha = 1;
    context.globalCompositeOperation = "source-over";
  }
}
