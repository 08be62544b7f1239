// @ts-check
/** What happens in the room, turned into what one sees, hears and reads, when the picture gets there. */

import { RESPAWN_SECONDS, bulletAt, ticksSince } from "./arena.js";
import { SHIP_RADIUS } from "./flight.js";
import { ownTick, shownPose, shownTick } from "./own.js";
import { Timeline } from "./timeline.js";

/**
 * @typedef {import("./arena.js").Ship} Ship
 * @typedef {import("./arena.js").Bullet} Bullet
 * @typedef {import("./arena.js").Crate} Crate
 * @typedef {{victim: Ship | null, by: Ship | null, x: number, y: number, damage: number}} Hit
 * @typedef {{killer: Ship | null, victim: Ship | null, killer_name: string, victim_name: string}} Kill
 * @typedef {{from_name: string, text: string}} Said
 */

/** A bullet older than this when it is heard of was launched before we came. */
const FRESH_TICKS = 10;
/** Farther away nothing is heard, units. */
const EARSHOT = 55;
const WINNER_MS = 4500;
const NEUTRAL_HUE = 45;

export class News {
  #timeline = new Timeline();

  /**
   * @param {import("./link.js").Link} game
   * @param {import("./scene.js").Scene} scene
   * @param {import("./hud.js").Hud} hud
   * @param {import("./announcer.js").Announcer} announcer
   * @param {import("./sound.js").Sound} sound
   */
  constructor(game, scene, hud, announcer, sound) {
    this.game = game;
    this.scene = scene;
    this.hud = hud;
    this.announcer = announcer;
    this.sound = sound;
    this.#listen();
  }

  /** Let happen what this frame shows. */
  advance() {
    this.#timeline.advance(shownTick(this.game));
    const { hz, stats } = this.game;
    const met = this.scene.shots.meet(this.#targets(), { own: ownTick(this.game), news: stats.tick, hz });
    for (const point of met) this.scene.effects.fizzle(point, this.game.own()?.hue ?? NEUTRAL_HUE);
  }

  /** What stops own bullets, where it is drawn. */
  #targets() {
    const others = this.game.ships().filter((ship) => !ship.mine && this.scene.looks.of(ship).alive);
    return [...this.game.rocks(), ...others.map((ship) => ({ ...shownPose(ship), radius: SHIP_RADIUS }))];
  }

