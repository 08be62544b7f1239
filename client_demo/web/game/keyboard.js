// @ts-check
/** The keyboard: which of the ship's controls are held down, and one-off keys. */

import { rudder } from "./steering.js";

/** By position on the keyboard, so that WASD is in one place on every layout. @type {Record<string, "left" | "right" | "thrust" | "fire">} */
const HELD = {
  ArrowLeft: "left",
  KeyA: "left",
  ArrowRight: "right",
  KeyD: "right",
  ArrowUp: "thrust",
  KeyW: "thrust",
  Space: "fire",
};

export class Keyboard {
  /** When each held control went down, in ms. @type {Map<string, {control: string, since: number}>} */
  #down = new Map();

  /** @param {Record<string, () => void>} once what to do at a key, by its code */
  constructor(once) {
    addEventListener("keydown", (event) => this.#press(event, once));
    addEventListener("keyup", (event) => this.#down.delete(event.code));
    // Keys let go of in another window are never reported.
    addEventListener("blur", () => this.release());
  }

  /** Let go of everything. */
  release() {
    this.#down.clear();
  }

  /** @param {number} nowMs @returns {import("./arena.js").Steer} */
  steer(nowMs) {
    const left = this.#heldMs("left", nowMs);
    const right = this.#heldMs("right", nowMs);
    return { turn: rudder(right) - rudder(left), thrust: this.#heldMs("thrust", nowMs) >= 0, fire: this.#heldMs("fire", nowMs) >= 0 };
  }

  /** @param {KeyboardEvent} event @param {Record<string, () => void>} once */
  #press(event, once) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const control = HELD[event.code];
    if (control) {
      event.preventDefault();
      if (!event.repeat) this.#down.set(event.code, { control, since: event.timeStamp });
    } else if (!event.repeat && once[event.code]) {
      // Else the key would go on to what the action gives the focus to: Enter would send the empty chat line.
      event.preventDefault();
      once[event.code]?.();
    }
  }

  /** How long a control has been held; -1 when it isn't. @param {string} control @param {number} nowMs */
  #heldMs(control, nowMs) {
    const since = [...this.#down.values()].filter((held) => held.control === control).map((held) => held.since);
    return since.length === 0 ? -1 : Math.max(0, nowMs - Math.min(...since));
  }
}

/** Whether a key belongs to a field or button and not to the ship. @param {KeyboardEvent} event */
function isTyping(event) {
  const { target } = event;
  if (target instanceof HTMLInputElement) return true;
  return target instanceof HTMLButtonElement && (event.code === "Space" || event.code === "Enter");
}
