// @ts-check
/**
 * What a predicting client has shown before the server said it: each is told once, and settled once.
 *
 *     raised by the step -> "predicted" -> "confirmed"   the server's state of its tick is as predicted, or the entity came
 *                                       -> "withdrawn"   it is not, the entity did not come, or a replay didn't raise it again
 */

import { wrapTick } from "./ticks.js";

/** @typedef {import("./entities.js").Entity} Entity */
/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./stepper.js").Raised} Raised */

/**
 * An event or a spawn that was shown ahead. The same object from "predicted" to its end.
 * @typedef {object} PredictedEvent
 * @property {string} name of the event, or the class of the entity
 * @property {string} key who it is, among those of its name
 * @property {number} tick when it happens, as u32; a replay may move it
 * @property {Readonly<Record<string, any>>} fields
 * @property {boolean} isSpawn
 * @property {Entity | null} entity the real one, once a spawn is confirmed
 */

/** @typedef {(what: "predicted" | "confirmed" | "withdrawn", event: PredictedEvent) => void} Tell */
/** @typedef {(entity: Entity, event: PredictedEvent) => boolean} Match */
/** @typedef {{event: PredictedEvent, raised: Raised, isSettled: boolean}} Entry */

/**
 * A late input fires a few ticks after its own: for so long a spawn whose tick went otherwise waits for its entity. The
 * server holds inputs for 6 ticks; two more are for the way.
 */
const LATE_TICKS = 8;

export class PredictedEvents {
  #tell;
  #match;
  #wireOf;
  /** @type {Map<string, Entry>} */
  #entries = new Map();

  /**
   * @param {Tell} tell
   * @param {(entity: Entity, field: Field) => unknown} wireOf the wire value that an entity holds
   * @param {Match} [match] whether an entity is the one that was predicted, for those that are not equal in all fields given
   */
  constructor(tell, wireOf, match = () => false) {
    this.#tell = tell;
    this.#wireOf = wireOf;
    this.#match = match;
  }

  /**
   * Follow the simulation of some ticks. What is not raised again is withdrawn, unless it only moved to another tick.
   * @param {[first: number, last: number]} ticks unwrapped
   * @param {readonly Raised[]} raised all that was raised in them
   * @param {boolean} isInDoubt the server's state of the tick before `first` was not as predicted: what was to happen
   *   until then is in doubt, and may well happen later
   */
  follow([first, last], raised, isInDoubt) {
    const fresh = raised.filter((item) => !this.#repeat(item));
    const again = new Set(raised.map(idOf));
    const lost = [...this.#entries].filter(([id, { raised: { tick }, isSettled }]) => !isSettled && !again.has(id) && tick <= last && (isInDoubt || tick >= first));
    lost.sort(([, a], [, b]) => a.raised.tick - b.raised.tick);
    for (const item of fresh) {
      const moved = lost.findIndex(([, { event }]) => event.name === item.name && event.isSpawn === item.isSpawn);
      if (moved >= 0) this.#move(lost.splice(moved, 1)[0], item);
      else this.#begin(item);
    }
    for (const [id, entry] of lost) if (entry.raised.tick >= first) this.#withdraw(id, entry);
  }

  /**
   * An entity has come: if it was predicted it is handed over.
   * @param {Entity} entity
   */
  adopt(entity) {
    const candidates = [...this.#entries.values()].filter(({ event, isSettled }) => event.isSpawn && !isSettled && event.name === entity.type);
    const entry = candidates.find(({ raised }) => this.#isEqual(entity, raised)) ?? candidates.find(({ event }) => this.#match(entity, event));
    if (!entry) return;
    entry.isSettled = true;
    entry.event.entity = entity;
    this.#tell("confirmed", entry.event);
  }

  /**
   * The server has told the state of a tick, and everything that came with it has been adopted.
   * @param {number} tick unwrapped
   * @param {boolean} isRight whether that state is as predicted
   */
  judge(tick, isRight) {
    for (const [id, entry] of [...this.#entries]) {
      const { event, raised, isSettled } = entry;
      if (raised.tick > tick) continue;
      if (isSettled) this.#entries.delete(id);
      else if (event.isSpawn ? isRight || tick - raised.tick >= LATE_TICKS : !isRight) this.#withdraw(id, entry);
      else if (!event.isSpawn) this.#confirm(id, entry);
    }
  }

  /** Nothing is predicted any more. */
  clear() {
    for (const [id, entry] of [...this.#entries]) if (!entry.isSettled) this.#withdraw(id, entry);
    this.#entries.clear();
  }

  /** @param {Raised} item @returns {boolean} whether it was raised before */
  #repeat(item) {
    const entry = this.#entries.get(idOf(item));
    if (entry) this.#update(entry, item);
    return entry !== undefined;
  }

  /** @param {Raised} item */
  #begin(item) {
    const { name, key, isSpawn } = item;
    /** @type {Entry} */
    const entry = { event: { name, key, tick: 0, fields: {}, isSpawn, entity: null }, raised: item, isSettled: false };
    this.#update(entry, item);
    this.#entries.set(idOf(item), entry);
    this.#tell("predicted", entry.event);
  }

  /** @param {[id: string, entry: Entry]} found @param {Raised} item */
  #move([id, entry], item) {
    this.#entries.delete(id);
    this.#update(entry, item);
    this.#entries.set(idOf(item), entry);
  }

  /** @param {Entry} entry @param {Raised} item */
  #update(entry, item) {
    entry.raised = item;
    if (entry.isSettled) return;
    Object.assign(entry.event, { key: item.key, tick: wrapTick(item.tick), fields: item.fields });
  }

  /** @param {string} id @param {Entry} entry */
  #confirm(id, entry) {
    this.#entries.delete(id);
    this.#tell("confirmed", entry.event);
  }

  /** @param {string} id @param {Entry} entry */
  #withdraw(id, entry) {
    this.#entries.delete(id);
    this.#tell("withdrawn", entry.event);
  }

  /** @param {Entity} entity @param {Raised} raised */
  #isEqual(entity, { wire }) {
    return [...wire].every(([field, value]) => this.#wireOf(entity, field) === value);
  }
}

/** @param {Raised} item */
function idOf({ isSpawn, name, key }) {
  return JSON.stringify([isSpawn, name, key]);
}