  #listen() {
    const { game } = this.game;
    game.on("added", (entity) => this.#added(/** @type {any} */ (entity)));
    game.on("predicted", (event) => this.#predicted(event));
    game.on("confirmed", (event) => this.scene.shots.handOver(event));
    game.on("withdrawn", (event) => this.scene.shots.withdraw(event));
    game.on("removed", (entity) => this.#removed(/** @type {any} */ (entity)));
    game.on("changed", (entity, names) => this.#changed(/** @type {any} */ (entity), names));
    game.on("event:Hit", (fields) => this.#whenSeen([fields.victim, fields.by], () => this.#hit(/** @type {any} */ (fields))));
    game.on("event:Kill", (fields) => this.#whenSeen([fields.victim, fields.killer], () => this.#kill(/** @type {any} */ (fields))));
    game.on("event:Chat", (fields) => this.#said(/** @type {any} */ (fields)));
    game.on("event:Round", (fields) => this.#round(/** @type {any} */ (fields).winner));
    game.on("snapshot", ({ bytes }) => this.hud.graph.snapshot(bytes, performance.now()));
  }

  /** Do it when it is seen: at once if the own ship, which is drawn ahead of the news, takes part. @param {(Ship | null)[]} parties @param {() => void} action */
  #whenSeen(parties, action) {
    if (parties.some((ship) => ship?.mine) && this.game.prediction?.entity) action();
    else this.#later(action);
  }

  /** Do it when the picture shows the newest tick. @param {() => void} action */
  #later(action) {
    this.#timeline.at(this.game.stats.tick, action);
  }

  /** @param {Bullet} entity */
  #added(entity) {
    if (entity.type !== "Bullet" || this.scene.shots.has(entity)) return;
    this.scene.shots.launch(entity);
    if (ticksSince(this.game.stats.tick, entity.born) > FRESH_TICKS) return;
    const { x, y, by, born } = entity;
    this.#timeline.at(born, () => this.#shoot(x, y, by));
  }

  /** The own ship shoots, before the server knows: seen and heard at once. @param {import("../sdk/predicted_events.js").PredictedEvent} event */
  #predicted(event) {
    const { x, y, by } = event.fields;
    this.scene.shots.predict(event);
    this.#shoot(x, y, by);
  }

  /** @param {number} x @param {number} y @param {Ship | null} by */
  #shoot(x, y, by) {
    const mine = by?.mine ?? false;
    this.scene.effects.muzzle({ x, y }, by?.hue ?? NEUTRAL_HUE, mine);
    this.sound.shot(this.#nearness(x, y) * (mine ? 1 : 0.5));
  }

  /** @param {Ship | Bullet | Crate} entity */
  #removed(entity) {
    const { tick } = this.game.stats;
    if (entity.type === "Bullet") this.#bulletEnded(/** @type {Bullet} */ (entity), tick);
    if (entity.type === "Ship") this.scene.looks.forget(entity.id);
    if (entity.type === "Health") {
      const { x, y } = entity;
      this.#later(() => this.#mended(x, y));
    }
  }

  /** @param {Ship} entity @param {ReadonlySet<string>} names */
  #changed(entity, names) {
    if (entity.type !== "Ship" || !names.has("alive")) return;
    const { alive } = entity;
    this.#whenSeen([entity], () => {
      this.scene.looks.of(entity).alive = alive;
      if (alive) this.scene.effects.appear(shownPose(entity), entity.hue);
      if (alive && entity.mine) this.announcer.hush();
    });
  }

  /** @param {Bullet} bullet @param {number} tick */
  #bulletEnded(bullet, tick) {
    const { id, x, y, heading, born, ahead, spent, by } = bullet;
    const hue = by?.hue ?? NEUTRAL_HUE;
    if (this.scene.shots.end(id, tick)) return;
    this.#later(() => this.scene.effects.fizzle(bulletAt({ x, y, heading, born, ahead, spent }, tick, this.game.hz), hue));
  }

  /** @param {number} x @param {number} y */
  #mended(x, y) {
    this.scene.effects.mend({ x, y });
    const own = this.game.own();
    if (own && Math.hypot(own.view.x - x, own.view.y - y) < 4) this.sound.mend();
  }

  /** @param {Hit} hit */
  #hit({ victim, by, x, y, damage }) {
    const mine = victim?.mine ?? false;
    const byMe = by?.mine ?? false;
    this.scene.effects.hit({ x, y }, { hue: victim?.hue ?? NEUTRAL_HUE, damage, mine, byMe });
    if (victim && damage > 0) this.scene.looks.of(victim).flash = 1;
    this.sound.hit(this.#nearness(x, y) * (mine ? 1 : 0.4));
    if (byMe) this.sound.tick();
  }

  /** @param {Kill} kill */
  #kill({ killer, victim, killer_name, victim_name }) {
    this.hud.feed.add(
      [
        { text: killer_name || "Nobody", hue: killer?.hue ?? NEUTRAL_HUE },
        { text: "shot down" },
        { text: victim_name, hue: victim?.hue ?? NEUTRAL_HUE },
      ],
      Boolean(killer?.mine || victim?.mine),
    );
    const now = performance.now();
    if (killer?.mine) this.announcer.say(`You shot down ${victim_name}`, 1600, now);
    if (victim?.mine) this.announcer.say((left) => farewell(killer_name, left), RESPAWN_SECONDS * 1000, now);
    if (!victim) return;
    const at = shownPose(victim);
    this.scene.effects.explode(at, victim.hue, victim.mine);
    this.sound.explosion(this.#nearness(at.x, at.y));
  }

  /** @param {Said} said */
  #said({ from_name, text }) {
    const hue = this.game.ships().find((ship) => ship.name === from_name)?.hue ?? NEUTRAL_HUE;
    this.hud.chatLog.add([{ text: from_name, hue }, { text }]);
  }

  /** @param {string} winner */
  #round(winner) {
    const words = winner ? `${winner} wins the round` : "The round is over: nobody won";
    this.announcer.say(words, WINNER_MS, performance.now());
    this.sound.fanfare();
  }

  /** How loud something there is, 0 .. 1. @param {number} x @param {number} y */
  #nearness(x, y) {
    const { camera } = this.scene;
    return Math.max(0, 1 - Math.hypot(x - camera.x, y - camera.y) / EARSHOT);
  }
}

/** @param {string} killer @param {number} leftMs */
function farewell(killer, leftMs) {
  return `Shot down by ${killer || "nobody"}\nBack in ${Math.max(1, Math.ceil(leftMs / 1000))}`;
}
