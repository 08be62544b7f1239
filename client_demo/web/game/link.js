// @ts-check
/** The arena as typed by the page, over the SDK's connection to any room. */

/**
 * @typedef {import("./arena.js").Ship} Ship
 * @typedef {ReturnType<typeof import("../sdk/tickwire.js").connect>} Game
 */

export class Link {
  /** @param {Game} game */
  constructor(game) {
    this.game = game;
  }

  get clock() {
    return this.game.clock;
  }

  get stats() {
    return this.game.stats;
  }

  /** Of the own ship. */
  get prediction() {
    return this.game.prediction;
  }

  get hz() {
    return this.game.hz || 30;
  }

  /** @returns {Ship[]} */
  ships() {
    return this.#all("Ship");
  }

  /** @returns {import("./arena.js").Rock[]} */
  rocks() {
    return this.#all("Rock");
  }

  /** @returns {import("./arena.js").Crate[]} */
  crates() {
    return this.#all("Health");
  }

  /** @returns {import("./arena.js").Match | undefined} */
  match() {
    return /** @type {import("./arena.js").Match | undefined} */ (/** @type {unknown} */ (this.game.one("Match")));
  }

  /** The own ship, once it is there. */
  own() {
    return this.ships().find((ship) => ship.mine);
  }

  /** Say what the player does from now on. @param {import("./arena.js").Steer} steer */
  steer(steer) {
    Object.assign(this.game.input, steer);
  }

  /** @param {string} text */
  say(text) {
    this.game.send("Chat", { text });
  }

  /**
   * @template T
   * @param {string} type
   * @returns {T[]}
   */
  #all(type) {
    return /** @type {T[]} */ (/** @type {unknown} */ (this.game.all(type)));
  }
}
