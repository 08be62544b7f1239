// @ts-check
/** Chat: Enter opens the line, Enter says it, Escape closes it. */

import { fit } from "./words.js";

const MOST_BYTES = 120;

export class Chat {
  /**
   * @param {HTMLFormElement} form
   * @param {HTMLInputElement} input
   * @param {HTMLElement} game gets the focus back
   * @param {(text: string) => void} say
   */
  constructor(form, input, game, say) {
    this.form = form;
    this.input = input;
    this.game = game;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = fit(input.value, MOST_BYTES);
      if (text) say(text);
      this.close();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    input.addEventListener("blur", () => {
      form.hidden = true;
    });
  }

  open() {
    this.form.hidden = false;
    this.input.focus();
  }

  close() {
    this.input.value = "";
    this.form.hidden = true;
    this.game.focus();
  }
}
