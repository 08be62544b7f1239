// @ts-check
/** Touch: a stick that appears under the left thumb, and a fire button under the right one. */

import { follow } from "./steering.js";

/** How far the thumb moves for a full push, CSS pixels. */
const REACH = 54;

export class Thumbs {
  #x = 0;
  #y = 0;
  #fire = false;
  /** @type {number | null} */
  #thumb = null;
  #origin = { x: 0, y: 0 };

  /**
   * @param {HTMLElement} layer shown from the first touch on
   * @param {HTMLElement} stick
   * @param {HTMLElement} fire
   * @param {HTMLElement} surface where the left thumb may land
   */
  constructor(layer, stick, fire, surface) {
    this.layer = layer;
    this.stick = stick;
    if (matchMedia("(pointer: coarse)").matches) layer.hidden = false;
    surface.addEventListener("pointerdown", (event) => this.#grab(event));
    surface.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      surface.addEventListener(end, (event) => this.#release(event));
      fire.addEventListener(end, () => this.#hold(fire, false));
    }
    fire.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      fire.setPointerCapture(event.pointerId);
      this.#hold(fire, true);
    });
  }

  /** @param {number} heading of the ship @returns {import("./arena.js").Steer} */
  steer(heading) {
    return { ...follow(this.#x, this.#y, heading), fire: this.#fire };
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    if (event.pointerType !== "touch" || this.#thumb !== null) return;
    this.layer.hidden = false;
    this.#thumb = event.pointerId;
    this.#origin = { x: event.clientX, y: event.clientY };
    const { left, top, width, height } = this.stick.getBoundingClientRect();
    // A thumb on the drawn stick pushes it from its middle; elsewhere the stick's middle is where it lands.
    if (event.clientX < left + width && event.clientY > top) this.#origin = { x: left + width / 2, y: top + height / 2 };
    this.#move(event);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerId !== this.#thumb) return;
    const x = (event.clientX - this.#origin.x) / REACH;
    const y = (event.clientY - this.#origin.y) / REACH;
    const long = Math.max(1, Math.hypot(x, y));
    this.#push(x / long, y / long);
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (event.pointerId !== this.#thumb) return;
    this.#thumb = null;
    this.#push(0, 0);
  }

  /** @param {number} x @param {number} y */
  #push(x, y) {
    this.#x = x;
    this.#y = y;
    const knob = this.stick.firstElementChild;
    if (knob instanceof HTMLElement) knob.style.translate = `${x * 38}px ${y * 38}px`;
  }

  /** @param {HTMLElement} fire @param {boolean} held */
  #hold(fire, held) {
    this.#fire = held;
    fire.classList.toggle("held", held);
  }
}
