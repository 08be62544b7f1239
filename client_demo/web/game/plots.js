// @ts-check
/** The network lab's plots: what they measure, and the figures below them. */

import { Recorder } from "./recorder.js";
import { drawSparkline } from "./sparkline.js";

/** @typedef {ReturnType<typeof import("../sdk/tickwire.js").connect>} Game */
/** @typedef {"rtt" | "jitter" | "lead" | "error" | "delay"} PlotName */
/** @typedef {{name: PlotName, label: string, unit: string, digits: number, least: number}} Plot */

/** @type {readonly Plot[]} */
export const PLOTS = [
  { name: "rtt", label: "Round trip", unit: "ms", digits: 0, least: 50 },
  { name: "jitter", label: "Snapshot jitter", unit: "ms", digits: 0, least: 20 },
  { name: "lead", label: "Input lead", unit: "ticks", digits: 1, least: 5 },
  { name: "error", label: "Prediction error", unit: "units", digits: 2, least: 0.5 },
  { name: "delay", label: "Interpolation delay", unit: "ms", digits: 0, least: 100 },
];

/** Drawn so often: it moves, and costs little. */
const INTERVAL_MS = 66;

/**
 * What is measured in a frame; NaN for what there is none of.
 * @param {Game} game
 * @returns {Record<PlotName, number>}
 */
export function measure({ status, clock, hz, prediction }) {
  if (status !== "playing") return NOTHING;
  return {
    rtt: clock.lastRttMs || NaN,
    jitter: clock.jitterMs,
    lead: clock.leadTicks,
    error: prediction?.entity ? prediction.errorUnits : NaN,
    delay: (clock.delayTicks * 1000) / hz,
  };
}

/** @type {Readonly<Record<PlotName, number>>} */
const NOTHING = { rtt: NaN, jitter: NaN, lead: NaN, error: NaN, delay: NaN };

/**
 * What is counted, as name and value.
 * @param {Game} game
 * @returns {[string, number][]}
 */
export function counts({ stats, prediction }) {
  return [
    ["late inputs", stats.late],
    ["corrections", prediction?.corrections ?? 0],
    ["resyncs", stats.resyncs],
  ];
}

/** A measured value for a person; a dash while there is none. @param {number} value @param {Pick<Plot, "unit" | "digits">} plot */
export function figure(value, { unit, digits }) {
  return Number.isFinite(value) ? `${value.toFixed(digits)} ${unit}` : `– ${unit}`;
}

export class Plots {
  recorder = new Recorder(PLOTS.map(({ name }) => name));
  #rows;
  #list;
  #drawn = 0;

  /** @param {HTMLElement} graphs @param {HTMLElement} list where plots and counts go */
  constructor(graphs, list) {
    this.#rows = PLOTS.map((plot) => ({ plot, ...row(plot) }));
    this.#list = list;
    graphs.append(...this.#rows.map(({ box }) => box));
  }

  /** Measure; call it every frame, whether the plots are seen or not. @param {Game} game @param {number} nowMs */
  note(game, nowMs) {
    this.recorder.note(measure(game), nowMs);
  }

  /** @param {Game} game @param {number} nowMs */
  draw(game, nowMs) {
    if (nowMs - this.#drawn < INTERVAL_MS) return;
    this.#drawn = nowMs;
    const now = measure(game);
    for (const { plot, canvas, value } of this.#rows) {
      drawSparkline(canvas, this.recorder.series[plot.name], plot.least);
      write(value, figure(now[plot.name], plot));
    }
    const words = counts(game).map(([name, count]) => `${count} ${name}`).join(" · ");
    write(this.#list, words);
  }
}

/** @param {Plot} plot */
function row({ name, label }) {
  const [box, caption, words, value, canvas] = [create("figure"), create("figcaption"), create("span"), create("b"), create("canvas")];
  words.textContent = label;
  value.dataset.testid = `lab-plot-${name}`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${label} over the last 20 seconds`);
  canvas.dataset.plot = name;
  caption.append(words, value);
  box.append(caption, canvas);
  return { box, canvas, value };
}

/** @template {keyof HTMLElementTagNameMap} Tag @param {Tag} tag @returns {HTMLElementTagNameMap[Tag]} */
function create(tag) {
  return document.createElement(tag);
}

/** @param {HTMLElement} box @param {string} text */
function write(box, text) {
  if (box.textContent !== text) box.textContent = text;
}
