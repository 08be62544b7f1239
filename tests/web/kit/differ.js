// @ts-check
/** Writes snapshots as a server would (PROTOCOL.md section 6), plainly: one group per spawned or changed entity class and row. */

import { encode } from "../../../client_demo/web/sdk/msgpack.js";
import { gaps, joined } from "./wire.js";

/** @typedef {import("../../../client_demo/web/sdk/schema.js").ClassSpec} ClassSpec */
/** @typedef {import("../../../client_demo/web/sdk/schema.js").Field} Field */

/** Wire values of the public fields, by class and id. */
/** @typedef {Map<number, number[]>[]} Tables */

/** The code of 64-bit columns, which hold everything. */
const WIDE = 4;

/**
 * @param {readonly ClassSpec[]} specs whose public fields are all of int kinds
 * @param {Tables | null} before null: a full snapshot
 * @param {Tables} after
 * @param {number} tick
 * @param {number} age
 */
export function encodeSnapshot(specs, before, after, tick, age) {
  const groups = specs.flatMap((spec, i) => diffClass(spec, before?.[i] ?? new Map(), after[i]));
  return encode([2, tick, before ? age : 0, ...groups]);
}

/** @param {Tables} tables */
export function copyOf(tables) {
  return tables.map((table) => new Map([...table].map(([id, wire]) => [id, wire.slice()])));
}

/** @param {ClassSpec} spec @param {Map<number, number[]>} before @param {Map<number, number[]>} after */
function diffClass(spec, before, after) {
  const gone = [...before.keys()].filter((id) => !after.has(id));
  const stay = [...before.keys()].filter((id) => after.has(id));
  const fresh = [...after.keys()].filter((id) => !before.has(id));
  const initial = spec.publicFields.map((field) => /** @type {number} */ (field.initial));
  /** @type {unknown[][]} */
  const groups = gone.length > 0 ? [[3 * spec.index + 2, gaps(gone)]] : [];
  stay.forEach((id, row) => groups.push(...update(spec, row, /** @type {number[]} */ (before.get(id)), /** @type {number[]} */ (after.get(id)))));
  if (fresh.length > 0) groups.push([3 * spec.index + 1, gaps(fresh), ...columns(spec.publicFields, fresh.map((id) => differences(spec.publicFields, initial, /** @type {number[]} */ (after.get(id)))))]);
  return groups;
}

/** @param {ClassSpec} spec @param {number} row @param {number[]} before @param {number[]} after @returns {unknown[][]} */
function update(spec, row, before, after) {
  const fields = spec.publicFields.filter(({ index }) => before[index] !== after[index]);
  return fields.length > 0 ? [[3 * spec.index, [row], ...columns(fields, [differences(fields, before, after)])]] : [];
}

/** @param {Field[]} fields @param {number[]} before @param {number[]} after */
function differences(fields, before, after) {
  return fields.map(({ index, kind: { modulus } }) => {
    const difference = after[index] - before[index];
    return modulus > 0 ? difference - modulus * Math.floor(difference / modulus + 0.5) : difference;
  });
}

/** @param {Field[]} fields @param {number[][]} rows differences by row and field */
function columns(fields, rows) {
  const mask = fields.reduce((sum, { index }) => sum + 2 ** index, 0);
  const widths = fields.reduce((sum, _, k) => sum + WIDE * 5 ** k, 0);
  return [mask, widths, joined(...fields.map((_, k) => new Uint8Array(BigInt64Array.from(rows.map((row) => BigInt(row[k]))).buffer)))];
}
