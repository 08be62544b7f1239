// @ts-check
/** The network lab's sliders, switches and presets: they show the settings, and say what the player wants changed. */

import { PRESETS, SLIDERS, SWITCHES, presetOf } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {(changes: Partial<Settings>) => void} Change */

export class Controls {
  /** @type {((settings: Settings) => void)[]} */
  #shows = [];

  /**
   * @param {HTMLElement} presets @param {HTMLElement} sliders @param {HTMLElement} switches where they go
   * @param {Change} change
   */
  constructor(presets, sliders, switches, change) {
    for (const [name, preset] of Object.entries(PRESETS)) presets.append(this.#preset(name, () => change(preset)));
    for (const slider of SLIDERS) sliders.append(this.#slider(slider, change));
    for (const item of SWITCHES) switches.append(this.#switch(item, change));
  }

  /** @param {Settings} settings */
  show(settings) {
    for (const show of this.#shows) show(settings);
  }

  /** @param {string} name @param {() => void} choose */
  #preset(name, choose) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", choose);
    this.#shows.push((settings) => button.setAttribute("aria-pressed", String(presetOf(settings) === name)));
    return button;
  }

  /** @param {import("./settings.js").Slider} slider @param {Change} change */
  #slider({ name, label, stops, words }, change) {
    const [row, input, value] = [document.createElement("label"), document.createElement("input"), document.createElement("output")];
    input.type = "range";
    input.max = String(stops.length - 1);
    input.dataset.testid = `lab-${name}`;
    input.addEventListener("input", () => change({ [name]: stops[Number(input.value)] }));
    row.append(span(label), input, value);
    this.#shows.push((settings) => {
      input.value = String(stops.indexOf(settings[name]));
      value.textContent = words(settings[name]);
      input.setAttribute("aria-valuetext", value.textContent);
      // How long a stall lasts says nothing while there is none.
      row.classList.toggle("idle", name === "stall" && settings.every === 0);
    });
    return row;
  }

  /** @param {import("./settings.js").Switch} item @param {Change} change */
  #switch({ name, label, on, off }, change) {
    const [row, input, words] = [document.createElement("label"), document.createElement("input"), document.createElement("small")];
    row.className = "switch";
    input.type = "checkbox";
    input.setAttribute("role", "switch");
    input.dataset.testid = `lab-${name}`;
    input.addEventListener("change", () => change({ [name]: input.checked }));
    const text = span(label);
    text.append(words);
    row.append(text, input);
    this.#shows.push((settings) => {
      input.checked = settings[name];
      words.textContent = settings[name] ? on : off;
    });
    return row;
  }
}

/** @param {string} text */
function span(text) {
  const made = document.createElement("span");
  made.textContent = text;
  return made;
}
