// @ts-check
/**
 * What the network lab can be set to: how good the link is, and which techniques hide it.
 *
 * All of it fits in the page's address, so that a state of the lab can be shared: `?rtt=150&jitter=40&panel=1`.
 */

/**
 * @typedef {object} Settings
 * @property {number} rtt ms that the link adds to the round trip
 * @property {number} jitter ms by which a round trip is longer or shorter at most
 * @property {number} every seconds from one stall to the next; 0: no stalls
 * @property {number} stall ms that a stall lasts
 * @property {number} rate kB per second each way; 0: no limit
 * @property {boolean} predict
 * @property {boolean} interpolate
 * @property {boolean} compensate
 * @property {boolean} ghost
 * @property {boolean} panel whether the lab is open
 *
 * @typedef {"rtt" | "jitter" | "every" | "stall" | "rate"} SliderName
 * @typedef {"predict" | "interpolate" | "compensate" | "ghost"} SwitchName
 * @typedef {{name: SliderName, label: string, stops: readonly number[], words: (value: number) => string}} Slider
 * @typedef {{name: SwitchName, label: string, on: string, off: string}} Switch
 */

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  rtt: 0, jitter: 0, every: 0, stall: 400, rate: 0,
  predict: true, interpolate: true, compensate: true, ghost: false, panel: false,
});

/** The link: each slider's stops, from the best to the worst. @type {readonly Slider[]} */
export const SLIDERS = [
  { name: "rtt", label: "Round trip", stops: upTo(400, 10), words: (value) => (value ? `+${value} ms` : "+0 ms") },
  { name: "jitter", label: "Jitter", stops: upTo(120, 5), words: (value) => `±${value} ms` },
  { name: "every", label: "A stall", stops: [0, 30, 20, 15, 10, 8, 5, 3, 2], words: (value) => (value ? `every ${value} s` : "never") },
  { name: "stall", label: "lasts", stops: upTo(1000, 50).slice(1), words: (value) => `${value} ms` },
  { name: "rate", label: "Bandwidth", stops: [0, 256, 128, 64, 32, 16, 8, 4], words: (value) => (value ? `${value} kB/s` : "no limit") },
];

/** The techniques, and what one sees with and without each. @type {readonly Switch[]} */
export const SWITCHES = [
  { name: "predict", label: "Prediction", on: "Your ship answers at once.", off: "Your ship answers after a round trip." },
  { name: "interpolate", label: "Interpolation", on: "Others glide, a little in the past.", off: "Others jump with each snapshot." },
  { name: "compensate", label: "Lag compensation", on: "Aim at what you see.", off: "Aim ahead by a round trip." },
  { name: "ghost", label: "Ghost", on: "The outline is you at the server.", off: "Show where the server last had you." },
];

/** @type {Readonly<Record<string, Pick<Settings, SliderName>>>} */
export const PRESETS = {
  LAN: { rtt: 0, jitter: 0, every: 0, stall: 400, rate: 0 },
  "Wi-Fi": { rtt: 30, jitter: 15, every: 0, stall: 400, rate: 0 },
  Mobile: { rtt: 90, jitter: 40, every: 15, stall: 300, rate: 64 },
  "Bad hotel": { rtt: 220, jitter: 80, every: 5, stall: 400, rate: 16 },
};

/** The name of the preset that the link is set to; null when it is none. @param {Settings} settings */
export function presetOf(settings) {
  const found = Object.entries(PRESETS).find(([, preset]) => JSON.stringify(conditionsOf(preset)) === JSON.stringify(conditionsOf(settings)));
  return found?.[0] ?? null;
}

/** What the link conditioner is to do. @param {Pick<Settings, SliderName>} settings */
export function conditionsOf({ rtt, jitter, every, stall, rate }) {
  return {
    delayMs: rtt / 2,
    jitterMs: jitter / 2,
    stallEveryMs: every > 0 ? every * 1000 : Infinity,
    stallMs: every > 0 ? stall : 0,
    bytesPerSecond: rate > 0 ? rate * 1000 : Infinity,
  };
}

/**
 * The settings in an address.
 * @param {string} search as in `location.search`
 * @returns {{settings: Settings, complaints: string[]}} values that can't be are left at their defaults, and named
 */
export function readAddress(search) {
  const asked = new URLSearchParams(search);
  /** @type {Record<string, number | boolean>} */
  const read = { ...DEFAULTS };
  /** @type {string[]} */
  const complaints = [];
  for (const [name, initial] of Object.entries(DEFAULTS)) {
    const text = asked.get(name);
    if (text === null) continue;
    const value = typeof initial === "boolean" ? flagOf(text) : stopOf(name, text);
    if (value === null) complaints.push(`The address has ${name}=${text}; use ${remedy(name)}.`);
    else read[name] = value;
  }
  return { settings: /** @type {Settings} */ (/** @type {unknown} */ (read)), complaints };
}

/**
 * An address with these settings, as short as can be; whatever else is in it stays.
 * @param {string} search
 * @param {Settings} settings
 */
export function writeAddress(search, settings) {
  const asked = new URLSearchParams(search);
  for (const [name, value] of Object.entries(settings)) {
    if (value === DEFAULTS[/** @type {keyof Settings} */ (name)]) asked.delete(name);
    else asked.set(name, String(Number(value)));
  }
  return asked.size > 0 ? `?${asked}` : "";
}

/** @param {string} text @returns {boolean | null} */
function flagOf(text) {
  return text === "1" ? true : text === "0" ? false : null;
}

/** The stop nearest to a number; null for what is no number of this slider. @param {string} name @param {string} text */
function stopOf(name, text) {
  const { stops } = sliderOf(name);
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= Math.min(...stops) && value <= Math.max(...stops))) return null;
  return stops.reduce((best, stop) => (Math.abs(stop - value) < Math.abs(best - value) ? stop : best));
}

/** @param {string} name */
function remedy(name) {
  if (typeof DEFAULTS[/** @type {keyof Settings} */ (name)] === "boolean") return "0 or 1";
  const { stops } = sliderOf(name);
  return `a number from ${Math.min(...stops)} to ${Math.max(...stops)}`;
}

/** @param {string} name */
function sliderOf(name) {
  return /** @type {Slider} */ (SLIDERS.find((slider) => slider.name === name));
}

/** @param {number} last @param {number} step */
function upTo(last, step) {
  return Array.from({ length: last / step + 1 }, (_, index) => index * step);
}
