// @ts-check
/**
 * The room's state as wire values: per entity class its rows, sorted by id. Pure data; live objects,
 * author's values and time are elsewhere.
 */

import { ProtocolError } from "./errors.js";

/** @typedef {import("./schema.js").ClassSpec} ClassSpec */
/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./kinds.js").WireValue} WireValue */

/** One entity. */
export class Row {
  /**
   * @param {number} id
   * @param {ClassSpec} spec
   */
  constructor(id, spec) {
    this.id = id;
    this.spec = spec;
    /** Wire values of the public fields, by field index. */
    /** @type {any[]} */
    this.wire = spec.publicFields.map((field) => field.initial);
    /** What the byte kinds among them read as, decoded when they arrive; unused for int kinds. */
    /** @type {any[]} */
    this.decoded = spec.publicFields.map((field) => field.initialValue);
  }
}

/** The rows of one entity class. */
export class Table {
  /** @type {Row[]} ascending by id */
  rows = [];

  /** @param {ClassSpec} spec */
  constructor(spec) {
    this.spec = spec;
  }
}

/** All entities of a room at one tick. */
export class State {
  /** @type {Map<number, Row>} */
  #byId = new Map();

  /** @param {Schema} schema */
  constructor(schema) {
    this.schema = schema;
    this.tables = schema.entities.map((spec) => new Table(spec));
    /** The wire tick that this is the state of; null before the first snapshot, and when it can't be trusted. */
    /** @type {number | null} */
    this.tick = null;
  }

  get size() {
    return this.#byId.size;
  }

  /** @param {number} id */
  find(id) {
    return this.#byId.get(id);
  }

  rows() {
    return this.#byId.values();
  }

  /**
   * Add rows with their defaults.
   * @param {Table} table
   * @param {number[]} ids ascending
   * @returns {Row[]} the new rows, in the order of `ids`
   */
  spawn(table, ids) {
    const rows = table.rows;
    let isSorted = true;
    const added = ids.map((id) => {
      if (this.#byId.has(id)) throw new ProtocolError(`The server spawned the entity ${id} twice.`);
      const row = new Row(id, table.spec);
      if (rows.length > 0 && rows[rows.length - 1].id > id) isSorted = false;
      rows.push(row);
      this.#byId.set(id, row);
      return row;
    });
    // Ids ascend in the order of spawning, so this is for rooms that show an older entity late.
    if (!isSorted) rows.sort((a, b) => a.id - b.id);
    return added;
  }

  /**
   * Take rows away.
   * @param {Table} table
   * @param {number[]} ids ascending
   */
  despawn(table, ids) {
    const gone = new Set(ids);
    for (const id of ids) {
      if (this.#byId.get(id)?.spec !== table.spec) throw new ProtocolError(`The server despawned the ${table.spec.name} ${id}, which is not there.`);
      this.#byId.delete(id);
    }
    table.rows = table.rows.filter((row) => !gone.has(row.id));
  }
}
