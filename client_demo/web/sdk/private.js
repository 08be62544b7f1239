// @ts-check
/** What only this player sees: which entities it owns, and the private fields of those (PRIVATE). */

import { readIds } from "./delta.js";
import { ProtocolError, show } from "./errors.js";
import { checkWire } from "./schema.js";

/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./messages.js").PrivateMessage} PrivateMessage */

/** The owner's values of one entity. */
/** @typedef {{wire: any[], decoded: any[]}} Secrets */

export class PrivateState {
  /** Ids of the entities that this player owns. */
  /** @type {Set<number>} */
  owned = new Set();
  /** @type {Map<number, Secrets>} */
  #secrets = new Map();
  /** Rows of entities that the state does not hold yet: the snapshot of the same tick spawns them. */
  /** @type {Map<number, unknown[]>} */
  #waiting = new Map();
  /** @type {PrivateMessage | null} */
  #latest = null;

  /**
   * Take a PRIVATE message in.
   * @param {PrivateMessage} message
   * @param {State} state
   * @param {(id: number, fields: Field[]) => void} onChange called for each entity whose private values changed
   */
  apply(message, state, onChange) {
    this.#latest = message;
    if (message.owned !== null) this.#own(new Set(readIds(message.owned)), state, onChange);
    for (const row of message.rows) {
      if (!Array.isArray(row) || !this.owned.has(row[0])) throw new ProtocolError(`The server sent private values of the entity ${show(Array.isArray(row) ? row[0] : row)}, which is not this player's.`);
      if (state.find(row[0])) this.#read(row, state, onChange);
      else this.#waiting.set(row[0], row);
    }
  }

  /**
   * Follow a snapshot: read what waited for its spawns, forget what it despawned.
   * @param {State} state
   * @param {(id: number, fields: Field[]) => void} onChange
   */
  settle(state, onChange) {
    for (const [id, row] of this.#waiting) {
      if (!state.find(id)) continue;
      this.#waiting.delete(id);
      this.#read(row, state, onChange);
    }
    for (const id of this.#secrets.keys()) if (!state.find(id)) this.#secrets.delete(id);
  }

  /**
   * Before a full snapshot of `tick` is settled: only what the PRIVATE of the same tick said still holds.
   * @param {number} tick
   */
  restart(tick) {
    this.#secrets.clear();
    this.#waiting.clear();
    const latest = this.#latest;
    if (latest === null || latest.tick !== tick || latest.owned === null) this.owned = new Set();
    else for (const row of latest.rows) this.#waiting.set(/** @type {number[]} */ (row)[0], /** @type {unknown[]} */ (row));
  }

  /**
   * The wire value of a private field.
   * @param {number} id
   * @param {Field} field
   */
  wire(id, field) {
    const secrets = this.#secrets.get(id);
    return secrets ? secrets.wire[field.index] : field.initial;
  }

  /**
   * What a private byte field reads as.
   * @param {number} id
   * @param {Field} field
   */
  decoded(id, field) {
    const secrets = this.#secrets.get(id);
    return secrets ? secrets.decoded[field.index] : field.initialValue;
  }

  /** @param {Set<number>} owned @param {State} state @param {(id: number, fields: Field[]) => void} onChange */
  #own(owned, state, onChange) {
    this.owned = owned;
    for (const id of this.#waiting.keys()) if (!owned.has(id)) this.#waiting.delete(id);
    for (const id of this.#secrets.keys()) {
      if (owned.has(id)) continue;
      this.#secrets.delete(id);
      const row = state.find(id);
      if (row) onChange(id, row.spec.privateFields);
    }
  }

  /**
   * `[id, mask, value, ...]`
   * @param {unknown[]} row
   * @param {State} state
   * @param {(id: number, fields: Field[]) => void} onChange
   */
  #read(row, state, onChange) {
    const id = /** @type {number} */ (row[0]);
    const spec = /** @type {import("./state.js").Row} */ (state.find(id)).spec;
    const fields = spec.selectPrivate(row[1]);
    if (row.length !== 2 + fields.length) throw new ProtocolError(`The server sent ${row.length - 2} private values of ${spec.name} ${id} for ${fields.length} fields.`);
    let secrets = this.#secrets.get(id);
    if (!secrets) {
      secrets = { wire: spec.privateFields.map((f) => f.initial), decoded: spec.privateFields.map((f) => f.initialValue) };
      this.#secrets.set(id, secrets);
    }
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i];
      const wire = checkWire(field.kind, row[2 + i], `${spec.name}.${field.name}`);
      secrets.wire[field.index] = wire;
      secrets.decoded[field.index] = field.kind.isBytes ? field.kind.read(wire) : wire;
    }
    onChange(id, fields);
  }
}
