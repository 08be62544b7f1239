// @ts-check
/**
 * The bullets to draw. The server says once that a bullet was launched and once that it ended; in between it is
 * drawn from its launch and the tick shown.
 *
 * The picture of the others runs behind the news: so their bullets show up when their launch is shown, and stay until
 * their end is. The own bullets are predicted, and fly on the own ship's time from the moment of the key press: since
 * the server makes up for just that delay (`Arena.catch_up`), they meet what they are seen to meet. So they stop
 * there at once, and fly on should the server say that they missed.
 */

import { bulletAt, flownTicks, ticksSince } from "./arena.js";
import { firstContact } from "./contact.js";
import { HEIGHT, WIDTH } from "./flight.js";
import { tint } from "./palette.js";

/** Ticks of flight that the trail shows. */
const TRAIL_TICKS = 2.6;
/** The server ends a bullet by then; the picture doesn't depend on hearing so. */
const LONGEST_FLIGHT_TICKS = 40;
/** The server's bullet is this far past a contact when it is clear that it missed. */
const MISS_TICKS = 2;
const NEUTRAL_HUE = 50;

/**
 * @typedef {import("./arena.js").Bullet} Bullet
 * @typedef {import("./arena.js").Flight} Flight
 * @typedef {import("./arena.js").Point} Point
 * @typedef {import("../sdk/predicted_events.js").PredictedEvent} PredictedEvent
 * @typedef {Point & {radius: number}} Disc
 *
 * @typedef {object} Shot
 * @property {Flight} flight
 * @property {number} hue
 * @property {boolean} isOwn predicted: it flies on the own time
 * @property {number | null} end after how many ticks of flight it ends, as far as known
 * @property {number | null} stopped after how many ticks of flight it met something, as seen here
 * @property {number} swept ticks of flight that were searched for contacts
 */

export class Shots {
  /** By entity's id, or before there is one by the predicted event. */
  /** @type {Map<number | PredictedEvent, Shot>} */
  #flying = new Map();

  get count() {
    return this.#flying.size;
  }

  /** Whether the bullet is here already, handed over from its prediction. @param {Bullet} bullet */
  has(bullet) {
    return this.#flying.has(bullet.id);
  }

  /** @param {Bullet} bullet */
  launch(bullet) {
    this.#flying.set(bullet.id, { flight: flightOf(bullet), hue: bullet.by?.hue ?? NEUTRAL_HUE, isOwn: false, end: bullet.spent || null, stopped: null, swept: 0 });
  }

  /** An own bullet, before the server knows. @param {PredictedEvent} event */
  predict(event) {
    const flight = /** @type {Flight} */ (event.fields);
    this.#flying.set(event, { flight, hue: event.fields.by?.hue ?? NEUTRAL_HUE, isOwn: true, end: null, stopped: null, swept: 0 });
  }

  /** The predicted bullet has become a real one: go on with that. @param {PredictedEvent} event */
  handOver(event) {
    const shot = this.#flying.get(event);
    const bullet = /** @type {Bullet} */ (/** @type {unknown} */ (event.entity));
    if (!shot) return;
    this.#flying.delete(event);
    this.#flying.set(bullet.id, Object.assign(shot, { flight: flightOf(bullet), end: bullet.spent || null }));
  }

  /** It was none. @param {PredictedEvent} event */
  withdraw(event) {
    this.#flying.delete(event);
  }

  /**
   * @param {number} id
   * @param {number} tick the tick in which it ended
   * @returns {boolean} whether it was seen to end already
   */
  end(id, tick) {
    const shot = this.#flying.get(id);
    if (!shot) return true;
    shot.end ??= flownTicks(shot.flight, tick);
    return shot.stopped !== null;
  }

  /** Everything is new: forget all. */
  clear() {
    this.#flying.clear();
  }

