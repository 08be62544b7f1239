// @ts-check
/** One entity while it is being predicted: its states to come, where it is drawn, and what it has raised. */

import { UsageError } from "./errors.js";
import { Forecast } from "./forecast.js";
import { Pose } from "./pose.js";
import { PredictedEvents } from "./predicted_events.js";
import { StepContext, Stepper } from "./stepper.js";

/** @typedef {import("./entities.js").Entity} Entity */
/** @typedef {import("./prediction.js").PredictionOptions} PredictionOptions */
/** @typedef {import("./predicted_events.js").Tell} Tell */

/**
 * The room that is being played.
 * @typedef {object} Room
 * @property {import("./schema.js").Schema} schema
 * @property {{hz: number, hold: number}} welcome
 * @property {import("./replica.js").Replica} replica
 * @property {import("./entities.js").Entities} entities
 * @property {import("./inputs.js").Inputs | null} inputs
 */

export class PredictedEntity {
  /**
   * @param {Room} room
   * @param {Entity} entity
   * @param {PredictionOptions} options
   * @param {Tell} tell
   * @param {number} tick of the state that is held, unwrapped
   */
  constructor(room, entity, options, tell, tick) {
    const spec = checkedSpec(room, entity, options);
    const inputs = /** @type {import("./inputs.js").Inputs} */ (room.inputs);
    this.room = room;
    this.entity = entity;
    this.context = new StepContext(room.schema, room.entities, room.welcome.hz);
    this.context.entity = entity;
    this.stepper = new Stepper(spec, inputs.fields, options.step, this.context);
    this.forecast = new Forecast(this.stepper, inputs, room.welcome, tick, this.wire);
    this.pose = new Pose(spec, this.stepper.fields, this.forecast, options, room.entities.context.snap[spec.name]);
    this.events = new PredictedEvents(tell, (other, field) => wireOf(room, other.id, field), options.match);
  }

  /** What the server last said, as wire values. */
  get wire() {
    return this.stepper.fields.map((field) => /** @type {number} */ (wireOf(this.room, this.entity.id, field)));
  }

  /** Predict up to a tick. @param {number} tick the last one whose input is settled, unwrapped */
  simulate(tick) {
    this.#follow(this.forecast.extend(tick), false);
  }

  /** Predict anew what comes after the server's last word. @param {boolean} isInDoubt whether that was not as predicted */
  replay(isInDoubt) {
    this.#follow(this.forecast.replay(), isInDoubt);
  }

  /**
   * A frame begins.
   * @param {number} tick the tick to draw, unwrapped, with fraction
   * @param {number} elapsedMs
   */
  draw(tick, elapsedMs) {
    // At first from where it was drawn until now, whoever said so.
    if (this.pose.tick === null) this.pose.begin(tick, this.entity.view);
    else this.pose.advance(tick, elapsedMs, this.room.welcome.hz);
    this.room.entities.posers.set(this.entity.id, this.pose);
  }

  /** Let the server's state be drawn again. */
  release() {
    this.room.entities.posers.delete(this.entity.id);
  }

  /** @param {[first: number, last: number]} ticks simulated just now @param {boolean} isInDoubt as for `PredictedEvents.follow` */
  #follow(ticks, isInDoubt) {
    this.events.follow(ticks, StepContext.takeRaised(this.context), isInDoubt);
  }
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
