// @ts-check
/**
 * The own entity, shown where it will be when the server has heard what the player does now.
 *
 *     const prediction = game.predict({
 *       entity: "Ship",                              // the own entity of this class; or an entity; or a function that finds it
 *       step(ship, input, { dt, all, spawn }) {      // the twin of what the server does in one tick; pure
 *         ship.x += input.thrust * 10 * dt;
 *       },
 *       snapDistance: 4,                             // put farther away than this it jumps; less is smoothed
 *     });
 *     ship.view                                      // from now on predicted, in the very frame of the key press
 *
 * The client commands ticks that are yet to come (lead.js), and simulates those itself. When the server's state of a tick
 * comes, it is compared with what had been predicted for it: equal costs nothing; otherwise the simulation goes back
 * there and runs again with the inputs since, and the picture glides over (visual_error.js). The class must be marked
 * `predicted` on the server, which then goes on from the quantised values that it sends, as the prediction does.
 */

import { PredictionError, UsageError } from "./errors.js";
import { Forecast } from "./forecast.js";
import { Pose } from "./pose.js";
import { PredictedEvents } from "./predicted_events.js";
import { StepContext, Stepper } from "./stepper.js";
import { wrapTick } from "./ticks.js";

/** @typedef {import("./entities.js").Entity} Entity */
/** @typedef {import("./predicted_events.js").PredictedEvent} PredictedEvent */

/**
 * @typedef {object} PredictionOptions
 * @property {string | Entity | (() => Entity | null | undefined)} entity what to predict: the own entity of a class, an
 *   entity of the player's, or what finds it
 * @property {import("./stepper.js").Step} step the twin of what the server does with it in one tick
 * @property {number} [snapDistance] units: what is put farther away than this jumps there. As the game's option `snap` for
 *   its class unless given
 * @property {string[]} [positions] the fields that make up its place; all quantized ones that everyone sees unless given
 * @property {(before: Record<string, any>, after: Record<string, any>) => boolean} [snap] whether a correction from the
 *   predicted state `before` to the server's, `after`, is a jump, however short: a respawn
 * @property {import("./predicted_events.js").Match} [match] whether an entity is the one of a predicted spawn; only asked for those
 *   that are not equal in all predicted fields, as when an input came late
 */

/**
 * The room that is being played.
 * @typedef {object} Room
 * @property {import("./schema.js").Schema} schema
 * @property {{hz: number, hold: number}} welcome
 * @property {import("./replica.js").Replica} replica
 * @property {import("./entities.js").Entities} entities
 * @property {import("./inputs.js").Inputs | null} inputs
 */

/**
 * Who the prediction belongs to.
 * @typedef {object} Host
 * @property {import("./predicted_events.js").Tell} tell
 * @property {(error: PredictionError) => void} fail
 */

/** One entity while it is being predicted. */
class Run {
  /** @param {Room} room @param {Entity} entity @param {PredictionOptions} options @param {Host} host @param {number} tick */
  constructor(room, entity, options, host, tick) {
    const spec = checkedSpec(room, entity, options);
    const inputs = /** @type {import("./inputs.js").Inputs} */ (room.inputs);
    this.room = room;
    this.entity = entity;
    this.context = new StepContext(room.schema, room.entities, room.welcome.hz);
    this.context.entity = entity;
    this.stepper = new Stepper(spec, inputs.fields, options.step, this.context);
    this.forecast = new Forecast(this.stepper, inputs, room.welcome, tick, this.wire);
    this.pose = new Pose(spec, this.stepper.fields, this.forecast, options, room.entities.context.snap[spec.name]);
    this.events = new PredictedEvents(host.tell, (other, field) => wireOf(room, other.id, field), options.match);
  }

  /** What the server last said. */
  get wire() {
    return this.stepper.fields.map((field) => /** @type {number} */ (wireOf(this.room, this.entity.id, field)));
  }

