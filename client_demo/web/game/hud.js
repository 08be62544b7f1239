// @ts-check
/** The figures around the arena: scores, clock, hull, gun, ping. Touches the page only where something changed. */

import { FULL_HP, RELOAD_TICKS, ticksSince } from "./arena.js";
import { Feed } from "./feed.js";
import { Minimap } from "./minimap.js";
import { NetGraph, milliseconds } from "./netgraph.js";
import { element } from "./page.js";
import { Scoreboard } from "./scoreboard.js";

const PLACES = 8;
const PLACES_ON_PHONES = 5;
const SOON_SECONDS = 15;

/** Time left as minutes and seconds. @param {number} seconds */
export function clockFace(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** How good a share of the full figure is, as a class name. @param {number} share */
export function grade(share) {
  if (share > 0.5) return "good";
  return share > 0.25 ? "worn" : "low";
}

export class Hud {
  #box = element("hud", HTMLElement);
  #timer = element("timer", HTMLElement);
  #round = element("round", HTMLElement);
  #score = element("score", HTMLElement);
  #hp = element("hp", HTMLElement);
  #hullBar = element("hull-bar", HTMLElement);
  #gunBar = element("gun-bar", HTMLElement);
  #ping = element("ping", HTMLElement);
  #pingDot = element("ping-dot", HTMLElement);

  constructor() {
    const phone = matchMedia("(max-width: 720px)");
    this.scoreboard = new Scoreboard(element("scores", HTMLElement), phone.matches ? PLACES_ON_PHONES : PLACES);
    this.minimap = new Minimap(element("minimap", HTMLCanvasElement));
    this.feed = new Feed(element("feed", HTMLElement), { most: 5, seconds: 6 });
    this.chatLog = new Feed(element("chat-log", HTMLElement), { most: 6, seconds: 14 });
    this.graph = new NetGraph(
      element("graph", HTMLElement),
      element("graph-canvas", HTMLCanvasElement),
      element("graph-figures", HTMLElement),
    );
  }

  show() {
    this.#box.hidden = false;
  }

  /**
   * @param {import("./link.js").Link} game
   * @param {import("./arena.js").Ship | undefined} own
   * @param {import("./camera.js").Camera} camera
   * @param {"dark" | "light"} theme
   * @param {number} nowMs
   */
  update(game, own, camera, theme, nowMs) {
    this.scoreboard.update(game.ships());
    this.minimap.draw(game, camera, theme, nowMs);
    this.graph.draw(game.stats, nowMs);
    this.#updateClock(game);
    this.#updatePing(game.clock.rttMs);
    if (own) this.#updateShip(own);
  }

  /** @param {import("./link.js").Link} game */
  #updateClock(game) {
    const match = game.match();
    if (!match) return;
    const left = ticksSince(match.ends, game.clock.serverTick) / game.hz;
    write(this.#timer, clockFace(left));
    this.#timer.classList.toggle("soon", left < SOON_SECONDS);
    write(this.#round, `Round ${match.round}`);
  }

  /** @param {number} rttMs */
  #updatePing(rttMs) {
    if (!write(this.#ping, milliseconds(Math.round(rttMs)))) return;
    this.#pingDot.className = `dot ${rttMs < 90 ? "good" : rttMs < 180 ? "worn" : "low"}`;
  }

  /** @param {import("./arena.js").Ship} own */
  #updateShip(own) {
    write(this.#score, String(own.score));
    if (write(this.#hp, String(own.hp))) {
      this.#hullBar.setAttribute("aria-valuenow", String(own.hp));
      this.#hullBar.className = `bar ${grade(own.hp / FULL_HP)}`;
      fill(this.#hullBar, own.hp / FULL_HP);
    }
    fill(this.#gunBar, own.alive ? 1 - Math.min(1, own.reload / RELOAD_TICKS) : 0);
  }
}

/** Write a text if it differs. @param {HTMLElement} box @param {string} text @returns {boolean} whether it did */
function write(box, text) {
  if (box.textContent === text) return false;
  box.textContent = text;
  return true;
}

/** @param {HTMLElement} bar @param {number} share */
function fill(bar, share) {
  const inner = bar.firstElementChild;
  const transform = `scaleX(${share.toFixed(2)})`;
  if (inner instanceof HTMLElement && inner.style.transform !== transform) inner.style.transform = transform;
}
