// @ts-check
/** The big words in the middle: shot down, back in .. seconds, who won. */

export class Announcer {
  #until = 0;
  /** @type {((nowMs: number) => string) | null} */
  #words = null;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
  }

  /**
   * Say something for a while.
   * @param {string | ((leftMs: number) => string)} words may depend on the time left
   * @param {number} forMs
   * @param {number} nowMs
   */
  say(words, forMs, nowMs) {
    this.#until = nowMs + forMs;
    this.#words = (now) => (typeof words === "string" ? words : words(this.#until - now));
    this.update(nowMs);
  }

  /** Say nothing any more. */
  hush() {
    this.#words = null;
    this.box.textContent = "";
  }

  /** @param {number} nowMs */
  update(nowMs) {
    if (!this.#words) return;
    if (nowMs >= this.#until) {
      this.hush();
      return;
    }
    const text = this.#words(nowMs);
    if (this.box.textContent !== text) this.box.textContent = text;
  }
}
