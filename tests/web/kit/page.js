// @ts-check
/**
 * The examples of PROTOCOL.md, section 11, read from the page: fenced blocks whose lines start with hex.
 *
 * What the lines say besides is for people, and held to by the Python tests.
 */

import { readFileSync } from "node:fs";

import { readIds } from "../../../client_demo/web/sdk/delta.js";
import { decodeMessage } from "../../../client_demo/web/sdk/messages.js";
import { decodeText } from "../../../client_demo/web/sdk/msgpack.js";
import { Replica } from "../../../client_demo/web/sdk/replica.js";
import { fromHex, toHex } from "./wire.js";

/** @typedef {import("../../../client_demo/web/sdk/messages.js").ServerMessage} ServerMessage */
/** @typedef {import("../../../client_demo/web/sdk/schema.js").Schema} Schema */
/** @typedef {import("../../../client_demo/web/sdk/schema.js").Field} Field */
/** @typedef {import("../../../client_demo/web/sdk/schema.js").ClassSpec} ClassSpec */
/** @typedef {{title: string, lines: string[][], meaning: any}} Block lines are split at their gaps */

const PAGE = new URL("../../../shared/tickwire_shared/PROTOCOL.md", import.meta.url);

/** @returns {Block[]} */
export function readBlocks() {
  const page = readFileSync(PAGE, "utf8");
  return [...page.matchAll(/^```tickwire ([^\n]*)\n(.*?)^```$/gms)].map(([, title, body]) => {
    const [head, meaning] = body.split(/^=> /m);
    const lines = head.trimEnd().split("\n").map((line) => line.trim().split(/ {2,}/));
    return { title, lines, meaning: meaning === undefined ? undefined : JSON.parse(meaning) };
  });
}

/** @param {Block} block */
export function bytesIn(block) {
  return fromHex(block.lines.map(([hex]) => hex).join("").replaceAll(" ", ""));
}

/** A client that takes the server's messages of the page in their order. */
export class PagePlayer {
  /** @param {Schema} schema */
  constructor(schema) {
    this.schema = schema;
    this.replica = new Replica(schema);
  }

  /**
   * Take a message in.
   * @param {Uint8Array} bytes
   * @returns {unknown} what it means, in the form of the page
   */
  take(bytes) {
    const message = decodeMessage(bytes);
    switch (message.type) {
      case "snapshot": return this.#snapshot(message);
      case "private": return this.#private(message);
      case "event": return this.#event(message);
      case "check": return { tick: message.tick, public: message.publicSum, private: message.privateSum, agrees: this.replica.agrees(message) };
      case "welcome": {
        const { roomType, snapshotEvery, hash, schema, type, ...rest } = message;
        return { ...rest, protocol: 1, type: roomType, snapshot_every: snapshotEvery, hash: toHex(hash), schema: texts(schema) };
      }
      default: {
        const { type, ...rest } = message;
        return rest;
      }
    }
  }

  /** @param {import("../../../client_demo/web/sdk/messages.js").SnapshotMessage} message */
  #snapshot(message) {
    const before = this.#state();
    const fit = this.replica.snapshot(message);
    const state = this.#state();
    const same = JSON.stringify(state) === JSON.stringify(before);
    return { tick: message.tick, age: message.age, fit, state: same ? "unchanged" : state };
  }

  /** @param {import("../../../client_demo/web/sdk/messages.js").PrivateMessage} message */
  #private(message) {
    this.replica.private(message);
    const spec = /** @type {ClassSpec} */ (this.schema.entities.find((one) => one.privateFields.length > 0));
    const rows = message.rows.map((row) => {
      const [id, mask, ...wires] = /** @type {number[]} */ (row);
      return [id, named(spec.selectPrivate(mask), wires)];
    });
    return { tick: message.tick, owned: message.owned === null ? null : [...readIds(message.owned)], rows: Object.fromEntries(rows) };
  }

  /** @param {import("../../../client_demo/web/sdk/messages.js").EventMessage} message */
  #event(message) {
    const spec = this.schema.events[message.index];
    return { event: spec.name, fields: named(spec.fields, spec.fields.map((field, i) => field.kind.read(message.values[i]))) };
  }

  #state() {
    const tables = this.replica.state.tables.filter(({ rows }) => rows.length > 0);
    return Object.fromEntries(tables.map(({ spec, rows }) => [
      spec.name,
      Object.fromEntries(rows.map((row) => [row.id, named(spec.publicFields, row.wire.map(texts))])),
    ]));
  }
}

/** @param {Field[]} fields @param {unknown[]} values */
function named(fields, values) {
  return Object.fromEntries(fields.map((field, i) => [field.name, values[i]]));
}

/**
 * The value with text for its byte strings, and ordinary objects.
 * @param {any} value
 * @returns {unknown}
 */
function texts(value) {
  if (value instanceof Uint8Array) return decodeText(value);
  if (Array.isArray(value)) return value.map(texts);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, texts(item)]));
}
