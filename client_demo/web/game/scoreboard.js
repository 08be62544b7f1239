// @ts-check
/** The list of scores: the best, and always the own place. */

import { nameColour } from "./page.js";

/** @typedef {import("./arena.js").Ship} Ship */
/** @typedef {{rank: number, ship: Ship}} Place */

/**
 * The places to list: the first `count`, the own one in the last line if it is farther down.
 * @param {readonly Ship[]} ships
 * @param {number} count
 * @returns {Place[]}
 */
export function places(ships, count) {
  const ranked = [...ships].sort((a, b) => b.score - a.score || a.id - b.id).map((ship, index) => ({ rank: index + 1, ship }));
  const own = ranked.find(({ ship }) => ship.mine);
  const shown = ranked.slice(0, count);
  if (own && own.rank > count) shown[count - 1] = own;
  return shown;
}

export class Scoreboard {
  #shown = "";

  /** @param {HTMLElement} list @param {number} count how many places it shows */
  constructor(list, count) {
    this.list = list;
    this.count = count;
  }

  /** Show the scores; touches the page only when they differ from what it shows. @param {readonly Ship[]} ships */
  update(ships) {
    const shown = places(ships, this.count);
    const key = shown.map(({ rank, ship }) => [rank, ship.id, ship.score, ship.alive, ship.name, ship.hue].join()).join(";");
    if (key === this.#shown) return;
    this.#shown = key;
    this.list.replaceChildren(...shown.map(line));
  }
}

/** @param {Place} place @returns {HTMLElement} */
function line({ rank, ship }) {
  const item = document.createElement("li");
  item.classList.toggle("mine", ship.mine);
  item.classList.toggle("down", !ship.alive);
  const dot = part("hue", "");
  nameColour(dot, ship.hue);
  item.append(part("rank", String(rank)), dot, part("who", ship.name), part("points", String(ship.score)));
  return item;
}

/** @param {string} name @param {string} text */
function part(name, text) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}
