// @ts-check
/**
 * Golden vectors: what a server sent, and what a client must then hold.
 *
 *     {"schema": hex of the schema's msgpack, "steps": [{"message": hex, "state": {class: {id: {field: wire}}}, "public": crc}]}
 *
 * Wire values are integers, or hex for byte kinds. A step may leave out `state` or `public`. A private field in
 * `state` is compared with what the owner's messages said.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { publicChecksum } from "../../../client_demo/web/sdk/checksum.js";
import { decodeMessage } from "../../../client_demo/web/sdk/messages.js";
import { decode } from "../../../client_demo/web/sdk/msgpack.js";
import { Replica } from "../../../client_demo/web/sdk/replica.js";
import { Schema } from "../../../client_demo/web/sdk/schema.js";
import { fromHex, toHex } from "./wire.js";

/** @typedef {Record<string, Record<string, Record<string, number | string>>>} Expected */
/** @typedef {{name?: string, schema: string, steps: {message: string, state?: Expected, public?: number}[]}} Vector */

/**
 * All vectors at a path: a file with one or a list of them, or a folder of such files.
 * @param {string} path
 * @returns {[name: string, vector: Vector][]}
 */
export function readVectors(path) {
  if (statSync(path).isDirectory()) {
    return readdirSync(path).filter((name) => name.endsWith(".json")).sort().flatMap((name) => readVectors(join(path, name)));
  }
  /** @type {unknown} */
  const content = JSON.parse(readFileSync(path, "utf8"));
  const list = Array.isArray(content) ? content : [content];
  // The folder has other vectors too, of the game's flight for one.
  return list.filter(isVector).map((vector, i) => [`${path} ${vector.name ?? i}`, vector]);
}

/** @param {any} value @returns {value is Vector} */
function isVector(value) {
  return typeof value?.schema === "string" && Array.isArray(value.steps);
}

/**
 * Play a vector and compare after each step.
 * @param {Vector} vector
 * @returns {number} how many states or checksums were compared
 */
export function playVector(vector) {
  const replica = new Replica(Schema.parse(decode(fromHex(vector.schema))));
  let compared = 0;
  vector.steps.forEach((step, i) => {
    take(replica, fromHex(step.message), `step ${i}`);
    if (step.state !== undefined) {
      assert.deepEqual(held(replica, step.state), step.state, `state after step ${i}`);
      compared += 1;
    }
    if (step.public !== undefined) {
      assert.equal(publicChecksum(replica.state), step.public, `checksum after step ${i}`);
      compared += 1;
    }
  });
  return compared;
}

/** @param {Replica} replica @param {Uint8Array} bytes @param {string} where */
function take(replica, bytes, where) {
  const message = decodeMessage(bytes);
  if (message.type === "snapshot") assert.ok(["full", "delta"].includes(replica.snapshot(message)), `${where} fits`);
  else if (message.type === "private") replica.private(message);
  else if (message.type === "check") assert.ok(replica.agrees(message), `${where} agrees`);
}

/**
 * What is held, in the form of a vector. Private fields are there when the vector has them.
 * @param {Replica} replica
 * @param {Expected} expected
 */
function held(replica, expected) {
  /** @type {Expected} */
  const state = {};
  for (const { spec, rows } of replica.state.tables) {
    if (rows.length === 0 && !(spec.name in expected)) continue;
    state[spec.name] = {};
    for (const row of rows) {
      const fields = spec.fields.filter((field) => !field.isPrivate || field.name in (expected[spec.name]?.[row.id] ?? {}));
      state[spec.name][row.id] = Object.fromEntries(fields.map((field) => [field.name, shown(field.isPrivate ? replica.own.wire(row.id, field) : row.wire[field.index])]));
    }
  }
  return state;
}

/** @param {any} wire */
function shown(wire) {
  return wire instanceof Uint8Array ? toHex(wire) : wire;
}
