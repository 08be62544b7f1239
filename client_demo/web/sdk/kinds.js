// @ts-check
/**
 * The kinds of field (PROTOCOL.md section 3): how an author's value becomes a wire value and back.
 *
 * Int kinds have an integer in [low, high] on the wire, byte kinds a Uint8Array of at most `high` bytes.
 */

import { ProtocolError, show, UsageError } from "./errors.js";
import { decode, decodeText, encode, encodeText, isPlainObject } from "./msgpack.js";

/** @typedef {number | Uint8Array} WireValue */

/**
 * @typedef {object} Kind
 * @property {string} name
 * @property {boolean} isBytes a byte kind, not an int kind
 * @property {number} low least wire value
 * @property {number} high greatest wire value, or most bytes
 * @property {number} modulus 2^bits of an angle, whose differences wrap; 0 otherwise
 * @property {boolean} isSmooth numbers that make sense between two snapshots: quantized, angle
 * @property {(wire: any) => any} read the author's value; a ref stays an id. Byte kinds throw ProtocolError
 * @property {(value: any, where: string) => WireValue} write the wire value; throws UsageError naming `where`
 */

/** Integers on the wire stay within +-2^52, so that their differences are exact doubles too. */
const INTEGER_LIMIT = 2 ** 52;
const ID_LIMIT = 2 ** 32 - 1;

/** @type {Record<string, (p: Parameters) => Kind>} */
const BUILDERS = { quantized, angle, integer, flag: bool, trigger: bool, choice, ref, text, blob, packed };

/**
 * The kind that a field of the schema describes.
 * @param {Record<string, unknown>} map the field, as the schema has it
 * @param {string} where the field's full name, for errors
 * @returns {Kind}
 */
export function buildKind(map, where) {
  const name = map.kind;
  if (typeof name !== "string" || !Object.hasOwn(BUILDERS, name)) {
    throw new ProtocolError(`The schema's field ${where} has the kind ${show(name)}, which this SDK does not know; reload the page to get a newer one.`);
  }
  return BUILDERS[name](new Parameters(name, map, where));
}

/** A field's parameters, checked as they are read. */
class Parameters {
  /** @param {string} kind @param {Record<string, unknown>} map @param {string} where */
  constructor(kind, map, where) {
    this.kind = kind;
    this.map = map;
    this.where = where;
  }

  /**
   * @param {string} key
   * @param {number} low
   * @param {number} high
   */
  number(key, low = -Number.MAX_VALUE, high = Number.MAX_VALUE) {
    const value = this.map[key];
    if (typeof value !== "number" || !(value >= low && value <= high)) throw this.error(key);
    return value;
  }

  /** @param {string} key @param {number} low @param {number} high */
  integer(key, low, high) {
    const value = this.number(key, low, high);
    if (!Number.isInteger(value)) throw this.error(key);
    return value;
  }

  /** @param {string} key */
  names(key) {
    const value = this.map[key];
    if (!Array.isArray(value) || value.length === 0 || value.some((name) => typeof name !== "string")) throw this.error(key);
    return /** @type {string[]} */ (value);
  }

  /** @param {string} key */
  error(key) {
    return new ProtocolError(`The schema's field ${this.where} (${this.kind}) has no usable ${key}: ${show(this.map[key])}.`);
  }
}

/** @param {Parameters} p @returns {Kind} */
function quantized(p) {
  const min = p.number("min");
  const max = p.number("max", min);
  const step = p.number("step", Number.MIN_VALUE);
  const high = Math.floor((max - min) / step + 0.5);
  if (!(high <= INTEGER_LIMIT)) throw p.error("step");
  const refuses = p.map.overflow === "refuse";
  return intKind(p.kind, 0, high, {
    isSmooth: true,
    read: (i) => min + i * step,
    write: (value, where) => {
      const i = Math.floor((finite(value, where) - min) / step + 0.5);
      if (refuses && (i < 0 || i > high)) throw outside(value, where, min, max);
      return Math.min(Math.max(i, 0), high);
    },
  });
}

/** @param {Parameters} p @returns {Kind} */
function angle(p) {
  const modulus = 2 ** p.integer("bits", 2, 32);
  const step = (2 * Math.PI) / modulus;
  return intKind(p.kind, 0, modulus - 1, {
    modulus,
    isSmooth: true,
    read: (i) => i * step,
    write: (value, where) => wrap(Math.floor(finite(value, where) / step + 0.5), modulus),
  });
}

