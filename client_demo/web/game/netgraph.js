// @ts-check
/** The net graph: bytes of each snapshot as bars, the time between snapshots as a line, and the figures in words. */

import { context2d } from "./sprites.js";

/** @typedef {{tick: number, bytesPerSecond: number, rttMs: number, jitterMs: number, snapshotIntervalMs: number, snapshotsPerSecond: number, late: number}} Stats */

/** Snapshots shown. */
const BARS = 90;
/** The figures are refreshed so often: faster can't be read. */
const INTERVAL_MS = 250;

/**
 * The figures to show, as name and value.
 * @param {Stats} stats
 * @returns {[string, string][]}
 */
export function figures(stats) {
  return [
    ["tick", String(stats.tick)],
    ["in", bytes(stats.bytesPerSecond)],
    ["round trip", milliseconds(stats.rttMs)],
    ["jitter", milliseconds(stats.jitterMs)],
    ["interval", milliseconds(stats.snapshotIntervalMs)],
    ["snapshots", `${finite(stats.snapshotsPerSecond).toFixed(0)}/s`],
  ];
}

/** A number of milliseconds for a person; a dash while there is none. @param {number} value */
export function milliseconds(value) {
  return Number.isFinite(value) ? `${value < 10 && value % 1 !== 0 ? value.toFixed(1) : value.toFixed(0)} ms` : "– ms";
}

/** @param {number} value per second */
function bytes(value) {
  return finite(value) < 1000 ? `${finite(value).toFixed(0)} B/s` : `${(value / 1000).toFixed(1)} kB/s`;
}

/** @param {number} value */
function finite(value) {
  return Number.isFinite(value) ? value : 0;
}

export class NetGraph {
  /** @type {{bytes: number, interval: number}[]} */
  #samples = [];
  #last = 0;
  #drawn = 0;

  /** @param {HTMLElement} box @param {HTMLCanvasElement} canvas @param {HTMLElement} list */
  constructor(box, canvas, list) {
    this.box = box;
    this.canvas = canvas;
    this.list = list;
  }

  /** Show or hide it. @returns {boolean} whether it is shown now */
  toggle() {
    this.box.hidden = !this.box.hidden;
    return !this.box.hidden;
  }

  /** Take note of a snapshot. @param {number} size bytes @param {number} nowMs */
  snapshot(size, nowMs) {
    this.#samples.push({ bytes: size, interval: this.#last === 0 ? 0 : nowMs - this.#last });
    this.#last = nowMs;
    if (this.#samples.length > BARS) this.#samples.shift();
  }

  /** @param {Stats} stats @param {number} nowMs */
  draw(stats, nowMs) {
    if (this.box.hidden || nowMs - this.#drawn < INTERVAL_MS) return;
    this.#drawn = nowMs;
    this.#drawFigures(stats);
    this.#drawGraph();
  }

  /** @param {Stats} stats */
  #drawFigures(stats) {
    const rows = figures(stats).map(([name, value]) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const detail = document.createElement("dd");
      term.textContent = name;
      detail.textContent = value;
      row.append(term, detail);
      return row;
    });
    this.list.replaceChildren(...rows);
  }

  #drawGraph() {
    const { canvas } = this;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
    const context = context2d(canvas);
    const style = getComputedStyle(canvas);
    const step = canvas.width / BARS;
    const top = Math.max(64, ...this.#samples.map((sample) => sample.bytes));
    context.fillStyle = style.getPropertyValue("--accent");
    this.#samples.forEach((sample, index) => {
      const height = (sample.bytes / top) * canvas.height;
      context.fillRect(index * step, canvas.height - height, Math.max(1, step - devicePixelRatio), height);
    });
    context.strokeStyle = style.getPropertyValue("--warn");
    context.lineWidth = 1.5 * devicePixelRatio;
    context.beginPath();
    const longest = Math.max(100, ...this.#samples.map((sample) => sample.interval));
    this.#samples.forEach((sample, index) => {
      context.lineTo((index + 0.5) * step, canvas.height * (1 - sample.interval / longest));
    });
    context.stroke();
  }
}
