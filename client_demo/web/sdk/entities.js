// @ts-check
/**
 * Live objects for the page: one per entity, the same for as long as it exists.
 *
 * An entity's fields are getters over the replica's wire values, so there is nothing to keep in step; what
 * is kept here is identity, the recent past for interpolation, and the callbacks.
 */

import { Track } from "./interpolation.js";

/** @typedef {import("./schema.js").ClassSpec} ClassSpec */
/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./state.js").Row} Row */
/** @typedef {import("./replica.js").Replica} Replica */
/** @typedef {import("./emitter.js").Emitter} Emitter */
/** @typedef {import("./interpolation.js").TrackContext} TrackContext */

/** An entity as the page sees it: `id`, `type`, `mine`, `view`, and the fields of its class. */
/** @typedef {LiveEntity & {readonly [field: string]: any}} Entity */

/** Writes where its entity is drawn in the current frame, by field name. */
/** @typedef {{writePose: (view: Record<string, any>) => void}} Poser */

/** After a rest of more than this many snapshot gaps a movement starts one gap before its snapshot. */
const REST_GAPS = 2;

/** @type {readonly Field[]} */
const NONE = [];

class LiveEntity {
  #row;
  #home;
  #track;
  /** @type {Record<string, any>} */
  #view = {};
  #viewedFrame = -1;
  /** The fields that changed and were not announced yet. */
  /** @type {readonly Field[]} */
  #changed = NONE;

  /**
   * @param {Row} row
   * @param {Entities} home
   * @param {number} tick when it appeared, unwrapped
   */
  constructor(row, home, tick) {
    this.#row = row;
    this.#home = home;
    for (const field of row.spec.smoothFields) this.#view[field.name] = this.#number(field);
    this.#track = row.spec.smoothFields.length > 0 ? new Track(row.spec, tick, this.#number) : null;
  }

  get id() {
    return this.#row.id;
  }

  /** Name of its class. */
  get type() {
    return this.#row.spec.name;
  }

  /** Whether this player owns it. */
  get mine() {
    return this.#home.isMine(this.#row.id);
  }

