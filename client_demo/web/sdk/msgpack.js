// @ts-check
/**
 * The part of msgpack that the protocol uses: nil, bool, int, float, str, bin, array, map with str keys.
 *
 * Decoding is strict: ext types, trailing or missing bytes, other keys, repeated keys, text that is not
 * UTF-8, integers beyond 2^53 and deep nesting are ProtocolErrors. A length is checked against the bytes
 * that are left before anything is allocated, so a message costs memory in proportion to its own size.
 */

import { ProtocolError, show, UsageError } from "./errors.js";

/** The deepest nesting accepted; a schema, the deepest thing the server sends, has 8 levels. */
const MAX_DEPTH = 16;
const TWO_32 = 2 ** 32;

const utf8Strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

/**
 * The one value that `bytes` holds. Binary parts are views of `bytes`, not copies.
 * @param {Uint8Array} bytes
 * @returns {unknown}
 */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) {
    throw new ProtocolError(`The server's message has ${bytes.length - reader.at} bytes too many.`);
  }
  return value;
}

/**
 * Text from UTF-8 bytes.
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function decodeText(bytes) {
  try {
    return utf8Strict.decode(bytes);
  } catch {
    throw new ProtocolError("The server sent text that is not UTF-8.");
  }
}

/** @param {string} text */
export function encodeText(text) {
  return utf8.encode(text);
}

class Reader {
  #bytes;
  #view;
  at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * @param {number} depth
   * @returns {unknown}
   */
  value(depth) {
    const head = this.#bytes[this.#take(1)];
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 256;
    if (head < 0x90) return this.#map(head & 15, depth);
    if (head < 0xa0) return this.#array(head & 15, depth);
    if (head < 0xc0) return this.#text(head & 31);
    switch (head) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.#bin(this.#u8());
      case 0xc5: return this.#bin(this.#u16());
      case 0xc6: return this.#bin(this.#u32());
      case 0xca: return this.#view.getFloat32(this.#take(4));
      case 0xcb: return this.#view.getFloat64(this.#take(8));
      case 0xcc: return this.#u8();
      case 0xcd: return this.#u16();
      case 0xce: return this.#u32();
      case 0xcf: return this.#wide(this.#u32());
      case 0xd0: return this.#view.getInt8(this.#take(1));
      case 0xd1: return this.#view.getInt16(this.#take(2));
      case 0xd2: return this.#view.getInt32(this.#take(4));
      case 0xd3: return this.#wide(this.#view.getInt32(this.#take(4)));
      case 0xd9: return this.#text(this.#u8());
      case 0xda: return this.#text(this.#u16());
      case 0xdb: return this.#text(this.#u32());
      case 0xdc: return this.#array(this.#u16(), depth);
      case 0xdd: return this.#array(this.#u32(), depth);
      case 0xde: return this.#map(this.#u16(), depth);
      case 0xdf: return this.#map(this.#u32(), depth);
      default: throw new ProtocolError(`The server used the msgpack type 0x${head.toString(16)}, which the protocol has no use for.`);
    }
  }

  /** @param {number} size */
  #take(size) {
    const start = this.at;
    this.at = start + size;
    if (this.at > this.#bytes.length) throw new ProtocolError(`The server's message ends in the middle, after ${this.#bytes.length} bytes.`);
    return start;
  }

  #u8() {
    return this.#bytes[this.#take(1)];
  }

  #u16() {
    return this.#view.getUint16(this.#take(2));
  }

  #u32() {
    return this.#view.getUint32(this.#take(4));
  }

  /** @param {number} high the upper half of a 64-bit integer */
  #wide(high) {
    const value = high * TWO_32 + this.#u32();
    if (!Number.isSafeInteger(value)) throw new ProtocolError(`The server sent the integer ${value}, which is beyond 2^53.`);
    return value;
  }

  /** @param {number} size */
  #bin(size) {
    const start = this.#take(size);
    return this.#bytes.subarray(start, this.at);
  }

  /** @param {number} size */
  #text(size) {
    return decodeText(this.#bin(size));
  }

  /**
   * @param {number} count
   * @param {number} depth
   */
  #enter(count, depth) {
    if (depth >= MAX_DEPTH) throw new ProtocolError(`The server's message is nested deeper than ${MAX_DEPTH} levels.`);
    if (count > this.#bytes.length - this.at) throw new ProtocolError(`The server's message claims ${count} items but ends before them.`);
  }

  /**
   * @param {number} count
   * @param {number} depth
   */
  #array(count, depth) {
    this.#enter(count, depth);
    /** @type {unknown[]} */
    const items = [];
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1));
    return items;
  }

  /**
   * Maps become objects without a prototype, so that no key (`__proto__`) means anything special.
   * @param {number} count
   * @param {number} depth
   */
  #map(count, depth) {
    this.#enter(count, depth);
    /** @type {Record<string, unknown>} */
    const map = Object.create(null);
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw new ProtocolError(`The server sent a map with the key ${show(key)}; keys are text.`);
      if (key in map) throw new ProtocolError(`The server sent a map with the key ${JSON.stringify(key)} twice.`);
      map[key] = this.value(depth + 1);
    }
    return map;
  }
}

