// @ts-check
/** The room's schema as WELCOME carries it (PROTOCOL.md section 3), checked once and indexed for decoding. */

import { ProtocolError, show } from "./errors.js";
import { buildKind } from "./kinds.js";
import { isPlainObject } from "./msgpack.js";

/** @typedef {import("./kinds.js").Kind} Kind */
/** @typedef {import("./kinds.js").WireValue} WireValue */

/** A mask has 48 bits at most, so that it is an exact double. */
const MAX_FIELDS = 48;
/** Field names that would hide what every live entity has. */
const RESERVED = new Set(["id", "type", "mine", "view", "constructor", "__proto__"]);
/** Distinct masks remembered per class. A real room uses a handful; the bound is against a hostile one. */
const MASKS_REMEMBERED = 256;

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {number} index its number among the public or private fields of its class
 * @property {Kind} kind
 * @property {boolean} isPrivate
 * @property {WireValue} initial the default, as wire value
 * @property {any} initialValue the default, as the kind reads it
 */

/** The fields that a mask selects, split as the delta wants them. */
/** @typedef {{all: Field[], ints: Field[], bytes: Field[]}} Selection */

/** One class of entity, event or input. */
export class ClassSpec {
  /** @type {Map<number, Selection>} */
  #selections = new Map();

  /**
   * @param {string} name
   * @param {number} index
   * @param {Set<string>} flags
   * @param {Field[]} fields
   */
  constructor(name, index, flags, fields) {
    this.name = name;
    this.index = index;
    this.flags = flags;
    this.publicFields = fields.filter((field) => !field.isPrivate);
    this.privateFields = fields.filter((field) => field.isPrivate);
    this.fields = fields;
    /** Public fields that can be drawn between two snapshots. */
    this.smoothFields = this.publicFields.filter((field) => field.kind.isSmooth);
  }

  /**
   * The public fields in a mask.
   * @param {unknown} mask
   */
  select(mask) {
    const known = this.#selections.get(/** @type {number} */ (mask));
    if (known) return known;
    const all = fieldsIn(mask, this.publicFields, this.name);
    const selection = { all, ints: all.filter((f) => !f.kind.isBytes), bytes: all.filter((f) => f.kind.isBytes) };
    if (this.#selections.size >= MASKS_REMEMBERED) this.#selections.clear();
    this.#selections.set(/** @type {number} */ (mask), selection);
    return selection;
  }

  /**
   * The private fields in a mask.
   * @param {unknown} mask
   */
  selectPrivate(mask) {
    return fieldsIn(mask, this.privateFields, this.name);
  }
}

/**
 * @param {unknown} mask
 * @param {Field[]} fields
 * @param {string} name
 */
function fieldsIn(mask, fields, name) {
  if (!Number.isInteger(mask) || /** @type {number} */ (mask) < 0 || /** @type {number} */ (mask) >= 2 ** fields.length) {
    throw new ProtocolError(`The server sent the field mask ${show(mask)} for ${name}, which has ${fields.length} such fields.`);
  }
  return fields.filter((field) => Math.floor(/** @type {number} */ (mask) / 2 ** field.index) % 2 === 1);
}

/** Everything a room can send. */
export class Schema {
  /**
   * @param {ClassSpec[]} entities
   * @param {ClassSpec | null} input
   * @param {ClassSpec[]} events
   */
  constructor(entities, input, events) {
    this.entities = entities;
    this.input = input;
    this.events = events;
    this.hasPrivateFields = entities.some((spec) => spec.privateFields.length > 0);
  }

  /**
   * Check and index a decoded schema.
   * @param {unknown} map
   */
  static parse(map) {
    if (!isPlainObject(map)) throw new ProtocolError("The server's schema is not a map.");
    const entities = parseClasses(map.entities, "entities");
    const events = parseClasses(map.events, "events");
    const input = map.input === null ? null : parseClass(map.input, 0);
    for (const spec of input ? [input, ...events] : events) {
      if (spec.privateFields.length > 0) throw new ProtocolError(`The schema's ${spec.name} has a field for its owner only, which an input or event cannot have.`);
    }
    if (input?.fields.some((field) => field.kind.isBytes)) throw new ProtocolError(`The schema's input ${input.name} has a field that is not a number.`);
    for (const spec of entities) {
      const clash = spec.fields.find((field) => RESERVED.has(field.name));
      if (clash) throw new ProtocolError(`The field ${spec.name}.${clash.name} hides a property that every entity has here; rename it on the server.`);
    }
    return new Schema(entities, input, events);
  }
}

/** @param {unknown} list @param {string} what */
function parseClasses(list, what) {
  if (!Array.isArray(list)) throw new ProtocolError(`The server's schema has no list of ${what}.`);
  const specs = list.map(parseClass);
  if (new Set(specs.map((spec) => spec.name)).size < specs.length) throw new ProtocolError(`Two ${what} of the server's schema have the same name.`);
  return specs;
}

/** @param {unknown} map @param {number} index */
function parseClass(map, index) {
  if (!isPlainObject(map) || typeof map.name !== "string") throw new ProtocolError(`Class ${index} of the server's schema has no name.`);
  const { name, flags, fields } = map;
  if (!Array.isArray(flags) || flags.some((flag) => typeof flag !== "string") || !Array.isArray(fields)) throw new ProtocolError(`The schema's class ${name} lacks its flags or fields.`);
  const counts = { all: 0, owner: 0 };
  const parsed = fields.map((field) => parseField(field, name, counts));
  if (Math.max(counts.all, counts.owner) > MAX_FIELDS) throw new ProtocolError(`The schema's class ${name} has more than ${MAX_FIELDS} fields.`);
  if (new Set(parsed.map((field) => field.name)).size < parsed.length) throw new ProtocolError(`The schema's class ${name} has two fields of one name.`);
  return new ClassSpec(name, index, new Set(flags), parsed);
}

/**
 * @param {unknown} map
 * @param {string} className
 * @param {{all: number, owner: number}} counts fields so far, by who may see them
 * @returns {Field}
 */
function parseField(map, className, counts) {
  if (!isPlainObject(map) || typeof map.name !== "string" || map.name === "") throw new ProtocolError(`A field of the schema's class ${className} has no name.`);
  const where = `${className}.${map.name}`;
  if (map.to !== "all" && map.to !== "owner") throw new ProtocolError(`The schema does not say who may see ${where}.`);
  const kind = buildKind(map, where);
  const initial = checkWire(kind, map.default, where);
  const field = { name: map.name, index: counts[map.to], kind, isPrivate: map.to === "owner", initial, initialValue: kind.read(initial) };
  counts[map.to] += 1;
  return field;
}

/**
 * A wire value that came by itself (a default, a private or event field), checked against its kind.
 * @param {Kind} kind
 * @param {unknown} value
 * @param {string} where
 * @returns {WireValue} byte kinds as a copy, so that the message it came in can be forgotten
 */
export function checkWire(kind, value, where) {
  if (kind.isBytes) {
    if (value instanceof Uint8Array && value.length <= kind.high) return value.slice();
    throw new ProtocolError(`The server sent no usable bytes for ${where}.`);
  }
  if (typeof value === "number" && Number.isInteger(value) && value >= kind.low && value <= kind.high) return value;
  throw new ProtocolError(`The server sent ${show(value)} for ${where}, which takes ${kind.low} to ${kind.high}.`);
}
