// @ts-check
/** Light or dark: what the system prefers, until the player says otherwise. */

const KEY = "tickwire.theme";

export class Theme {
  /** @type {((name: "dark" | "light") => void)[]} */
  #listeners = [];
  #system = matchMedia("(prefers-color-scheme: light)");
  /** @type {string | null} */
  #chosen = localStorage.getItem(KEY);

  constructor() {
    this.#system.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  /** @returns {"dark" | "light"} */
  get name() {
    if (this.#chosen === "dark" || this.#chosen === "light") return this.#chosen;
    return this.#system.matches ? "light" : "dark";
  }

  /** Switch, and remember it. */
  toggle() {
    this.#chosen = this.name === "dark" ? "light" : "dark";
    localStorage.setItem(KEY, this.#chosen);
    this.#apply();
  }

  /** Call back at every change. @param {(name: "dark" | "light") => void} listener */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  #apply() {
    document.documentElement.dataset.theme = this.name;
    for (const listener of this.#listeners) listener(this.name);
  }
}
