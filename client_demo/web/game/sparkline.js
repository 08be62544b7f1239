// @ts-check
/** A small plot over time: a grid, a line, and what its top means. */

import { context2d } from "./sprites.js";
import { WINDOW_SECONDS } from "./recorder.js";

/** Lines of the grid, in seconds. */
const GRID_SECONDS = 5;
/** Room above the highest value, as a share. */
const HEADROOM = 1.08;

/**
 * The top of a plot: the next of 1, 2 or 5 times a power of ten, so that it seldom changes and reads well.
 * @param {number} highest what has to fit in
 * @param {number} least a plot of small changes is not blown up beyond this
 */
export function ceiling(highest, least) {
  const wanted = Math.max(highest * HEADROOM, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const times = [1, 2, 5, 10].find((candidate) => candidate * power >= wanted * (1 - 1e-9)) ?? 10;
  return times * power;
}

/**
 * Draw the plot, as sharp as the screen.
 * @param {HTMLCanvasElement} canvas its CSS gives `--line`, `--grid`, `--dim` and the font
 * @param {import("./recorder.js").Series} series
 * @param {number} least the least top
 */
export function drawSparkline(canvas, series, least) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (width === 0 || height === 0) return;
  fit(canvas, width, height);
  const context = context2d(canvas);
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const top = ceiling(series.highest, least);
  drawGrid(context, width, height, style.getPropertyValue("--grid"));
  drawLine(context, series, { width, height, top }, style.getPropertyValue("--line"));
  context.fillStyle = style.getPropertyValue("--dim");
  context.font = `10px ${style.fontFamily}`;
  context.textBaseline = "top";
  context.fillText(String(top), 3, 2.5);
}

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} height CSS pixels */
function fit(canvas, width, height) {
  const pixels = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
  // Setting a canvas's size empties it and costs memory, even when it is the same.
  if (canvas.width !== pixels[0]) canvas.width = pixels[0] ?? 1;
  if (canvas.height !== pixels[1]) canvas.height = pixels[1] ?? 1;
}

/** Lines at the top, the middle and zero, and every few seconds. @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {string} colour */
function drawGrid(context, width, height, colour) {
  const step = (width * GRID_SECONDS) / WINDOW_SECONDS;
  context.fillStyle = colour;
  for (let x = width; x > 0; x -= step) context.fillRect(Math.round(x) - 1, 0, 1, height);
  for (const share of [0, 0.5, 1]) context.fillRect(0, Math.round(share * (height - 1)), width, 1);
}

/** @typedef {{width: number, height: number, top: number}} Frame */

/** The line with a tinted area below it, in as many pieces as there are gaps. @param {CanvasRenderingContext2D} context @param {import("./recorder.js").Series} series @param {Frame} frame @param {string} colour */
function drawLine(context, series, { width, height, top }, colour) {
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = colour;
  for (const [first, last] of pieces(series)) {
    const path = new Path2D();
    for (let index = first; index <= last; index++) {
      const share = Math.min(Math.max(series.at(index) / top, 0), 1);
      path.lineTo(((index + 1) / series.length) * width, (height - 1.5) * (1 - share) + 0.5);
    }
    context.stroke(path);
    path.lineTo(((last + 1) / series.length) * width, height);
    path.lineTo(((first + 1) / series.length) * width, height);
    context.globalAlpha = 0.14;
    context.fill(path);
    context.globalAlpha = 1;
  }
}

/** The longest runs of buckets that have a value, as first and last index. @param {import("./recorder.js").Series} series */
function pieces(series) {
  /** @type {[number, number][]} */
  const found = [];
  for (let index = 0; index < series.length; index++) {
    if (Number.isNaN(series.at(index))) continue;
    const last = found[found.length - 1];
    if (last && last[1] === index - 1) last[1] = index;
    else found.push([index, index]);
  }
  return found;
}
