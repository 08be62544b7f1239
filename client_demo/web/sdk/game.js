// @ts-check
/** The page's handle on a game: joins the parts of the SDK together, message by message and frame by frame. */

import { ServerClock } from "./clock.js";
import { Emitter } from "./emitter.js";
import { Entities } from "./entities.js";
import { ProtocolError, TickwireError, UsageError } from "./errors.js";
import { Inputs } from "./inputs.js";
import { Lateness, RenderClock } from "./interpolation.js";
import { LeadController } from "./lead.js";
import { decodeMessage, encodeEvent, encodeJoin, encodeResume, encodeResync } from "./messages.js";
import { Prediction } from "./prediction.js";
import { Replica } from "./replica.js";
import { checkWire, Schema } from "./schema.js";
import { Session } from "./session.js";
import { Traffic } from "./stats.js";
import { TickLine } from "./ticks.js";
import { ViewDelay } from "./view_delay.js";
import { Counts, GameClock, GameStats } from "./views.js";

/** @typedef {import("./entities.js").Entity} Entity */
/** @typedef {import("./runtime.js").Runtime} Runtime */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./messages.js").Welcome} Welcome */
/** @typedef {import("./messages.js").SnapshotMessage} SnapshotMessage */

/** @typedef {"join_or_create" | "create" | "join" | "id"} JoinMode */

/**
 * @typedef {object} Options
 * @property {string} [room] a room type, or a room id in the mode "id"
 * @property {string} [reservation] of a seat that matchmaking keeps, instead of a room
 * @property {JoinMode} [mode] "join_or_create" unless given
 * @property {Record<string, unknown>} [options] handed to the room
 * @property {boolean} [reconnect] true unless given
 * @property {import("./conditioner.js").LinkConditioner} [link] a bad network to play over
 * @property {Record<string, number>} [snap] by entity class: how many units it may move between two snapshots and
 *   still be drawn in between; an eighth of the field's range unless given
 */

/**
 * What listeners get.
 * @typedef {object} Listeners
 * @property {(entity: Entity) => void} added
 * @property {(entity: Entity, names: ReadonlySet<string>) => void} changed
 * @property {(entity: Entity) => void} removed
 * @property {(name: string, fields: Record<string, any>) => void} event
 * @property {(snapshot: {tick: number, bytes: number, full: boolean}) => void} snapshot
 * @property {(status: import("./session.js").Status) => void} status
 * @property {(error: TickwireError) => void} error
 * @property {(event: import("./predicted_events.js").PredictedEvent) => void} predicted
 * @property {(event: import("./predicted_events.js").PredictedEvent) => void} confirmed
 * @property {(event: import("./predicted_events.js").PredictedEvent) => void} withdrawn
 */

const LISTENER_NAMES = ["added", "changed", "removed", "event", "snapshot", "status", "error", "predicted", "confirmed", "withdrawn"];
/** A frame covers this much time at most: after a pause the clocks jump instead of running. */
const LONGEST_FRAME_MS = 1000;

/** What is there once a room has been joined. */
class Joined {
  /** @param {Schema} schema @param {Welcome} welcome @param {Emitter} emitter */
  constructor(schema, welcome, emitter) {
    this.schema = schema;
    this.welcome = welcome;
    this.replica = new Replica(schema);
    this.entities = new Entities(this.replica, emitter);
    this.inputs = schema.input ? new Inputs(schema.input) : null;
    this.lateness = new Lateness(welcome.snapshotEvery);
    this.line = new TickLine(welcome.tick);
    /** Unwrapped tick of the newest snapshot, 0 before the first. */
    this.newestTick = 0;
  }
}

export class Game {
  #options;
  #runtime;
  #emitter;
  #session;
  #clock = new ServerClock();
  #render = new RenderClock();
  #lead = new LeadController();
  #viewDelay = new ViewDelay();
  #traffic = new Traffic();
  /** @type {Joined | null} */
  #joined = null;
  #interpolates = true;
  #hasPlace = false;
  /** @type {number | null} */
  #frameAt = null;
  #counts = new Counts();
  /** @type {Prediction | null} */
  #prediction = null;
  /** @type {() => void} */
  #resolveReady = () => {};
  /** @type {(error: TickwireError) => void} */
  #rejectReady = () => {};

