// @ts-check
/** Short lists whose lines go by themselves: who shot down whom, and what was said. */

import { nameColour } from "./page.js";

export class Feed {
  /** @param {HTMLElement} list @param {{most: number, seconds: number}} limits how many lines, and how long each stays */
  constructor(list, { most, seconds }) {
    this.list = list;
    this.most = most;
    this.seconds = seconds;
  }

  /** @param {{text: string, hue?: number}[]} parts a part with a hue is a name @param {boolean} mine */
  add(parts, mine = false) {
    const item = document.createElement("li");
    item.classList.toggle("mine", mine);
    for (const { text, hue } of parts) {
      const node = document.createElement(hue === undefined ? "span" : "b");
      node.textContent = text;
      if (hue !== undefined) nameColour(node, hue);
      item.append(node, " ");
    }
    this.list.append(item);
    while (this.list.children.length > this.most) this.list.firstElementChild?.remove();
    setTimeout(() => item.remove(), this.seconds * 1000);
  }
}
