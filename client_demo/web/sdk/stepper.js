// @ts-check
/**
 * Runs the author's step on wire values, so that what comes out is what the server would hold after its commit.
 *
 * The step gets author's values in a plain object and changes them. They are quantised after every step, as the
 * server does with entities that it marks `predicted`: both go on from the same numbers, and never drift.
 */

import { show, UsageError } from "./errors.js";
import { wrapTick } from "./ticks.js";

/** @typedef {import("./schema.js").ClassSpec} ClassSpec */
/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./entities.js").Entities} Entities */
/** @typedef {import("./entities.js").Entity} Entity */

/**
 * One tick of the entity that is predicted. Must be pure: the same state, input and context give the same result, with
 * no clock, no randomness and no memory of its own, because it runs again for ticks that are over.
 * @typedef {(state: Record<string, any>, input: Readonly<Record<string, any>>, context: StepContext) => void} Step
 */

/** What a step raised: an event, or the spawn of an entity. */
/** @typedef {{name: string, key: string, tick: number, fields: Record<string, any>, isSpawn: boolean, wire: Map<Field, unknown>}} Raised */

/** @type {ReadonlyMap<Field, unknown>} */
const NO_WIRE = new Map();

/** What a step may look at besides its state and input, and what it may say. */
export class StepContext {
  #schema;
  #entities;
  /** @type {Raised[]} */
  #raised = [];
  #tick = 0;

  /** The live entity that is predicted, with the server's values. */
  /** @type {Entity | null} */
  entity = null;

  /**
   * @param {import("./schema.js").Schema} schema
   * @param {Entities} entities
   * @param {number} hz
   */
  constructor(schema, entities, hz) {
    this.#schema = schema;
    this.#entities = entities;
    /** Ticks per second. */
    this.hz = hz;
    /** Seconds per tick. */
    this.dt = 1 / hz;
  }

  /** The tick that is simulated, as u32. */
  get tick() {
    return wrapTick(this.#tick);
  }

  /**
   * The entities of a class, as the server last had them: good for what seldom changes, such as walls.
   * @param {string} type
   * @returns {readonly Entity[]}
   */
  all = (type) => this.#entities.all(this.#spec(type).index);

  /** The only entity of a class, or the first. @param {string} type @returns {Entity | undefined} */
  one = (type) => this.all(type)[0];

  /**
   * Something happens in this tick, to be shown at once: told as "predicted" when it is raised first, later as
   * "confirmed" or "withdrawn".
   * @param {string} name
   * @param {Record<string, any>} [fields]
   * @param {string} [key] who it is, when it may move to another tick; the tick and its number in it unless given
   */
  event = (name, fields = {}, key) => {
    this.#raise(name, { ...fields }, key, false, NO_WIRE);
  };

  /**
   * An entity is launched in this tick. Its fields are quantised as the server's will be; when the server's has come it
   * is told as "confirmed", with the `entity`.
   * @param {string} type its class
   * @param {Record<string, any>} fields
   * @param {string} [key] as for `event`
   */
  spawn = (type, fields, key) => {
    const spec = this.#spec(type);
    /** @type {Map<Field, unknown>} */
    const wire = new Map();
    /** @type {Record<string, any>} */
    const rounded = {};
    for (const [name, value] of Object.entries(fields)) {
      const field = spec.fields.find((candidate) => candidate.name === name);
      if (!field) throw new UsageError(`${type} has no field ${JSON.stringify(name)} to be spawned with; it has ${spec.fields.map((f) => f.name).join(", ")}.`);
      wire.set(field, field.kind.write(value, `${type}.${name}`));
      rounded[name] = field.kind.name === "ref" ? value : field.kind.read(wire.get(field));
    }
    this.#raise(type, rounded, key, true, wire);
  };

  /** @param {StepContext} context @param {number} tick unwrapped */
  static begin(context, tick) {
    context.#tick = tick;
  }

  /** What was raised since the last call. @param {StepContext} context */
  static takeRaised(context) {
    const raised = context.#raised;
    context.#raised = [];
    return raised;
  }

  /** @param {string} name @param {Record<string, any>} fields @param {string | undefined} key @param {boolean} isSpawn @param {ReadonlyMap<Field, unknown>} wire */
  #raise(name, fields, key, isSpawn, wire) {
    const number = this.#raised.filter((other) => other.tick === this.#tick && other.name === name).length;
    this.#raised.push({ name, key: key ?? `${this.tick}/${number}`, tick: this.#tick, fields, isSpawn, wire: /** @type {Map<Field, unknown>} */ (wire) });
  }

  /** @param {string} type */
  #spec(type) {
    const spec = this.#schema.entities.find((candidate) => candidate.name === type);
    if (!spec) throw new UsageError(`This room has no entities of the class ${show(type)}; it has ${this.#schema.entities.map((s) => s.name).join(", ")}.`);
    return spec;
  }
}

/** The step of one class of entity, from wire values to wire values. */
export class Stepper {
  #spec;
  #inputFields;
  #step;
  #context;

  /**
   * @param {ClassSpec} spec
   * @param {readonly Field[]} inputFields
   * @param {Step} step
   * @param {StepContext} context
   */
  constructor(spec, inputFields, step, context) {
    this.#spec = spec;
    /** The fields of the state: those with a number on the wire. */
    this.fields = spec.fields.filter((field) => !field.kind.isBytes);
    this.#inputFields = inputFields;
    this.#step = step;
    this.#context = context;
  }

  /**
   * One tick.
   * @param {readonly number[]} wire the state after the tick before
   * @param {readonly number[]} input in force at this tick, as wire values
   * @param {number} tick the tick to simulate, unwrapped
   * @returns {number[]} the state after it. Throws whatever the step throws, and a UsageError for a value that its field can't hold
   */
  run(wire, input, tick) {
    const state = this.read(wire);
    StepContext.begin(this.#context, tick);
    this.#step(state, readAll(this.#inputFields, input), this.#context);
    return this.fields.map(({ name, kind }) => /** @type {number} */ (kind.write(state[name], `${this.#spec.name}.${name}`)));
  }

  /**
   * Author's values of a state; a reference stays an id. No field can be added, so that a mistyped one is an error.
   * @param {readonly number[]} wire
   */
  read(wire) {
    return readAll(this.fields, wire);
  }
}

/** @param {readonly Field[]} fields @param {readonly number[]} wire */
function readAll(fields, wire) {
  /** @type {Record<string, any>} */
  const values = {};
  for (let k = 0; k < fields.length; k++) values[fields[k].name] = fields[k].kind.read(wire[k]);
  return Object.seal(values);
}
