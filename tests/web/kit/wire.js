// @ts-check
/** What a server would send: a small schema, and messages built by hand from the page PROTOCOL.md. */

import { encode } from "../../../client_demo/web/sdk/msgpack.js";
import { Schema } from "../../../client_demo/web/sdk/schema.js";

const utf8 = new TextEncoder();

/** @param {string} text */
export function bytesOf(text) {
  return utf8.encode(text);
}

/** @param {string} hex */
export function fromHex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {Uint8Array} bytes */
export function toHex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A field to all, unless `rest` says otherwise.
 * @param {string} name
 * @param {string} kind
 * @param {Record<string, unknown>} [rest]
 */
export function field(name, kind, rest = {}) {
  return { name, kind, to: "all", default: 0, ...rest };
}

/** Ship: x 0, heading 1, hp 2, name 3, target 4 to all; ammo 0, secret 1 to its owner. Rock: x 0. */
export const SCHEMA_MAP = {
  entities: [
    {
      name: "Ship",
      flags: [],
      fields: [
        field("x", "quantized", { min: 0, max: 120, step: 1 / 64, overflow: "clamp" }),
        field("heading", "angle", { bits: 10 }),
        field("hp", "integer", { min: 0, max: 100, default: 100 }),
        field("name", "text", { max: 24, default: new Uint8Array() }),
        field("target", "ref", { of: "Ship" }),
        field("ammo", "integer", { min: 0, max: 10, default: 10, to: "owner" }),
        field("secret", "text", { max: 8, default: new Uint8Array(), to: "owner" }),
      ],
    },
    { name: "Rock", flags: [], fields: [field("x", "quantized", { min: 0, max: 120, step: 1 / 64, overflow: "clamp" })] },
    { name: "Match", flags: ["singleton"], fields: [field("round", "integer", { min: 0, max: 2 ** 40 })] },
  ],
  input: {
    name: "Steer",
    flags: [],
    fields: [field("turn", "quantized", { min: -1, max: 1, step: 1 / 8, overflow: "clamp", default: 8 }), field("thrust", "flag"), field("fire", "trigger")],
  },
  events: [
    { name: "Hit", flags: [], fields: [field("victim", "ref", { of: "Ship" }), field("damage", "integer", { min: 0, max: 100 })] },
    { name: "Chat", flags: ["client"], fields: [field("from", "text", { max: 24, default: new Uint8Array() }), field("text", "text", { max: 120, default: new Uint8Array() })] },
  ],
};

export const SHIP = 0;
export const ROCK = 1;
export const MATCH = 2;

export function schema() {
  return Schema.parse(SCHEMA_MAP);
}

/**
 * A column of 16-bit differences.
 * @param {number[]} values
 */
export function column16(values) {
  return new Uint8Array(Int16Array.from(values).buffer);
}

/** @param {Uint8Array[]} parts */
export function joined(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** @param {number[]} ids ascending */
export function gaps(ids) {
  return ids.map((id, i) => (i === 0 ? id : id - ids[i - 1]));
}

/** @param {number} classIndex @param {number[]} ids */
export function despawn(classIndex, ids) {
  return [3 * classIndex + 2, gaps(ids)];
}

/**
 * Ships at x (in wire values).
 * @param {Record<number, number>} ships x by id
 */
export function spawnShips(ships) {
  const ids = Object.keys(ships).map(Number);
  return [3 * SHIP + 1, gaps(ids), 0b1, 2, column16(ids.map((id) => ships[id]))];
}

/**
 * Move ships by differences of x.
 * @param {unknown} which
 * @param {number[]} differences
 */
export function moveShips(which, differences) {
  return [3 * SHIP, which, 0b1, 2, column16(differences)];
}

/** @param {number} tick @param {number} age @param {...unknown} groups */
export function snapshot(tick, age, ...groups) {
  return encode([2, tick, age, ...groups]);
}

/** @param {number} tick @param {number[] | null} owned @param {unknown[]} rows */
export function privately(tick, owned, rows) {
  return encode([3, tick, owned === null ? null : gaps(owned), rows]);
}

/**
 * @param {Partial<Record<string, unknown>>} [changes]
 */
export function welcome(changes = {}) {
  const map = {
    protocol: 1, room: "room-1", type: "arena", player: 3, token: "token-1", hz: 20, snapshot_every: 1, tick: 100, time: 5000,
    schema: SCHEMA_MAP, hash: new Uint8Array(8), resumed: false, hold: 6, ...changes,
  };
  return encode([1, map]);
}
