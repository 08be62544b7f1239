// @ts-check
/**
 * Pictures drawn once and then copied: soft light, hulls, rocks, names.
 *
 * Gradients and text cost far more than copying pixels, above all where a browser has no graphics
 * card to draw with. The cache is emptied when the scale or the palette changes.
 */

/** More than a full room needs; names of players long gone don't pile up. */
const MOST = 400;

export class Sprites {
  /** @type {Map<string, HTMLCanvasElement>} */
  #made = new Map();

  /** Forget everything: colours or sizes have changed. */
  clear() {
    this.#made.clear();
  }

  /**
   * The picture of that key, drawn at its first use.
   * @param {string} key names all that the picture depends on
   * @param {number} width pixels
   * @param {number} height pixels
   * @param {(context: CanvasRenderingContext2D, width: number, height: number) => void} draw
   * @returns {HTMLCanvasElement}
   */
  get(key, width, height, draw) {
    const made = this.#made.get(key);
    if (made) return made;
    if (this.#made.size >= MOST) this.clear();
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.ceil(width));
    canvas.height = Math.max(1, Math.ceil(height));
    draw(context2d(canvas), canvas.width, canvas.height);
    this.#made.set(key, canvas);
    return canvas;
  }

  /** A round soft light. @param {string} colour @param {string} clear the same colour, fully transparent */
  light(colour, clear) {
    return this.get(`light ${colour}`, 64, 64, (context) => {
      const gradient = context.createRadialGradient(32, 32, 0, 32, 32, 32);
      gradient.addColorStop(0, colour);
      gradient.addColorStop(1, clear);
      context.fillStyle = gradient;
      context.fillRect(0, 0, 64, 64);
    });
  }
}

/** The drawing context of a canvas. @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
export function context2d(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no 2D canvas; a current one has.");
  return context;
}