  /** @param {[first: number, last: number]} ticks simulated just now */
  follow(ticks) {
    this.events.follow(ticks, StepContext.takeRaised(this.context));
  }
}

export class Prediction {
  #options;
  #host;
  /** @type {Run | null} */
  #run = null;
  /** The run whose entity is drawn: an earlier one while a new one is awaited. */
  /** @type {Run | null} */
  #drawn = null;
  #isEnabled = true;

  /** Units that the server's last state was off from what had been predicted for its tick; 0 when it was equal, or a snap. */
  errorUnits = 0;
  /** How often ticks were simulated anew, because the server's state was not as predicted. */
  replays = 0;
  /** How often that was a mistake of the prediction: in what the step itself changes. Snaps are not counted. */
  corrections = 0;
  /** How often the entity was put elsewhere. */
  snaps = 0;
  /** What the step threw; null while all is well. */
  /** @type {PredictionError | null} */
  error = null;

  /** @param {PredictionOptions} options @param {Host} host */
  constructor(options, host) {
    if (typeof options?.step !== "function") throw new UsageError("game.predict() needs a step function: predict({ entity: \"Ship\", step(state, input, context) { ... } }).");
    if (!["string", "function", "object"].includes(typeof options.entity) || options.entity === null) throw new UsageError("game.predict() needs to know the entity: the name of its class, an entity, or a function that finds it.");
    this.#options = options;
    this.#host = host;
  }

  /** Whether to predict; without it the entity is drawn as the others are. Switching it on after an error tries again. */
  get enabled() {
    return this.#isEnabled;
  }

  set enabled(isEnabled) {
    this.#isEnabled = isEnabled;
    if (isEnabled) this.error = null;
    else this.#drop();
  }

  /** The entity that is predicted now; null when there is none. */
  get entity() {
    return this.#run?.entity ?? null;
  }

  /** Its predicted state after the last tick that was commanded, as a new object; null when nothing is predicted. */
  get state() {
    return this.#run ? this.#run.stepper.read(this.#run.forecast.at(this.#run.forecast.newest)) : null;
  }

  /** The tick that is drawn, as u32 with fraction; null when nothing is predicted. */
  get tick() {
    const tick = this.#run?.pose.tick ?? null;
    return tick === null ? null : wrapTick(tick);
  }

  /** Ticks that are predicted and that the server has not told yet. */
  get pendingTicks() {
    return this.#run ? this.#run.forecast.newest - this.#run.forecast.oldest : 0;
  }

  /** Units that the picture still has to glide. */
  get visualErrorUnits() {
    return this.#run?.pose.errorUnits ?? 0;
  }

  /**
   * Where to draw it in this frame: `entity.view`. Null when nothing is predicted.
   * @returns {Readonly<Record<string, any>> | null}
   */
  pose() {
    return this.#run?.entity.view ?? null;
  }

  /** Forget everything predicted and begin anew with the server's next state; until then the picture stands still. */
  restart() {
    const run = this.#run;
    this.#run = null;
    this.errorUnits = 0;
    run?.events.clear();
  }

  /**
   * A snapshot has been applied.
   * @param {Room} room
   * @param {number} tick its tick, unwrapped
   */
  reconcile(room, tick) {
    if (!this.#isEnabled || this.error || !room.inputs) return;
    this.#guard(tick, () => {
      const entity = this.#find(room);
      if (entity !== this.#drawn?.entity || room !== this.#drawn.room) this.#drop();
      if (this.#run) this.#compare(this.#run, tick);
      else if (entity) this.#run = this.#drawn = new Run(room, entity, this.#options, this.#host, tick);
    });
  }

  /**
   * An entity has been added to the room.
   * @param {Entity} entity
   */
  adopt(entity) {
    const run = this.#run;
    if (run) this.#guard(run.forecast.newest, () => run.events.adopt(entity));
  }

  /**
   * A frame begins.
   * @param {number} tick the tick that is commanded, unwrapped, with fraction
   * @param {number} elapsedMs
   */
  advance(tick, elapsedMs) {
    const run = this.#run;
    if (!run) return;
    this.#guard(tick, () => {
      run.follow(run.forecast.extend(Math.floor(tick)));
      // A listener may have switched it off.
      if (run === this.#run) draw(run, tick, elapsedMs);
    });
  }

