// @ts-check
/**
 * The bullets to draw. The server says once that a bullet was launched and once that it ended; in
 * between it is drawn from its launch and the tick shown. The picture runs behind the news: so a
 * bullet shows up when its launch is shown, and stays until its end is.
 */

import { bulletAt, flownTicks, ticksSince } from "./arena.js";
import { tint } from "./palette.js";

/** Ticks of flight that the trail shows. */
const TRAIL_TICKS = 2.6;
/** The server ends a bullet by then; the picture doesn't depend on hearing so. */
const LONGEST_FLIGHT_TICKS = 40;

/** @typedef {{x: number, y: number, heading: number, born: number, ahead: number, spent: number, hue: number, ends: number | null}} Shot */

export class Shots {
  /** @type {Map<number, Shot>} */
  #flying = new Map();

  get count() {
    return this.#flying.size;
  }

  /** @param {import("./arena.js").Bullet} bullet */
  launch(bullet) {
    const { x, y, heading, born, ahead, spent, by } = bullet;
    this.#flying.set(bullet.id, { x, y, heading, born, ahead, spent, hue: by?.hue ?? 50, ends: null });
  }

  /** @param {number} id @param {number} tick the tick in which it ended */
  end(id, tick) {
    const shot = this.#flying.get(id);
    if (shot) shot.ends = tick;
  }

  /** Everything is new: forget all. */
  clear() {
    this.#flying.clear();
  }

  /**
   * The bullets in the air at a tick, and where; those that have ended by then are forgotten.
   * @param {number} tick
   * @param {number} hz
   */
  at(tick, hz) {
    const shown = [];
    for (const [id, shot] of this.#flying) {
      const flown = flownTicks(shot, tick);
      const isSpent = shot.spent > 0 && flown >= shot.spent;
      const over = isSpent || flown > LONGEST_FLIGHT_TICKS || (shot.ends !== null && ticksSince(tick, shot.ends) >= 0);
      if (over) this.#flying.delete(id);
      else if (flown >= 0) shown.push({ shot, ...bulletAt(shot, tick, hz), trail: bulletAt(shot, tick - Math.min(flown, TRAIL_TICKS), hz) });
    }
    return shown;
  }

  /** @param {import("./scene.js").Brush} brush @param {number} tick @param {number} hz */
  draw({ context, palette, camera, sprites }, tick, hz) {
    context.globalCompositeOperation = palette.glow;
    context.lineCap = "round";
    for (const { shot, x, y, trail } of this.at(tick, hz)) {
      if (!camera.sees(x, y, 5)) continue;
      const fade = context.createLinearGradient(trail.x, trail.y, x, y);
      fade.addColorStop(0, tint(shot.hue, palette, 0, 0));
      fade.addColorStop(1, tint(shot.hue, palette, 8, 0.9));
      context.strokeStyle = fade;
      context.lineWidth = 0.34;
      context.beginPath();
      context.moveTo(trail.x, trail.y);
      context.lineTo(x, y);
      context.stroke();
      const light = sprites.light(tint(shot.hue, palette, 14), tint(shot.hue, palette, 0, 0));
      context.drawImage(light, x - 0.95, y - 0.95, 1.9, 1.9);
      context.fillStyle = palette.name === "dark" ? "#ffffff" : tint(shot.hue, palette, -16);
      context.beginPath();
      context.arc(x, y, 0.2, 0, Math.PI * 2);
      context.fill();
    }
    context.globalCompositeOperation = "source-over";
  }
}