/**
 * The msgpack bytes of a value: null, boolean, number, string, Uint8Array, array or plain object.
 * @param {unknown} value
 * @param {{sortKeys?: boolean}} [options] `sortKeys`: maps in the order of their keys' UTF-8 bytes, so that equal
 *   values have equal bytes
 * @returns {Uint8Array} a fresh array
 */
export function encode(value, { sortKeys = false } = {}) {
  const writer = new Writer(sortKeys);
  writer.value(value, 0);
  return writer.bytes();
}

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #sortKeys;

  /** @param {boolean} sortKeys */
  constructor(sortKeys) {
    this.#sortKeys = sortKeys;
  }

  bytes() {
    return this.#bytes.slice(0, this.#at);
  }

  /**
   * @param {unknown} value
   * @param {number} depth
   */
  value(value, depth) {
    if (depth > MAX_DEPTH) throw new UsageError(`A value is nested deeper than ${MAX_DEPTH} levels (or contains itself); send something flatter.`);
    if (value === null) this.#byte(0xc0);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.#text(value);
    else if (value instanceof Uint8Array) this.#bin(value);
    else if (Array.isArray(value)) this.#array(value, depth);
    else if (isPlainObject(value)) this.#map(value, depth);
    else throw new UsageError(`${describe(value)} cannot be sent; use null, a boolean, a number, text, a Uint8Array, an array or a plain object.`);
  }

  /** @param {number} size */
  #room(size) {
    const start = this.#at;
    this.#at += size;
    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#at, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }

  /** @param {number} byte */
  #byte(byte) {
    // In two steps: `#room` may replace `#bytes`.
    const at = this.#room(1);
    this.#bytes[at] = byte;
  }

  /** @param {number} head @param {number} value */
  #head8(head, value) {
    this.#byte(head);
    this.#byte(value);
  }

  /** @param {number} head @param {number} value */
  #head16(head, value) {
    this.#byte(head);
    const at = this.#room(2);
    this.#view.setUint16(at, value);
  }

  /** @param {number} head @param {number} value */
  #head32(head, value) {
    this.#byte(head);
    const at = this.#room(4);
    this.#view.setUint32(at, value);
  }

  /** @param {number} value */
  #number(value) {
    if (Number.isSafeInteger(value)) this.#integer(value);
    else {
      this.#byte(0xcb);
      const at = this.#room(8);
      this.#view.setFloat64(at, value);
    }
  }

  /** @param {number} value */
  #integer(value) {
    if (value >= 0) {
      if (value < 0x80) this.#byte(value);
      else if (value < 0x100) this.#head8(0xcc, value);
      else if (value < 0x10000) this.#head16(0xcd, value);
      else if (value < TWO_32) this.#head32(0xce, value);
      else this.#integer64(0xcf, value);
    } else if (value >= -32) this.#byte(value & 0xff);
    else if (value >= -0x80) this.#head8(0xd0, value & 0xff);
    else if (value >= -0x8000) this.#head16(0xd1, value & 0xffff);
    else if (value >= -0x80000000) this.#head32(0xd2, value >>> 0);
    else this.#integer64(0xd3, value);
  }

  /** @param {number} head @param {number} value */
  #integer64(head, value) {
    const high = Math.floor(value / TWO_32);
    this.#head32(head, high >>> 0);
    const at = this.#room(4);
    this.#view.setUint32(at, value - high * TWO_32);
  }

  /** @param {string} text */
  #text(text) {
    const bytes = utf8.encode(text);
    if (bytes.length < 32) this.#byte(0xa0 | bytes.length);
    else if (bytes.length < 0x100) this.#head8(0xd9, bytes.length);
    else if (bytes.length < 0x10000) this.#head16(0xda, bytes.length);
    else this.#head32(0xdb, bytes.length);
    this.#raw(bytes);
  }

  /** @param {Uint8Array} bytes */
  #bin(bytes) {
    if (bytes.length < 0x100) this.#head8(0xc4, bytes.length);
    else if (bytes.length < 0x10000) this.#head16(0xc5, bytes.length);
    else this.#head32(0xc6, bytes.length);
    this.#raw(bytes);
  }

  /** @param {Uint8Array} bytes */
  #raw(bytes) {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** @param {readonly unknown[]} items @param {number} depth */
  #array(items, depth) {
    if (items.length < 16) this.#byte(0x90 | items.length);
    else if (items.length < 0x10000) this.#head16(0xdc, items.length);
    else this.#head32(0xdd, items.length);
    for (const item of items) this.value(item, depth + 1);
  }

  /** @param {Record<string, unknown>} map @param {number} depth */
  #map(map, depth) {
    const keys = Object.keys(map);
    if (this.#sortKeys) keys.sort(byUtf8);
    if (keys.length < 16) this.#byte(0x80 | keys.length);
    else if (keys.length < 0x10000) this.#head16(0xde, keys.length);
    else this.#head32(0xdf, keys.length);
    for (const key of keys) {
      this.#text(key);
      this.value(map[key], depth + 1);
    }
  }
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isPlainObject(value) {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** @param {string} a @param {string} b */
function byUtf8(a, b) {
  const left = utf8.encode(a);
  const right = utf8.encode(b);
  for (let i = 0; i < left.length && i < right.length; i++) if (left[i] !== right[i]) return left[i] - right[i];
  return left.length - right.length;
}

/** @param {unknown} value */
function describe(value) {
  return value === undefined ? "undefined" : `A value of type ${value?.constructor?.name ?? typeof value}`;
}