  /** Fulfilled when the first full snapshot has been applied; rejected with a TickwireError when the game ends before. */
  ready;
  /** Times and ticks, as of the last `frame`. */
  clock;
  /** Numbers for a net graph. */
  stats;

  /**
   * @param {string} url
   * @param {Options} options
   * @param {Runtime} runtime
   */
  constructor(url, options, runtime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#emitter = new Emitter(runtime.report);
    // First of all listeners: a page that hears of an entity can see whether it was predicted.
    this.#emitter.on("added", (entity) => this.#prediction?.adopt(entity));
    /** @type {Promise<void>} */
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = () => resolve(undefined);
      this.#rejectReady = reject;
    });
    // Whoever awaits `ready` gets the rejection; a page that doesn't still has the status event.
    this.ready.catch(() => {});
    const sources = {
      clock: this.#clock, render: this.#render, lead: this.#lead, traffic: this.#traffic, counts: this.#counts,
      now: runtime.now, frameNow: () => this.#frameAt ?? runtime.now(), joined: () => this.#joined,
    };
    this.clock = new GameClock(sources);
    this.stats = new GameStats(sources);
    // Encoded here, so that options that can't be sent throw at the line that gave them.
    this.#encodeJoin();
    this.#session = new Session(url, options.reconnect ?? true, runtime, {
      hello: () => this.#hello(),
      forgetPlace: () => this.#forgetPlace(),
      message: (bytes, now) => this.#receive(bytes, now),
      fault: (error) => this.#fault(error),
      status: (status) => this.#emitter.emit("status", status),
      ended: (error) => this.#rejectReady(error),
    });
    // After this turn of the event loop, so that listeners can be added first.
    runtime.schedule(() => {
      if (this.status === "connecting") this.#session.start();
    }, 0);
  }

  /** "connecting", "joining", "playing", "reconnecting" or "closed". */
  get status() {
    return this.#session.state;
  }

  /** All live entities by id. @returns {ReadonlyMap<number, Entity>} */
  get entities() {
    return this.#joined ? this.#joined.entities.byId : NO_ENTITIES;
  }

  /** Who this player is. */
  get me() {
    return { player: this.#joined?.welcome.player ?? 0, owned: this.#joined?.replica.own.owned ?? NOBODY };
  }

  get schema() {
    return this.#joined?.schema ?? null;
  }

  get roomId() {
    return this.#joined?.welcome.room ?? "";
  }

  /** Ticks per second. */
  get hz() {
    return this.#joined?.welcome.hz ?? 0;
  }

  /**
   * The input: set its fields, `game.input.turn = 1`. Before the room is joined, what is set is forgotten.
   * @returns {{[field: string]: any}}
   */
  get input() {
    return this.#joined?.inputs?.current ?? {};
  }

  /**
   * Listen to "added", "changed", "removed", "event", "event:Name", "snapshot", "status", "error", or to what is
   * predicted: "predicted", "confirmed", "withdrawn".
   * @template {keyof Listeners | `event:${string}`} Name
   * @param {Name} name
   * @param {Name extends keyof Listeners ? Listeners[Name] : (fields: Record<string, any>) => void} listener
   * @returns {() => void} call it to stop listening
   */
  on(name, listener) {
    if (!LISTENER_NAMES.includes(name) && !name.startsWith("event:")) {
      throw new UsageError(`There is no ${JSON.stringify(name)} to listen to; there are ${LISTENER_NAMES.join(", ")} and event:Name.`);
    }
    return this.#emitter.on(name, listener);
  }

  /**
   * The entities of a class, by id. Good until the next message; don't change the array.
   * @param {string} type
   * @returns {readonly Entity[]}
   */
  all(type) {
    if (!this.#joined) return [];
    const { schema, entities } = this.#joined;
    const spec = schema.entities.find((candidate) => candidate.name === type);
    if (!spec) throw new UsageError(`This room has no entities of the class ${JSON.stringify(type)}; it has ${schema.entities.map((s) => s.name).join(", ")}.`);
    return entities.all(spec.index);
  }

  /**
   * The only entity of a class, or the first; undefined when there is none.
   * @param {string} type
   */
  one(type) {
    return this.all(type)[0];
  }

  /**
   * Set a trigger for exactly one tick. Before the room is joined it does nothing.
   * @param {string} name
   */
  press(name) {
    this.#joined?.inputs?.press(name);
  }

  /**
   * Send an event to the room. Fields that are not given have their defaults.
   * @param {string} name
   * @param {Record<string, any>} [fields]
   * @returns {boolean} false when there is no connection just now, and nothing was sent
   */
  send(name, fields = {}) {
    const { schema } = this;
    if (!schema) return false;
    const spec = schema.events.find((candidate) => candidate.name === name);
    if (!spec?.flags.has("client")) throw new UsageError(`Clients of this room cannot send the event ${JSON.stringify(name)}.`);
    const stranger = Object.keys(fields).find((key) => !spec.fields.some((field) => field.name === key));
    if (stranger !== undefined) throw new UsageError(`The event ${name} has no field ${JSON.stringify(stranger)}.`);
    const values = spec.fields.map((field) => (field.name in fields ? field.kind.write(fields[field.name], `${name}.${field.name}`) : field.initial));
    return this.#session.send(encodeEvent(spec.index, values));
  }

  /**
   * One frame of the screen: advances the clocks and the interpolation, and sends the inputs that are due.
   * @param {number} [time] the argument of requestAnimationFrame's callback
   */
  frame(time = this.#runtime.now()) {
    const elapsed = this.#frameAt === null ? 0 : Math.min(Math.max(time - this.#frameAt, 0), LONGEST_FRAME_MS);
    this.#frameAt = time;
    this.#clock.advance(time);
    const joined = this.#joined;
    if (!joined || !this.#clock.isSynced) return;
    const serverTick = this.#clock.serverTick(time);
    // A guess about a link of which nothing is known is nothing to be smooth about.
    if (!joined.lateness.isKnown) this.#render.tick = null;
    if (this.#interpolates) this.#render.advance(serverTick - joined.lateness.delay, elapsed, joined.welcome.hz);
    else this.#render.tick = joined.newestTick;
    joined.entities.beginFrame(/** @type {number} */ (this.#render.tick));
    if (joined.inputs && this.status === "playing") this.#command(joined.inputs, elapsed, serverTick);
  }

  /**
   * Predict the own entity: draw it where it will be, from now on and in every room that this game gets to. Takes the place of
   * the prediction before. See prediction.js.
   * @param {import("./prediction.js").PredictionOptions} options
   * @returns {Prediction}
   */
  predict(options) {
    const prediction = new Prediction(options, {
      tell: (what, event) => this.#emitter.emit(what, event),
      fail: (error) => this.#failPrediction(error),
    });
    if (this.#prediction) this.#prediction.enabled = false;
    this.#prediction = prediction;
    return prediction;
  }

  /** What `predict` returned last; null before. */
  get prediction() {
    return this.#prediction;
  }

  /** Whether what is not predicted is drawn between two snapshots, a little in the past; else it is where the newest has it. */
  get interpolates() {
    return this.#interpolates;
  }

  set interpolates(interpolates) {
    // What is drawn has to go back in time at once; slowly it would run ahead of the snapshots meanwhile.
    if (interpolates && !this.#interpolates) this.#render.tick = null;
    this.#interpolates = interpolates;
  }

  /** Leave for good. */
  leave() {
    this.#session.leave();
  }

  /** @param {Inputs} inputs @param {number} elapsed @param {number} serverTick */
  #command(inputs, elapsed, serverTick) {
    this.#lead.advance(elapsed, serverTick, this.#link());
    const message = inputs.sample(/** @type {number} */ (this.#lead.tick));
    if (message) {
      const news = this.#viewDelay.update(/** @type {number} */ (this.#shownDelay(serverTick)));
      if (news) this.#session.send(news);
      this.#session.send(message);
    }
    this.#prediction?.advance(/** @type {number} */ (this.#lead.tick), elapsed);
  }

  /** @param {import("./errors.js").PredictionError} error */
  #failPrediction(error) {
    // Nobody listens: then the browser's console is told.
    if (!this.#emitter.has("error")) this.#runtime.report(error);
    this.#emitter.emit("error", error);
  }

  /**
   * How many ticks what is drawn is behind what is commanded; null before the first frame.
   * @param {number} serverTick
   */
  #shownDelay(serverTick) {
    const { rttMs, hz } = this.#link();
    const commanded = this.#lead.tick ?? serverTick + (rttMs * hz) / 2000;
    return this.#render.tick === null ? null : commanded - this.#render.tick;
  }

  #link() {
    return { rttMs: this.#clock.rttMs, hz: this.hz };
  }

  #encodeJoin() {
    const { room = "", reservation, mode = "join_or_create", options = {} } = this.#options;
    if (reservation === undefined) return encodeJoin(mode, room, null, options);
    // It is good for one join; who lost the seat it was for would like another in the same room.
    return this.#joined ? encodeJoin("id", this.#joined.welcome.room, null, options) : encodeJoin("reserved", reservation, null, options);
  }

  #hello() {
    if (!this.#joined || !this.#hasPlace) return this.#encodeJoin();
    const { welcome, replica } = this.#joined;
    return encodeResume(welcome.room, welcome.token, replica.heldTick, welcome.hash);
  }

  #forgetPlace() {
    const hadPlace = this.#hasPlace;
    this.#hasPlace = false;
    return hadPlace;
  }

  /** @param {Uint8Array} bytes @param {number} now */
  #receive(bytes, now) {
    try {
      const message = decodeMessage(bytes);
      this.#traffic.arrived(now, bytes.length, message.type === "snapshot");
      this.#take(message, bytes.length, now);
    } catch (error) {
      // Anything, since one bad message must not take the page down: what is not a ProtocolError is a
      // mistake in the SDK, and reported as such too.
      if (!(error instanceof ProtocolError)) this.#runtime.report(error);
      this.#fault(error instanceof ProtocolError ? error : new ProtocolError(`A message from the server could not be applied: ${String(error)}`));
    }
  }

  /** @param {ProtocolError} error */
  #fault(error) {
    this.#counts.faults += 1;
    this.#joined?.replica.awaitFull();
    this.#emitter.emit("error", error);
    this.#session.fail(error);
  }

  /** @param {ServerMessage} message @param {number} bytes @param {number} now */
  #take(message, bytes, now) {
    const joined = this.#joined;
    if (message.type === "welcome") this.#begin(message, now);
    else if (this.status !== "playing" || !joined) throw new ProtocolError(`The server sent ${message.type} before it welcomed this player.`);
    else if (message.type === "snapshot") this.#takeSnapshot(joined, message, bytes, now);
    else if (message.type === "private") {
      joined.replica.private(message);
      joined.entities.followPrivate();
    } else if (message.type === "event") this.#takeEvent(joined, message.index, message.values);
    else if (message.type === "pong") this.#takePong(message, now);
    else if (message.type === "check") this.#takeCheck(joined, message);
    else if (message.type === "epoch") this.#clock.setEpoch(joined.line.unwrap(message.tick), message.time);
    else if (message.type === "news") this.#takeNews(message);
    else this.#takeLoad(joined, message.rung, message.every);
  }

  /** @param {Welcome} welcome @param {number} now */
  #begin(welcome, now) {
    if (this.status !== "joining") throw new ProtocolError("The server welcomed this player twice.");
    const joined = this.#enter(welcome);
    if (!welcome.resumed) joined.replica.awaitFull();
    joined.welcome = welcome;
    this.#takeLoad(joined, 0, welcome.snapshotEvery); // another one follows if the server is busy
    joined.entities.context.hz = welcome.hz;
    joined.inputs?.restart();
    this.#prediction?.restart();
    this.#lead.restart();
    this.#viewDelay.restart();
    this.#hasPlace = true;
    this.#clock.begin({ tick: joined.line.unwrap(welcome.tick), time: welcome.time, hz: welcome.hz }, now);
    this.#session.welcomed();
  }

  /**
   * The room that a WELCOME is for: the one at hand, or a new one in its place.
   * @param {Welcome} welcome
   */
  #enter(welcome) {
    const old = this.#joined;
    if (old && old.welcome.room === welcome.room && sameBytes(old.welcome.hash, welcome.hash)) return old;
    // Parsed first: a schema that can't be read leaves the old room in place.
    const joined = new Joined(Schema.parse(welcome.schema), welcome, this.#emitter);
    joined.entities.context.snap = this.#options.snap ?? {};
    old?.entities.clear();
    this.#joined = joined;
    return joined;
  }

  /** @param {Joined} joined @param {SnapshotMessage} message @param {number} bytes @param {number} now */
  #takeSnapshot(joined, message, bytes, now) {
    const how = joined.replica.snapshot(message);
    if (how === "unfit") this.#resync(joined, message.tick);
    if (how === "unfit" || how === "ignored") return;
    const tick = joined.line.unwrap(message.tick);
    // The time between a full snapshot and what was held before says nothing about the rate.
    const gap = how === "full" ? 0 : tick - joined.newestTick;
    if (this.#clock.isSynced) joined.lateness.arrived(this.#clock.serverTick(now) - tick, gap);
    joined.newestTick = tick;
    joined.entities.context.gap = joined.lateness.gap;
    joined.entities.follow(how, tick);
    this.#prediction?.reconcile(joined, tick);
    if (how === "full") this.#resolveReady();
    this.#emitter.emit("snapshot", { tick: message.tick, bytes, full: how === "full" });
  }

  /** @param {import("./messages.js").Pong} pong @param {number} now */
  #takePong({ t1, t2, t3 }, now) {
    this.#clock.exchange(t1, t2, t3, now);
    this.#session.send(this.#viewDelay.answer(t3, this.#shownDelay(this.#clock.serverTick(this.#frameAt ?? now))));
  }

  /** @param {Joined} joined @param {number} index @param {unknown[]} values */
  #takeEvent({ schema, entities }, index, values) {
    const spec = schema.events[index];
    if (!spec || spec.fields.length !== values.length) throw new ProtocolError(`The server sent the event ${index} with ${values.length} values, which is not in its schema.`);
    /** @type {Record<string, any>} */
    const fields = {};
    spec.fields.forEach(({ name, kind }, i) => {
      const value = kind.read(checkWire(kind, values[i], `${spec.name}.${name}`));
      fields[name] = kind.name === "ref" ? entities.find(value) : value;
    });
    this.#emitter.emit("event", spec.name, fields);
    this.#emitter.emit(`event:${spec.name}`, fields);
  }

  /** @param {Joined} joined @param {import("./messages.js").Check} check */
  #takeCheck(joined, check) {
    if (joined.replica.agrees(check)) return;
    this.#counts.mismatches += 1;
    this.#resync(joined, check.tick);
  }

  /** @param {Joined} joined @param {number} tick */
  #resync(joined, tick) {
    joined.replica.awaitFull();
    this.#counts.resyncs += 1;
    this.#session.send(encodeResync(tick));
  }

  /** @param {Joined} joined @param {number} rung @param {number} every */
  #takeLoad(joined, rung, every) {
    if (rung < this.#counts.load) this.#lead.relieve();
    this.#counts.load = rung;
    joined.lateness.announce(every);
  }

  /** @param {import("./messages.js").News} news */
  #takeNews({ tick, slack, late, refused }) {
    this.#counts.late = late;
    this.#counts.refused = refused;
    this.#lead.onNews({ tick, slack });
  }
}

/** @type {ReadonlyMap<number, Entity>} */
const NO_ENTITIES = new Map();
/** @type {ReadonlySet<number>} */
const NOBODY = new Set();

/** @param {Uint8Array} a @param {Uint8Array} b */
function sameBytes(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