  /** Let the server's state be drawn again. */
  #drop() {
    this.restart();
    this.#drawn?.room.entities.posers.delete(this.#drawn.entity.id);
    this.#drawn = null;
  }

  /** @param {Run} run @param {number} tick */
  #compare(run, tick) {
    const { forecast, pose, stepper } = run;
    const drawn = pose.place();
    const { wire } = run;
    const { outcome, predicted } = forecast.correct(tick, wire);
    this.errorUnits = 0;
    if (outcome !== "equal") {
      const isSnap = predicted !== null && (this.#options.snap?.(stepper.read(predicted), stepper.read(wire)) ?? false);
      run.follow(forecast.replay());
      const hasJumped = pose.correct(drawn, isSnap);
      if (predicted !== null) this.#count(outcome === "wrong", hasJumped, pose.distance(predicted, wire));
    }
    run.events.judge(tick, outcome === "equal" || outcome === "news");
  }

  /** @param {boolean} isWrong @param {boolean} hasJumped @param {number} units */
  #count(isWrong, hasJumped, units) {
    this.replays += 1;
    if (hasJumped) this.snaps += 1;
    else if (isWrong) {
      this.corrections += 1;
      this.errorUnits = units;
    }
  }

  /** @param {Room} room @returns {Entity | null} */
  #find({ schema, entities }) {
    const { entity } = this.#options;
    if (typeof entity === "function") return entity() ?? null;
    if (typeof entity === "object") return entities.find(entity.id) === entity ? entity : null;
    const spec = schema.entities.find((candidate) => candidate.name === entity);
    if (!spec) throw new UsageError(`This room has no entities of the class ${JSON.stringify(entity)} to predict; it has ${schema.entities.map((s) => s.name).join(", ")}.`);
    return entities.all(spec.index).find(({ mine }) => mine) ?? null;
  }

  /**
   * Whatever the page's functions throw ends the prediction, and nothing else.
   * @param {number} tick
   * @param {() => void} action
   */
  #guard(tick, action) {
    try {
      action();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.error = new PredictionError(`The prediction failed at tick ${wrapTick(Math.floor(tick))}, so the server's state is shown instead: ${reason}`, error);
      this.#drop();
      this.#host.fail(this.error);
    }
  }
}

/** @param {Run} run @param {number} tick @param {number} elapsedMs */
function draw({ room, entity, pose }, tick, elapsedMs) {
  // At first from where it was drawn until now, whoever said so.
  if (pose.tick === null) pose.begin(tick, entity.view);
  else pose.advance(tick, elapsedMs, room.welcome.hz);
  room.entities.posers.set(entity.id, pose);
}

/** @param {Room} room @param {Entity} entity @param {PredictionOptions} options */
function checkedSpec(room, entity, { positions }) {
  const row = room.replica.state.find(entity.id);
  if (!row || !entity.mine) throw new UsageError(`The entity ${entity.type} ${entity.id} is not this player's, so that it can't be predicted.`);
  const { spec } = row;
  if (!spec.flags.has("predicted")) throw new UsageError(`${spec.name} is not marked to be predicted; write @entity(predicted=True) on the server.`);
  const stranger = positions?.find((name) => !spec.smoothFields.some((field) => field.name === name));
  if (stranger !== undefined) throw new UsageError(`${spec.name} has no quantized field ${JSON.stringify(stranger)} that everyone sees.`);
  return spec;
}

/** @param {Room} room @param {number} id @param {import("./schema.js").Field} field @returns {unknown} */
function wireOf({ replica }, id, field) {
  return field.isPrivate ? replica.own.wire(id, field) : replica.state.find(id)?.wire[field.index];
}