/** @param {Parameters} p @returns {Kind} */
function integer(p) {
  const min = p.integer("min", -INTEGER_LIMIT, INTEGER_LIMIT);
  const max = p.integer("max", min, INTEGER_LIMIT);
  return intKind(p.kind, min, max, {
    read: (i) => i,
    write: (value, where) => {
      if (!Number.isInteger(value) || value < min || value > max) throw outside(value, where, min, max, "an integer");
      return value;
    },
  });
}

/** @param {Parameters} p @returns {Kind} */
function bool(p) {
  return intKind(p.kind, 0, 1, {
    read: (i) => i === 1,
    write: (value, where) => {
      if (typeof value !== "boolean") throw new UsageError(`${where} is ${show(value)}; it takes true or false.`);
      return value ? 1 : 0;
    },
  });
}

/** @param {Parameters} p @returns {Kind} */
function choice(p) {
  const names = p.names("names");
  return intKind(p.kind, 0, names.length - 1, {
    read: (i) => names[i],
    write: (value, where) => {
      const i = names.indexOf(value);
      if (i < 0) throw new UsageError(`${where} is ${show(value)}; it takes one of ${names.join(", ")}.`);
      return i;
    },
  });
}

/** @param {Parameters} p @returns {Kind} */
function ref(p) {
  return intKind(p.kind, 0, ID_LIMIT, {
    read: (i) => i,
    write: (value, where) => {
      if (value === null) return 0;
      const id = typeof value === "object" ? value.id : value;
      if (!Number.isInteger(id) || id < 0 || id > ID_LIMIT) throw new UsageError(`${where} is ${show(value)}; it takes an entity or null.`);
      return id;
    },
  });
}

/** @param {Parameters} p @returns {Kind} */
function text(p) {
  return byteKind(p, decodeText, (value, where) => {
    if (typeof value !== "string") throw new UsageError(`${where} is ${show(value)}; it takes text.`);
    return encodeText(value);
  });
}

/** @param {Parameters} p @returns {Kind} */
function blob(p) {
  return byteKind(p, (bytes) => bytes, (value, where) => {
    if (!(value instanceof Uint8Array)) throw new UsageError(`${where} is ${show(value)}; it takes a Uint8Array.`);
    return value.slice();
  });
}

/** @param {Parameters} p @returns {Kind} */
function packed(p) {
  return byteKind(
    p,
    (bytes) => {
      // The default of a field that has none is no bytes at all: an empty list.
      const value = bytes.length === 0 ? [] : decode(bytes);
      if (!Array.isArray(value) && !isPlainObject(value)) throw new ProtocolError(`The packed field ${p.where} holds neither a list nor a map.`);
      return value;
    },
    (value, where) => {
      if (!Array.isArray(value) && !isPlainObject(value)) throw new UsageError(`${where} is ${show(value)}; it takes an array or a plain object.`);
      return encode(value, { sortKeys: true });
    },
  );
}

/**
 * @param {string} name
 * @param {number} low
 * @param {number} high
 * @param {{read: Kind["read"], write: Kind["write"], modulus?: number, isSmooth?: boolean}} rest
 * @returns {Kind}
 */
function intKind(name, low, high, { read, write, modulus = 0, isSmooth = false }) {
  return { name, isBytes: false, low, high, modulus, isSmooth, read, write };
}

/**
 * @param {Parameters} p
 * @param {(bytes: Uint8Array) => any} read
 * @param {(value: any, where: string) => Uint8Array} write
 * @returns {Kind}
 */
function byteKind(p, read, write) {
  const max = p.integer("max", 0, ID_LIMIT);
  return {
    name: p.kind, isBytes: true, low: 0, high: max, modulus: 0, isSmooth: false, read,
    write: (value, where) => {
      const bytes = write(value, where);
      if (bytes.length > max) throw new UsageError(`${where} takes ${max} bytes at most, and this value has ${bytes.length}; shorten it.`);
      return bytes;
    },
  };
}

/**
 * @param {number} value an integer
 * @param {number} modulus
 */
function wrap(value, modulus) {
  const rest = value % modulus;
  return rest < 0 ? rest + modulus : rest + 0;
}

/** @param {unknown} value @param {string} where */
function finite(value, where) {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new UsageError(`${where} is ${show(value)}; it takes a finite number.`);
  return value;
}

/** @param {unknown} value @param {string} where @param {number} min @param {number} max @param {string} [what] */
function outside(value, where, min, max, what = "a number") {
  return new UsageError(`${where} is ${show(value)}; it takes ${what} from ${min} to ${max}.`);
}
