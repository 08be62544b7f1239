// @ts-check
/**
 * Applies the delta of a snapshot to a state (PROTOCOL.md section 6).
 *
 * A delta that breaks the protocol leaves the state half changed and its tick null: the holder asks for a
 * full snapshot, which starts from an empty state. That is cheaper than making each delta atomic.
 */

import { ColumnReader } from "./columns.js";
import { ProtocolError, show } from "./errors.js";

/** @typedef {import("./state.js").Row} Row */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Table} Table */
/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./schema.js").ClassSpec} ClassSpec */

const MAX_ID = 2 ** 32 - 1;

/** Operation codes; 2 is despawn. */
const UPDATE = 0;
const SPAWN = 1;
/** The place of each operation within a class: despawns, updates, spawns. */
const ORDER = [1, 2, 0];

/** What deltas did, for whoever keeps live objects. Reused: `clear` it after reading. */
export class ChangeLog {
  /** @type {Row[]} */
  spawned = [];
  /** @type {number[]} */
  despawned = [];
  /** Rows that updates touched; `fields[i]` are those of `updated[i]`. A row may come more than once. */
  /** @type {Row[]} */
  updated = [];
  /** @type {Field[][]} */
  fields = [];

  clear() {
    this.spawned.length = this.despawned.length = this.updated.length = this.fields.length = 0;
  }
}

/** Scratch space that all deltas share: one column of differences, and the rows of one group. */
let differences = new Float64Array(1024);
/** @type {Row[]} */
const picked = [];

/**
 * Move a state along.
 * @param {State} state changed in place
 * @param {readonly unknown[]} groups
 * @param {number} tick what the state is then the state of
 * @param {ChangeLog} log added to
 */
export function applyDelta(state, groups, tick, log) {
  state.tick = null;
  let last = -1;
  for (const group of groups) {
    if (!Array.isArray(group)) throw new ProtocolError("The server sent a delta group that is not an array.");
    const tag = group[0];
    if (!Number.isInteger(tag) || tag < 0 || tag >= 3 * state.tables.length) throw new ProtocolError(`The server sent a delta group with the tag ${show(tag)}.`);
    const op = tag % 3;
    const table = state.tables[(tag - op) / 3];
    const place = tag - op + ORDER[op];
    if (place < last || (place === last && op !== UPDATE)) throw new ProtocolError(`The server sent the delta group ${tag} out of order.`);
    last = place;
    if (op === UPDATE) update(table, group, log);
    else if (op === SPAWN) spawn(state, table, group, log);
    else despawn(state, table, group, log);
  }
  picked.length = 0;
  state.tick = tick;
}

/** @param {State} state @param {Table} table @param {unknown[]} group @param {ChangeLog} log */
function despawn(state, table, group, log) {
  if (group.length !== 2) throw new ProtocolError("The server sent a despawn group of the wrong length.");
  const ids = readIds(group[1]);
  state.despawn(table, ids);
  for (const id of ids) log.despawned.push(id);
}

/** @param {State} state @param {Table} table @param {unknown[]} group @param {ChangeLog} log */
function spawn(state, table, group, log) {
  const rows = state.spawn(table, readIds(group[1]));
  readFields(table.spec, rows, group);
  for (const row of rows) log.spawned.push(row);
}

/** @param {Table} table @param {unknown[]} group @param {ChangeLog} log */
function update(table, group, log) {
  pickRows(table.rows, group[1]);
  const fields = readFields(table.spec, picked, group);
  for (let i = 0; i < picked.length; i++) {
    log.updated.push(picked[i]);
    log.fields.push(fields);
  }
}

/**
 * Add the group's columns to rows: `[tag, which, mask, widths, ints, bytes, ...]`.
 * @param {ClassSpec} spec
 * @param {Row[]} rows
 * @param {unknown[]} group
 * @returns {Field[]} the fields it has
 */
function readFields(spec, rows, group) {
  const { all, ints, bytes } = spec.select(group[2]);
  if (group.length !== 5 + bytes.length || !(group[4] instanceof Uint8Array)) throw new ProtocolError(`The server sent a malformed delta group for ${spec.name}.`);
  if (differences.length < rows.length) differences = new Float64Array(rows.length * 2);
  const reader = new ColumnReader(group[4], group[3], ints.length, rows.length);
  for (const field of ints) {
    reader.next(differences);
    if (field.kind.modulus > 0) turnColumn(rows, field);
    else addColumn(rows, field);
  }
  for (let i = 0; i < bytes.length; i++) setColumn(rows, bytes[i], group[5 + i]);
  return all;
}