  /**
   * Its quantized and angle fields as they should be drawn in the current frame: predicted if it is, else
   * interpolated. The same object every time.
   * @returns {Readonly<Record<string, any>>}
   */
  get view() {
    const poser = this.#home.posers.get(this.#row.id);
    if (poser) {
      this.#viewedFrame = -1;
      poser.writePose(this.#view);
      return this.#view;
    }
    const { frame, renderTick, context } = this.#home;
    if (renderTick === null) for (const field of this.#row.spec.smoothFields) this.#view[field.name] = this.#number(field);
    else if (frame !== this.#viewedFrame) this.#track?.sample(renderTick, context, this.#view);
    this.#viewedFrame = frame;
    return this.#view;
  }

  /**
   * The author's value of a field.
   * @param {LiveEntity} entity
   * @param {Field} field
   */
  static read(entity, field) {
    const row = entity.#row;
    const { kind, index } = field;
    if (field.isPrivate) return entity.#home.readPrivate(row.id, field);
    if (kind.isBytes) return row.decoded[index];
    const value = kind.read(row.wire[index]);
    return kind.name === "ref" ? entity.#home.find(value) : value;
  }

  /**
   * Stand for another row of the same id: a full snapshot came.
   * @param {LiveEntity} entity
   * @param {Row} row
   * @returns {Field[]} the fields whose values differ
   */
  static replaceRow(entity, row) {
    const before = entity.#row;
    entity.#row = row;
    return row.spec.publicFields.filter((field) => !sameWire(before.wire[field.index], row.wire[field.index]));
  }

  /**
   * Note that fields changed.
   * @param {LiveEntity} entity
   * @param {readonly Field[]} fields
   * @param {number | null} tick of the snapshot that changed public fields, unwrapped; null for private ones
   * @param {number} gap typical ticks between snapshots
   * @returns {boolean} true when this is the first change since the last announcement
   */
  static note(entity, fields, tick, gap) {
    const isFirst = entity.#changed === NONE;
    entity.#changed = isFirst ? fields : [...entity.#changed, ...fields];
    if (tick !== null && entity.#track) entity.#extend(entity.#track, tick, gap);
    return isFirst;
  }

  /**
   * The fields that changed since the last call.
   * @param {LiveEntity} entity
   */
  static takeChanges(entity) {
    const fields = entity.#changed;
    entity.#changed = NONE;
    return fields;
  }

  /** @param {Track} track @param {number} tick @param {number} gap */
  #extend(track, tick, gap) {
    if (tick - track.newestTick > REST_GAPS * gap) track.hold(tick - gap);
    track.push(tick, this.#number);
  }

  /** @param {Field} field a public one of an int kind */
  #number = (field) => /** @type {number} */ (field.kind.read(this.#row.wire[field.index]));
}

/** @typedef {new (row: Row, home: Entities, tick: number) => Entity} EntityClass */

/**
 * The class of live objects for a class of the schema: a getter for each field.
 * @param {ClassSpec} spec
 * @returns {EntityClass}
 */
function defineEntityClass(spec) {
  const Class = class extends LiveEntity {};
  Object.defineProperty(Class, "name", { value: spec.name });
  for (const field of spec.fields) {
    Object.defineProperty(Class.prototype, field.name, {
      enumerable: true,
      /** @this {LiveEntity} */
      get() {
        return LiveEntity.read(this, field);
      },
    });
  }
  return /** @type {EntityClass} */ (/** @type {unknown} */ (Class));
}

/** All live objects of a room. */
export class Entities {
  #replica;
  #emitter;
  #classes;
  /** @type {Map<string, readonly Entity[]>} */
  #byType = new Map();
  /** @type {Entity[]} */
  #pending = [];

  /** @type {Map<number, Entity>} */
  byId = new Map();
  /** Counts frames, so that a view is computed once in each. */
  frame = 0;
  /** The tick to draw; null before the first frame. */
  /** @type {number | null} */
  renderTick = null;
  /** Who says where an entity is drawn, by id, instead of the interpolation. */
  /** @type {Map<number, Poser>} */
  posers = new Map();
  /** @type {TrackContext} */
  context = { hz: 1, gap: 1, newest: 0, snap: {} };

  /**
   * @param {Replica} replica
   * @param {Emitter} emitter gets "added", "changed" and "removed"
   */
  constructor(replica, emitter) {
    this.#replica = replica;
    this.#emitter = emitter;
    this.#classes = replica.schema.entities.map(defineEntityClass);
  }

  /** @param {number} id @returns {Entity | null} */
  find(id) {
    return this.byId.get(id) ?? null;
  }

  /** @param {number} id */
  isMine(id) {
    return this.#replica.own.owned.has(id);
  }

  /** @param {number} id @param {Field} field */
  readPrivate(id, field) {
    if (field.kind.isBytes) return this.#replica.own.decoded(id, field);
    const value = field.kind.read(this.#replica.own.wire(id, field));
    return field.kind.name === "ref" ? this.find(value) : value;
  }

  /**
   * The entities of a class by id. The array is shared: don't change it.
   * @param {number} index of the class
   */
  all(index) {
    const table = this.#replica.state.tables[index];
    let list = this.#byType.get(table.spec.name);
    if (!list) this.#byType.set(table.spec.name, (list = table.rows.map((row) => /** @type {Entity} */ (this.byId.get(row.id)))));
    return list;
  }

  /**
   * Begin a frame: views are then as of this tick.
   * @param {number} renderTick unwrapped
   */
  beginFrame(renderTick) {
    this.frame += 1;
    this.renderTick = renderTick;
  }

  /**
   * Follow the replica's last snapshot.
   * @param {"full" | "delta"} how
   * @param {number} tick its tick, unwrapped
   */
  follow(how, tick) {
    this.context.newest = tick;
    const { log, privateLog } = this.#replica;
    const removed = how === "full" ? this.#sweep() : this.#takeAll(log.despawned);
    const added = how === "full" ? this.#merge(log.spawned, tick) : this.#addAll(log.spawned, tick);
    for (let i = 0; i < log.updated.length; i++) this.#note(log.updated[i].id, log.fields[i], tick);
    for (const [id, fields] of privateLog) this.#note(id, fields, null);
    if (removed.length + added.length > 0) this.#byType.clear();
    for (const entity of removed) this.#emitter.emit("removed", entity);
    for (const entity of added) {
      // What a spawn says is not a change.
      LiveEntity.takeChanges(entity);
      this.#emitter.emit("added", entity);
    }
    this.#announceChanges();
  }

  /** Follow the replica's last private message. */
  followPrivate() {
    for (const [id, fields] of this.#replica.privateLog) this.#note(id, fields, null);
    this.#announceChanges();
  }

  /** Remove everything: the room is another one. */
  clear() {
    const removed = this.#takeAll([...this.byId.keys()]);
    this.#byType.clear();
    for (const entity of removed) this.#emitter.emit("removed", entity);
  }

  /** @param {number} id @param {readonly Field[]} fields @param {number | null} tick */
  #note(id, fields, tick) {
    const entity = this.byId.get(id);
    if (entity && LiveEntity.note(entity, fields, tick, this.context.gap)) this.#pending.push(entity);
  }

  #announceChanges() {
    // Taken out first: a listener may lead to further messages.
    const pending = this.#pending;
    this.#pending = [];
    for (const entity of pending) {
      const fields = LiveEntity.takeChanges(entity);
      if (fields !== NONE) this.#emitter.emit("changed", entity, namesOf(fields));
    }
  }

  /** @param {readonly number[]} ids */
  #takeAll(ids) {
    return ids.flatMap((id) => {
      const entity = this.byId.get(id);
      this.byId.delete(id);
      return entity ? [entity] : [];
    });
  }

  /** @param {readonly Row[]} rows @param {number} tick */
  #addAll(rows, tick) {
    return rows.map((row) => {
      const entity = new this.#classes[row.spec.index](row, this, tick);
      this.byId.set(row.id, entity);
      return entity;
    });
  }

  /** Take away what a full snapshot does not mention (or mentions as another class: then it is another room's). */
  #sweep() {
    const { state } = this.#replica;
    return this.#takeAll([...this.byId.values()].filter((entity) => state.find(entity.id)?.spec.name !== entity.type).map((entity) => entity.id));
  }

  /** Add what a full snapshot has anew, and give the others their new rows. @param {readonly Row[]} rows @param {number} tick */
  #merge(rows, tick) {
    const fresh = rows.filter((row) => !this.byId.has(row.id));
    for (const row of rows) {
      const entity = this.byId.get(row.id);
      if (!entity) continue;
      const differing = LiveEntity.replaceRow(entity, row);
      if (differing.length > 0) this.#note(row.id, differing, tick);
    }
    return this.#addAll(fresh, tick);
  }
}

/** Names of the fields of a delta group. Groups share their list of fields, so most of these are found here. */
/** @type {WeakMap<readonly Field[], ReadonlySet<string>>} */
const namesByFields = new WeakMap();

/** @param {readonly Field[]} fields */
function namesOf(fields) {
  let names = namesByFields.get(fields);
  if (!names) namesByFields.set(fields, (names = new Set(fields.map((field) => field.name))));
  return names;
}

/** @param {any} a @param {any} b */
function sameWire(a, b) {
  if (!(a instanceof Uint8Array)) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
