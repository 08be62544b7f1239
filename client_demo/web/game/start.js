// @ts-check
/** Before the game: who plays, and where. */

import { fit } from "./words.js";

const KEY = "tickwire.name";
const MOST_BYTES = 24;

/**
 * What the page's address asks for.
 * @param {string} search as in `location.search`
 * @returns {{name: string | null, auto: boolean, room: string | null}}
 */
export function wishes(search) {
  const asked = new URLSearchParams(search);
  const name = asked.get("name");
  return { name: name === null ? null : fit(name, MOST_BYTES), auto: asked.get("auto") === "1", room: asked.get("room") };
}

export class Start {
  /**
   * @param {HTMLFormElement} form
   * @param {HTMLInputElement} field
   * @param {(name: string) => void} play
   */
  constructor(form, field, play) {
    this.form = form;
    this.field = field;
    this.play = play;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.go();
    });
  }

  /** @param {{name: string | null, auto: boolean}} asked */
  open({ name, auto }) {
    this.field.value = name ?? localStorage.getItem(KEY) ?? "";
    if (auto) this.go();
    else this.reopen();
  }

  /** Show the card (again). */
  reopen() {
    this.form.hidden = false;
    this.field.focus({ preventScroll: true });
  }

  /** Close the card and start. */
  go() {
    const name = fit(this.field.value, MOST_BYTES);
    if (name) localStorage.setItem(KEY, name);
    this.form.hidden = true;
    this.play(name);
  }
}
