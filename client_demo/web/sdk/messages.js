// @ts-check
/** The messages of PROTOCOL.md sections 4 and 5: client messages to bytes, server messages from bytes. */

import { ProtocolError, show, UsageError } from "./errors.js";
import { decode, encode, isPlainObject } from "./msgpack.js";

export const PROTOCOL_VERSION = 1;
/** The largest message that a server takes (PROTOCOL.md section 10). */
const MAX_CLIENT_MESSAGE = 4096;
/** The most inputs in one message. */
export const MAX_INPUTS = 8;

/** Client to server. */
const JOIN = 1;
const RESUME = 2;
const INPUT = 3;
const EVENT = 4;
const PING = 5;
const LEAVE = 6;
const RESYNC = 7;
const VIEW = 8;

/** The busiest that LOAD can say. */
const MAX_RUNG = 3;
/** A view's delay is told in this many steps per tick ... */
export const VIEW_STEPS = 16;
/** ... up to this. */
const MAX_VIEW_DELAY = 65535;

/**
 * @typedef {object} Welcome
 * @property {"welcome"} type
 * @property {string} room
 * @property {string} roomType
 * @property {number} player
 * @property {Uint8Array | string} token handed back as it came
 * @property {number} hz
 * @property {number} snapshotEvery
 * @property {number} tick
 * @property {number} time
 * @property {unknown} schema
 * @property {Uint8Array} hash
 * @property {boolean} resumed
 * @property {number} hold
 */
/** @typedef {{type: "snapshot", tick: number, age: number, groups: unknown[]}} SnapshotMessage */
/** @typedef {{type: "private", tick: number, owned: unknown[] | null, rows: unknown[]}} PrivateMessage */
/** @typedef {{type: "event", index: number, values: unknown[]}} EventMessage */
/** @typedef {{type: "pong", t1: number, t2: number, t3: number}} Pong */
/** @typedef {{type: "check", tick: number, publicSum: number, privateSum: number | null}} Check */
/** @typedef {{type: "epoch", tick: number, time: number}} Epoch */
/** @typedef {{type: "news", tick: number, slack: number, late: number, refused: number}} News */
/** @typedef {{type: "load", rung: number, every: number}} Load */
/** @typedef {Welcome | SnapshotMessage | PrivateMessage | EventMessage | Pong | Check | Epoch | News | Load} ServerMessage */

/**
 * @param {string} mode
 * @param {string} target
 * @param {Uint8Array | null} hash
 * @param {Record<string, unknown>} options
 */
export function encodeJoin(mode, target, hash, options) {
  return bounded([JOIN, PROTOCOL_VERSION, mode, target, hash, options], "The join options");
}

/**
 * @param {string} room
 * @param {Uint8Array | string} token
 * @param {number | null} tick
 * @param {Uint8Array | null} hash
 */
export function encodeResume(room, token, tick, hash) {
  return encode([RESUME, PROTOCOL_VERSION, room, token, tick, hash]);
}

/**
 * @param {number} tick of the first
 * @param {number[]} values wire values of all fields, for `tick` and the ticks after it
 */
export function encodeInput(tick, values) {
  return encode([INPUT, tick, ...values]);
}

/**
 * @param {number} index
 * @param {import("./kinds.js").WireValue[]} values
 */
export function encodeEvent(index, values) {
  return bounded([EVENT, index, ...values], "The event");
}

/** @param {number} t1 */
export function encodePing(t1) {
  return encode([PING, t1]);
}

export function encodeLeave() {
  return encode([LEAVE]);
}

/** @param {number} tick */
export function encodeResync(tick) {
  return encode([RESYNC, tick]);
}

/**
 * @param {number | null} t3 of the PONG that this answers
 * @param {number | null} delay ticks from the tick shown to the tick commanded; null: as told before
 */
export function encodeView(t3, delay) {
  return encode([VIEW, t3, delay === null ? null : viewSteps(delay)]);
}

/**
 * A view's delay as it is told.
 * @param {number} ticks
 */
export function viewSteps(ticks) {
  return Math.min(Math.max(Math.floor(ticks * VIEW_STEPS + 0.5), 0), MAX_VIEW_DELAY);
}

/** @param {unknown[]} message @param {string} what */
function bounded(message, what) {
  const bytes = encode(message);
  if (bytes.length > MAX_CLIENT_MESSAGE) throw new UsageError(`${what} would take ${bytes.length} bytes, and a message may have ${MAX_CLIENT_MESSAGE}; send less.`);
  return bytes;
}

/**
 * A message from the server.
 * @param {Uint8Array} bytes
 * @returns {ServerMessage}
 */
