// @ts-check
/** What one sees when something happens: explosions, rings, sparks, hit markers, numbers, shaking. */

import { tint } from "./palette.js";

/**
 * @typedef {{x: number, y: number, age: number, life: number, reach: number, hue: number}} Ring
 * @typedef {{x: number, y: number, age: number, text: string, hue: number}} Figure
 * @typedef {import("./arena.js").Point} Point
 */

const FIGURE_SECONDS = 0.9;
const MARKER_SECONDS = 0.25;

export class Effects {
  /** @type {Ring[]} */
  #rings = [];
  /** @type {Figure[]} */
  #figures = [];
  #marker = { x: 0, y: 0, age: MARKER_SECONDS };

  /** @param {import("./particles.js").Particles} particles @param {import("./camera.js").Camera} camera */
  constructor(particles, camera) {
    this.particles = particles;
    this.camera = camera;
    /** How red the edges of the picture are, 0 .. 1. */
    this.damage = 0;
  }

  /** A ship blows up. @param {Point} at @param {number} hue @param {boolean} mine */
  explode({ x, y }, hue, mine) {
    this.particles.burst(x, y, { count: 46, speed: 24, life: 1.1, size: 1.1, hue, hot: 18 });
    this.particles.burst(x, y, { count: 34, speed: 13, life: 0.8, size: 1.9, hue: 28, hot: 26 });
    this.particles.burst(x, y, { count: 10, speed: 3, life: 0.45, size: 4.2, hue: 45, hot: 34 });
    this.#rings.push({ x, y, age: 0, life: 0.7, reach: 9, hue }, { x, y, age: 0, life: 0.45, reach: 5, hue: 45 });
    this.camera.jolt(mine ? 1.5 : this.camera.sees(x, y, 0) ? 0.5 : 0);
  }

  /**
   * A bullet reaches a ship.
   * @param {Point} at
   * @param {{hue: number, damage: number, mine: boolean, byMe: boolean}} what
   */
  hit({ x, y }, { hue, damage, mine, byMe }) {
    this.particles.burst(x, y, { count: damage > 0 ? 16 : 8, speed: 14, life: 0.4, size: 0.8, hue: damage > 0 ? 40 : hue, hot: 24 });
    this.#rings.push({ x, y, age: 0, life: 0.3, reach: 2.2, hue: damage > 0 ? 40 : hue });
    if (mine && damage > 0) {
      this.camera.jolt(0.7);
      this.damage = 1;
    }
    if (byMe) {
      this.#marker = { x, y, age: 0 };
      this.#figures.push({ x, y, age: 0, text: damage > 0 ? String(damage) : "shield", hue: damage > 0 ? 45 : hue });
    }
  }

  /** A gun fires. @param {Point} at @param {number} hue @param {boolean} mine */
  muzzle({ x, y }, hue, mine) {
    this.particles.burst(x, y, { count: 4, speed: 5, life: 0.16, size: 1.1, hue, hot: 26 });
    if (mine) this.camera.jolt(0.09);
  }

  /** A bullet ends. @param {Point} at @param {number} hue */
  fizzle({ x, y }, hue) {
    this.particles.burst(x, y, { count: 7, speed: 8, life: 0.3, size: 0.7, hue, hot: 16 });
  }

  /** A crate is taken. @param {Point} at */
  mend({ x, y }) {
    this.particles.burst(x, y, { count: 24, speed: 9, life: 0.7, size: 0.9, hue: 150, hot: 16 });
    this.#rings.push({ x, y, age: 0, life: 0.5, reach: 4, hue: 150 });
  }

  /** A ship comes into play. @param {Point} at @param {number} hue */
  appear({ x, y }, hue) {
    this.particles.burst(x, y, { count: 20, speed: 8, life: 0.6, size: 0.9, hue, hot: 20 });
    this.#rings.push({ x, y, age: 0, life: 0.6, reach: 5, hue });
  }

  /** @param {number} seconds */
  advance(seconds) {
    for (const part of [...this.#rings, ...this.#figures, this.#marker]) part.age += seconds;
    this.#rings = this.#rings.filter((ring) => ring.age < ring.life);
    this.#figures = this.#figures.filter((figure) => figure.age < FIGURE_SECONDS);
    this.damage *= Math.exp(-5 * seconds);
  }

  /** @param {import("./scene.js").Brush} brush */
  draw(brush) {
    const { context, palette } = brush;
    context.globalCompositeOperation = palette.glow;
    for (const ring of this.#rings) {
      const share = ring.age / ring.life;
      context.beginPath();
      context.arc(ring.x, ring.y, ring.reach * (1 - (1 - share) ** 3), 0, Math.PI * 2);
      context.lineWidth = 0.55 * (1 - share);
      context.strokeStyle = tint(ring.hue, palette, 10, 1 - share);
      context.stroke();
    }
    context.globalCompositeOperation = "source-over";
    for (const figure of this.#figures) this.#drawFigure(brush, figure);
    if (this.#marker.age < MARKER_SECONDS) this.#drawMarker(brush);
  }

  /** @param {import("./scene.js").Brush} brush @param {Figure} figure */
  #drawFigure({ context, palette, sprites, camera, ratio }, { x, y, age, text, hue }) {
    const size = 17 * ratio;
    const picture = sprites.get(`figure ${text} ${hue}`, size * (text.length * 0.7 + 1), size * 1.5, (target, width, height) => {
      target.font = `800 ${size}px Inter, "Segoe UI", system-ui, sans-serif`;
      target.textAlign = "center";
      target.textBaseline = "middle";
      target.lineWidth = size / 4;
      target.lineJoin = "round";
      target.strokeStyle = palette.outline;
      target.strokeText(text, width / 2, height / 2);
      target.fillStyle = tint(hue, palette, 4);
      target.fillText(text, width / 2, height / 2);
    });
    const width = picture.width / camera.scale;
    const height = picture.height / camera.scale;
    const share = age / FIGURE_SECONDS;
    context.globalAlpha = Math.min(1, 2 - share * 2);
    context.drawImage(picture, x - width / 2, y - 1.6 - height / 2 - 2.4 * (1 - (1 - share) ** 2), width, height);
    context.globalAlpha = 1;
  }

  /** Four strokes around the place where an own bullet hit. @param {import("./scene.js").Brush} brush */
  #drawMarker({ context, palette }) {
    const { x, y, age } = this.#marker;
    const share = age / MARKER_SECONDS;
    context.lineWidth = 0.2;
    context.lineCap = "round";
    context.strokeStyle = palette.ink;
    context.globalAlpha = 1 - share;
    context.beginPath();
    for (const [sx, sy] of /** @type {[number, number][]} */ ([[1, 1], [1, -1], [-1, 1], [-1, -1]])) {
      context.moveTo(x + sx * (0.9 + share * 0.5), y + sy * (0.9 + share * 0.5));
      context.lineTo(x + sx * (1.5 + share * 0.5), y + sy * (1.5 + share * 0.5));
    }
    context.stroke();
    context.globalAlpha = 1;
  }
}
