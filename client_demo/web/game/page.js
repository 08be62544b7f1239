// @ts-check
/** The page's elements: found by id, of the type they must have, and coloured for a player. */

import { evened } from "./palette.js";

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} with the id "${id}"`);
  return found;
}

/** Give an element a player's colour, which the style sheet fits to the theme. @param {HTMLElement} box @param {number} hue */
export function nameColour(box, hue) {
  box.classList.add("named");
  box.style.setProperty("--hue", String(hue));
  // The dark correction lightens, the light one darkens: their sum does both without knowing the theme.
  box.style.setProperty("--evened", `${evened(hue, "dark") + evened(hue, "light")}%`);
}