export function decodeMessage(bytes) {
  const items = decode(bytes);
  if (!Array.isArray(items)) throw new ProtocolError("The server sent a message that is not an array.");
  const kind = items[0];
  const parse = typeof kind === "number" ? PARSERS[kind] : undefined;
  if (!parse) throw new ProtocolError(`The server sent a message of the unknown kind ${show(kind)}.`);
  return parse(items);
}

/** @type {Record<number, (items: unknown[]) => ServerMessage>} */
const PARSERS = {
  1: parseWelcome,
  2: (items) => {
    if (items.length < 3) throw wrongLength("SNAPSHOT", items);
    return { type: "snapshot", tick: u32(items[1], "tick"), age: u32(items[2], "age"), groups: items.slice(3) };
  },
  3: (items) => {
    exactly("PRIVATE", items, 4);
    const [, tick, owned, rows] = items;
    if (owned !== null && !Array.isArray(owned)) throw new ProtocolError("PRIVATE has no usable list of owned entities.");
    if (!Array.isArray(rows)) throw new ProtocolError("PRIVATE has no list of rows.");
    return { type: "private", tick: u32(tick, "tick"), owned, rows };
  },
  4: (items) => {
    if (items.length < 2) throw wrongLength("EVENT", items);
    return { type: "event", index: u32(items[1], "class"), values: items.slice(2) };
  },
  5: (items) => {
    exactly("PONG", items, 4);
    return { type: "pong", t1: time(items[1], "t1"), t2: time(items[2], "t2"), t3: time(items[3], "t3") };
  },
  6: (items) => {
    exactly("CHECK", items, 4);
    return { type: "check", tick: u32(items[1], "tick"), publicSum: u32(items[2], "public"), privateSum: items[3] === null ? null : u32(items[3], "private") };
  },
  7: (items) => {
    exactly("EPOCH", items, 3);
    return { type: "epoch", tick: u32(items[1], "tick"), time: time(items[2], "time") };
  },
  8: (items) => {
    exactly("NEWS", items, 5);
    const slack = items[2];
    if (typeof slack !== "number" || !Number.isInteger(slack)) throw unusable("slack", slack);
    return { type: "news", tick: u32(items[1], "tick"), slack, late: u32(items[3], "late"), refused: u32(items[4], "refused") };
  },
  9: (items) => {
    exactly("LOAD", items, 3);
    const rung = u32(items[1], "rung");
    if (rung > MAX_RUNG) throw unusable("rung", rung);
    return { type: "load", rung, every: positive(u32(items[2], "every"), "every") };
  },
};

/**
 * @param {unknown[]} items
 * @returns {Welcome}
 */
function parseWelcome(items) {
  exactly("WELCOME", items, 2);
  const map = items[1];
  if (!isPlainObject(map)) throw new ProtocolError("WELCOME does not hold a map.");
  if (map.protocol !== PROTOCOL_VERSION) throw unusable("protocol", map.protocol);
  const { token, hash } = map;
  if (typeof token !== "string" && !(token instanceof Uint8Array)) throw unusable("token", token);
  if (!(hash instanceof Uint8Array)) throw unusable("hash", hash);
  if (typeof map.resumed !== "boolean") throw unusable("resumed", map.resumed);
  return {
    type: "welcome",
    room: text(map.room, "room"),
    roomType: text(map.type, "type"),
    player: u32(map.player, "player"),
    token: typeof token === "string" ? token : token.slice(),
    hz: positive(map.hz, "hz"),
    snapshotEvery: positive(map.snapshot_every, "snapshot_every"),
    tick: u32(map.tick, "tick"),
    time: time(map.time, "time"),
    schema: map.schema,
    hash: hash.slice(),
    resumed: map.resumed,
    hold: u32(map.hold, "hold"),
  };
}

/** @param {string} name @param {unknown[]} items @param {number} length */
function exactly(name, items, length) {
  if (items.length !== length) throw wrongLength(name, items);
}

/** @param {string} name @param {unknown[]} items */
function wrongLength(name, items) {
  return new ProtocolError(`The server sent a ${name} of ${items.length} items.`);
}

/** @param {string} what @param {unknown} value */
function unusable(what, value) {
  return new ProtocolError(`The server sent ${show(value)} as ${what}.`);
}

/** @param {unknown} value @param {string} what */
function u32(value, what) {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value >= 2 ** 32) throw unusable(what, value);
  return value;
}

/** @param {unknown} value @param {string} what */
function time(value, what) {
  if (typeof value !== "number" || !Number.isFinite(value)) throw unusable(what, value);
  return value;
}

/** @param {unknown} value @param {string} what */
function positive(value, what) {
  const number = time(value, what);
  if (number <= 0) throw unusable(what, value);
  return number;
}

/** @param {unknown} value @param {string} what */
function text(value, what) {
  if (typeof value !== "string") throw unusable(what, value);
  return value;
}
