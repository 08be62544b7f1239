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
 *
 * The state that the step changes has the fields with a number on the wire (no text, bytes or lists; a reference is an
 * id), those for the owner included. What the step launches or lets happen (`spawn`, `event`) is told at once, and
 * settled when the server has spoken:
 *
 *     game.on("predicted", (event) => ...)           // show it; the same object comes again in
 *     game.on("confirmed", (event) => ...)           // it is so; event.entity is what a spawn has become
 *     game.on("withdrawn", (event) => ...)           // it is not, or it was over before it could be seen
 *
 * A step that throws ends the prediction: the game's "error" tells it once, and the server's state is drawn.
 */

import { PredictionError, UsageError } from "./errors.js";
import { PredictedEntity } from "./predicted_entity.js";
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

/** @typedef {import("./predicted_entity.js").Room} Room */

/**
 * Who the prediction belongs to.
 * @typedef {object} Host
 * @property {import("./predicted_events.js").Tell} tell
 * @property {(error: PredictionError) => void} fail
 */

export class Prediction {
  #options;
  #host;
  /** @type {PredictedEntity | null} */
  #current = null;
  /** What is drawn: an earlier one while a new one is awaited. */
  /** @type {PredictedEntity | null} */
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
    return this.#current?.entity ?? null;
  }

  /** Its predicted state after the last tick that was commanded, as a new object; null when nothing is predicted. */
  get state() {
    return this.#current ? this.#current.stepper.read(this.#current.forecast.at(this.#current.forecast.newest)) : null;
  }

  /** The tick that is drawn, as u32 with fraction; null when nothing is predicted. */
  get tick() {
    const tick = this.#current?.pose.tick ?? null;
    return tick === null ? null : wrapTick(tick);
  }

  /** Ticks that are predicted and that the server has not told yet. */
  get pendingTicks() {
    return this.#current ? this.#current.forecast.newest - this.#current.forecast.oldest : 0;
  }

  /** Units that the picture still has to glide. */
  get visualErrorUnits() {
    return this.#current?.pose.errorUnits ?? 0;
  }

  /**
   * Where to draw it in this frame: `entity.view`. Null when nothing is predicted.
   * @returns {Readonly<Record<string, any>> | null}
   */
  pose() {
    return this.#current?.entity.view ?? null;
  }

  /** Forget everything predicted and begin anew with the server's next state; until then the picture stands still. */
  restart() {
    const run = this.#current;
    this.#current = null;
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
      if (this.#current) this.#compare(this.#current, tick);
      else if (entity) this.#current = this.#drawn = new PredictedEntity(room, entity, this.#options, this.#host.tell, tick);
    });
  }

  /**
   * An entity has been added to the room.
   * @param {Entity} entity
   */
  adopt(entity) {
    const run = this.#current;
    if (run) this.#guard(run.forecast.newest, () => run.events.adopt(entity));
  }

  /**
   * A frame begins.
   * @param {number} tick the tick that is commanded, unwrapped, with fraction
   * @param {number} elapsedMs
   */
  advance(tick, elapsedMs) {
    const run = this.#current;
    if (!run) return;
    this.#guard(tick, () => {
      run.simulate(Math.floor(tick));
      // A listener may have switched it off.
      if (run === this.#current) run.draw(tick, elapsedMs);
    });
  }

  /** Let the server's state be drawn again. */
  #drop() {
    this.restart();
    this.#drawn?.release();
    this.#drawn = null;
  }

  /** @param {PredictedEntity} run @param {number} tick */
  #compare(run, tick) {
    const { forecast, pose, stepper } = run;
    const drawn = pose.place();
    const { wire } = run;
    const { outcome, predicted } = forecast.correct(tick, wire);
    this.errorUnits = 0;
    if (outcome !== "equal") {
      const isSnap = predicted !== null && (this.#options.snap?.(stepper.read(predicted), stepper.read(wire)) ?? false);
      run.replay(outcome === "wrong");
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