/** @param {Row[]} rows @param {Field} field */
function addColumn(rows, field) {
  const { index, kind: { low, high } } = field;
  for (let i = 0; i < rows.length; i++) {
    const wire = rows[i].wire;
    const value = wire[index] + differences[i];
    if (!(value >= low && value <= high)) throw outOfRange(rows[i], field, value);
    wire[index] = value;
  }
}

/** @param {Row[]} rows @param {Field} field an angle: its differences wrap */
function turnColumn(rows, field) {
  const { index, kind: { modulus } } = field;
  const half = modulus / 2;
  for (let i = 0; i < rows.length; i++) {
    const difference = differences[i];
    if (difference < -half || difference >= half) throw outOfRange(rows[i], field, difference);
    const wire = rows[i].wire;
    wire[index] = (wire[index] + difference + modulus) % modulus;
  }
}

/** @param {Row[]} rows @param {Field} field @param {unknown} column */
function setColumn(rows, field, column) {
  if (!Array.isArray(column) || column.length !== rows.length) throw new ProtocolError(`The server sent a malformed column for ${field.name}.`);
  for (let i = 0; i < rows.length; i++) {
    const bytes = column[i];
    if (!(bytes instanceof Uint8Array) || bytes.length > field.kind.high) throw outOfRange(rows[i], field, bytes);
    // A copy, so that the whole message isn't kept for a name in it.
    const own = bytes.slice();
    rows[i].wire[field.index] = own;
    rows[i].decoded[field.index] = field.kind.read(own);
  }
}

/** @param {Row} row @param {Field} field @param {unknown} value */
function outOfRange(row, field, value) {
  return new ProtocolError(`The server moved ${row.spec.name} ${row.id}'s ${field.name} out of its range, to ${show(value)}.`);
}

/**
 * Gap-coded ascending ids.
 * @param {unknown} gaps
 * @returns {number[]}
 */
export function readIds(gaps) {
  if (!Array.isArray(gaps)) throw new ProtocolError("The server sent a list of ids that is not an array.");
  let id = 0;
  return gaps.map((gap) => {
    if (!Number.isInteger(gap) || gap < 1 || gap > MAX_ID - id) throw new ProtocolError(`The server sent the gap ${show(gap)} in a list of ids.`);
    id += gap;
    return id;
  });
}

/**
 * Fill `picked` with the rows that `which` names.
 * @param {Row[]} rows the survivors
 * @param {unknown} which
 */
function pickRows(rows, which) {
  picked.length = 0;
  if (which === null) for (let i = 0; i < rows.length; i++) picked.push(rows[i]);
  else if (which instanceof Uint8Array) pickByBitmap(rows, which);
  else if (Array.isArray(which)) pickByGaps(rows, which);
  else throw new ProtocolError("The server sent an update that does not say which rows it is for.");
}

/** @param {Row[]} rows @param {Uint8Array} bitmap */
function pickByBitmap(rows, bitmap) {
  const size = (rows.length + 7) >> 3;
  if (bitmap.length !== size) throw new ProtocolError(`The server sent a bitmap of ${bitmap.length} bytes for ${rows.length} rows.`);
  for (let byte = 0; byte < size; byte++) {
    for (let bits = bitmap[byte]; bits !== 0; bits &= bits - 1) {
      const row = byte * 8 + 31 - Math.clz32(bits & -bits);
      if (row >= rows.length) throw new ProtocolError(`The server sent an update for row ${row} of ${rows.length}.`);
      picked.push(rows[row]);
    }
  }
}

/** @param {Row[]} rows @param {unknown[]} gaps */
function pickByGaps(rows, gaps) {
  let row = 0;
  for (let i = 0; i < gaps.length; i++) {
    const gap = /** @type {number} */ (gaps[i]);
    if (!Number.isInteger(gap) || gap < (i === 0 ? 0 : 1) || row + gap >= rows.length) throw new ProtocolError(`The server sent the gap ${show(gap)} after row ${row} of ${rows.length}.`);
    row += gap;
    picked.push(rows[row]);
  }
}
