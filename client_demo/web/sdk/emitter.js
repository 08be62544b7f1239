// @ts-check
/** Named events with listeners. A listener that throws is reported and disturbs nobody else. */

export class Emitter {
  /** @type {Map<string, Set<(...args: any[]) => void>>} */
  #listeners = new Map();
  #report;

  /** @param {(error: unknown) => void} report takes what listeners throw */
  constructor(report) {
    this.#report = report;
  }

  /**
   * @param {string} name
   * @param {(...args: any[]) => void} listener
   * @returns {() => void} call it to stop listening
   */
  on(name, listener) {
    let listeners = this.#listeners.get(name);
    if (!listeners) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** @param {string} name */
  has(name) {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /**
   * @param {string} name
   * @param {...any} args
   */
  emit(name, ...args) {
    const listeners = this.#listeners.get(name);
    if (!listeners) return;
    for (const listener of listeners) {
      try {
        listener(...args);
      } catch (error) {
        // Whatever the page's code throws: it must not stop the state from being applied.
        this.#report(error);
      }
    }
  }
}