  /**
   * Let the own bullets stop at what they are seen to meet.
   * @param {readonly Disc[]} discs what stops them, where it is drawn
   * @param {{own: number, news: number, hz: number}} ticks drawn of what is the player's own, and heard of
   * @returns {Point[]} where they stopped just now
   */
  meet(discs, { own, news, hz }) {
    /** @type {Point[]} */
    const met = [];
    for (const [key, shot] of this.#flying) {
      if (!shot.isOwn) continue;
      if (typeof key !== "number") shot.flight = /** @type {Flight} */ (key.fields);
      else if (shot.stopped !== null && flownTicks(shot.flight, news) > shot.stopped + MISS_TICKS) shot.stopped = null;
      const flown = flownOf(shot, 0, own);
      const share = shot.stopped === null && flown > shot.swept ? contact(way(shot.flight, shot.swept, hz), way(shot.flight, flown, hz), discs) : null;
      if (share !== null) {
        shot.stopped = shot.swept + (flown - shot.swept) * share;
        met.push(way(shot.flight, shot.stopped, hz));
      }
      shot.swept = Math.max(flown, shot.swept);
    }
    return met;
  }

  /**
   * The bullets in the air, and where; those that have ended by then are forgotten.
   * @param {number} tick drawn
   * @param {number} hz
   * @param {number} [own] the tick drawn of what is the player's own
   */
  at(tick, hz, own = tick) {
    const shown = [];
    for (const [key, shot] of this.#flying) {
      const flown = flownOf(shot, tick, own);
      const over = flown > LONGEST_FLIGHT_TICKS || (shot.end !== null && flown >= shot.end);
      if (over) this.#flying.delete(key);
      else if (flown >= 0 && shot.stopped === null) shown.push({ shot, ...way(shot.flight, flown, hz), trail: way(shot.flight, Math.max(flown - TRAIL_TICKS, 0), hz) });
    }
    return shown;
  }

  /** @param {import("./scene.js").Brush} brush @param {number} tick @param {number} hz @param {number} own as for `at` */
  draw({ context, palette, camera, sprites }, tick, hz, own) {
    context.globalCompositeOperation = palette.glow;
    context.lineCap = "round";
    for (const { shot, x, y, trail } of this.at(tick, hz, own)) {
      if (!camera.sees(x, y, 5)) continue;
      const fade = context.createLinearGradient(trail.x, trail.y, x, y);
      fade.addColorStop(0, tint(shot.hue, palette, 0, 0));
      fade.addColorStop(1, tint(shot.hue, palette, 8, 0.9));
      context.strokeStyle = fade;
      context.lineWidth = 0.34;
      context.beginPath();
      context.moveTo(trail.x, trail.y);
      context.lineTo(x, y);
      context.stroke();
      const light = sprites.light(tint(shot.hue, palette, 14), tint(shot.hue, palette, 0, 0));
      context.drawImage(light, x - 0.95, y - 0.95, 1.9, 1.9);
      context.fillStyle = palette.name === "dark" ? "#ffffff" : tint(shot.hue, palette, -16);
      context.beginPath();
      context.arc(x, y, 0.2, 0, Math.PI * 2);
      context.fill();
    }
    context.globalCompositeOperation = "source-over";
  }
}

/** @param {Bullet} bullet @returns {Flight} */
function flightOf({ x, y, heading, born, ahead, spent }) {
  return { x, y, heading, born, ahead, spent };
}

/** Ticks that a shot has flown in this frame. @param {Shot} shot @param {number} tick @param {number} own */
function flownOf({ flight, isOwn }, tick, own) {
  return isOwn ? ticksSince(own, flight.born) : flownTicks(flight, tick);
}

/** Where a bullet is after so many ticks of flight. @param {Flight} flight @param {number} flown @param {number} hz */
function way({ x, y, heading }, flown, hz) {
  return bulletAt({ x, y, heading, born: 0 }, flown, hz);
}

/** The share of a way after which it meets a disc or leaves the arena; null when it goes on. @param {Point} from @param {Point} to @param {readonly Disc[]} discs */
function contact(from, to, discs) {
  const shares = discs.flatMap((disc) => firstContact(from, to, disc, disc.radius) ?? []);
  if (to.x < 0 || to.y < 0 || to.x > WIDTH || to.y > HEIGHT) shares.push(1);
  return shares.length > 0 ? Math.min(...shares) : null;
}
