// @ts-check
/**
 * How far in the past this player sees the world, as it is told to the server (PROTOCOL.md, VIEW).
 *
 * The server goes by it when it asks what the player saw: for shots, for instance. It is told again only when it
 * changed, before the input that it is for.
 */

import { encodeView, viewSteps } from "./messages.js";

/** An eighth of a tick: less than anybody aims. */
const LEAST_CHANGE_STEPS = 2;

export class ViewDelay {
  /** @type {number | null} */
  #told = null;

  /** Begin anew on a new connection. */
  restart() {
    this.#told = null;
  }

  /**
   * The answer to a PONG.
   * @param {number} t3
   * @param {number | null} delay in ticks; null when nothing has been drawn yet
   * @returns {Uint8Array}
   */
  answer(t3, delay) {
    if (delay !== null) this.#told = viewSteps(delay);
    return encodeView(t3, delay);
  }

  /**
   * The message before an input.
   * @param {number} delay in ticks
   * @returns {Uint8Array | null} null when the server knows it already, or nearly
   */
  update(delay) {
    const steps = viewSteps(delay);
    if (this.#told !== null && Math.abs(steps - this.#told) < LEAST_CHANGE_STEPS) return null;
    this.#told = steps;
    return encodeView(null, delay);
  }
}
