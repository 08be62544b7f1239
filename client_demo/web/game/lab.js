// @ts-check
/**
 * The network lab: make the network bad, switch the techniques that hide it off and on, and watch what each does.
 *
 *     address -> settings -> link conditioner, game          (what is set)
 *     controls -> settings -> link conditioner, game, address (what the player changes)
 *     game -> plots                                          (what comes of it)
 */

import { LinkConditioner } from "../sdk/tickwire.js";
import { Controls } from "./controls.js";
import { element } from "./page.js";
import { Plots } from "./plots.js";
import { conditionsOf, readAddress, writeAddress } from "./settings.js";

/** @typedef {ReturnType<typeof import("../sdk/tickwire.js").connect>} Game */
/** @typedef {import("./settings.js").Settings} Settings */

/** A link in the lab has the same jitter each time. */
const SEED = 1;

export class Lab {
  #box = element("lab", HTMLElement);
  #button = element("lab-button", HTMLButtonElement);
  #note = element("lab-note", HTMLElement);
  #view;
  #controls;
  /** @type {Settings} */
  #settings;
  /** @type {Game | null} */
  #game = null;
  /** What the server has been told of lag compensation on this connection; null: nothing. */
  /** @type {boolean | null} */
  #told = null;

  /** Put this into `connect`: it is what the sliders move. */
  link = new LinkConditioner({ seed: SEED });
  plots = new Plots(element("lab-graphs", HTMLElement), element("lab-counts", HTMLElement));

  /** @param {HTMLElement} view gets the focus back when the pointer is done with a control, so that the keys fly the ship */
  constructor(view) {
    this.#view = view;
    const { settings, complaints } = readAddress(location.search);
    this.#settings = settings;
    this.#controls = new Controls(element("lab-presets", HTMLElement), element("lab-sliders", HTMLElement), element("lab-show", HTMLElement), (changes) => this.change(changes));
    for (const tab of this.#tabs) tab.addEventListener("click", () => this.#turnTo(tab));
    element("lab-close", HTMLButtonElement).addEventListener("click", () => this.#close());
    this.#box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
    });
    this.#box.addEventListener("pointerup", () => view.focus({ preventScroll: true }));
    this.#turnTo(this.#tabs[0]);
    this.#say(complaints.join(" "));
    this.#apply();
  }

  get settings() {
    return this.#settings;
  }

  /** Change settings; at once, and in the address. @param {Partial<Settings>} changes */
  change(changes) {
    this.#settings = { ...this.#settings, ...changes };
    this.#say("");
    this.#apply();
    this.#remember();
  }

  /** Open or close it. */
  toggle() {
    this.change({ panel: !this.#settings.panel });
  }

  /** From now on this game is what is switched and measured. @param {Game} game */
  attach(game) {
    this.#game = game;
    game.on("status", ({ status }) => {
      this.#told = null;
      if (status === "playing") this.#applyTo(game);
    });
    this.#applyTo(game);
  }

  /** Measure and draw; call it once a frame. @param {number} nowMs */
  update(nowMs) {
    if (!this.#game) return;
    this.plots.note(this.#game, nowMs);
    if (this.#settings.panel) this.plots.draw(this.#game, nowMs);
  }

  #apply() {
    const { panel } = this.#settings;
    this.link.change(conditionsOf(this.#settings));
    this.#controls.show(this.#settings);
    this.#box.hidden = !panel;
    this.#button.setAttribute("aria-expanded", String(panel));
    document.documentElement.classList.toggle("with-lab", panel);
    if (this.#game) this.#applyTo(this.#game);
  }

  /** @param {Game} game */
  #applyTo(game) {
    const { predict, interpolate, compensate } = this.#settings;
    if (game.prediction && game.prediction.enabled !== predict) game.prediction.enabled = predict;
    game.interpolates = interpolate;
    const knows = game.schema?.events.some(({ name }) => name === "Practice");
    if (knows && compensate !== this.#told && game.send("Practice", { lag_compensation: compensate })) this.#told = compensate;
  }

  #close() {
    this.change({ panel: false });
    this.#view.focus({ preventScroll: true });
  }

  /** @returns {HTMLButtonElement[]} */
  get #tabs() {
    return [...this.#box.querySelectorAll("button")].filter((button) => button.dataset.tab !== undefined);
  }

  /** On a small screen there is room for one part at a time. @param {HTMLButtonElement | undefined} tab */
  #turnTo(tab) {
    if (!tab) return;
    this.#box.dataset.tab = tab.dataset.tab ?? "";
    for (const other of this.#tabs) other.setAttribute("aria-pressed", String(other === tab));
  }

  /** Write the settings into the address, so that it can be shared. */
  #remember() {
    history.replaceState(history.state, "", location.pathname + writeAddress(location.search, this.#settings) + location.hash);
  }

  /** @param {string} text */
  #say(text) {
    this.#note.textContent = text;
    this.#note.hidden = text === "";
  }
}
