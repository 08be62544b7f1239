// @ts-check
/**
 * This client's copy of the room: what it holds, and whether a snapshot fits what it holds.
 *
 * Pure: no socket, no time, no live objects. `log` says what the last call changed.
 */

import { privateChecksum, publicChecksum } from "./checksum.js";
import { applyDelta, ChangeLog } from "./delta.js";
import { ProtocolError } from "./errors.js";
import { PrivateState } from "./private.js";
import { State } from "./state.js";
import { tickDistance } from "./ticks.js";

/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./messages.js").SnapshotMessage} SnapshotMessage */
/** @typedef {import("./messages.js").PrivateMessage} PrivateMessage */
/** @typedef {import("./messages.js").Check} Check */

/** Deltas ignored while a full snapshot is awaited; a server that sends more did not understand RESYNC. */
const MAX_IGNORED = 300;

export class Replica {
  #ignored = 0;
  #awaitsFull = true;

  /** @param {Schema} schema */
  constructor(schema) {
    this.schema = schema;
    this.state = new State(schema);
    this.own = new PrivateState();
    /** What the last snapshot did. */
    this.log = new ChangeLog();
    /** Private fields changed by the last message, as pairs of id and fields. */
    /** @type {[id: number, fields: Field[]][]} */
    this.privateLog = [];
  }

  /** The wire tick held, to resume from; null when only a full snapshot helps. */
  get heldTick() {
    return this.#awaitsFull ? null : this.state.tick;
  }

  /** Trust nothing that is held: only a full snapshot will do. */
  awaitFull() {
    this.#awaitsFull = true;
    this.#ignored = 0;
  }

  /**
   * Take a snapshot in.
   * @param {SnapshotMessage} message
   * @returns {"full" | "delta" | "ignored" | "unfit"} full: `state` was replaced; ignored: a full one is still
   *   awaited; unfit: it builds on a state that is not held, so ask for a full one
   */
  snapshot(message) {
    this.log.clear();
    this.privateLog.length = 0;
    if (message.age === 0) return this.#full(message);
    if (this.#awaitsFull) return this.#ignore();
    const ahead = tickDistance(message.tick, /** @type {number} */ (this.state.tick));
    if (ahead <= 0 || ahead > message.age) {
      this.awaitFull();
      return "unfit";
    }
    this.#trusting(() => {
      applyDelta(this.state, message.groups, message.tick, this.log);
      this.own.settle(this.state, this.#notePrivate);
    });
    return "delta";
  }

  /**
   * Take the owner's values in.
   * @param {PrivateMessage} message
   */
  private(message) {
    this.privateLog.length = 0;
    this.#trusting(() => this.own.apply(message, this.state, this.#notePrivate));
  }

  /**
   * Compare with the server's checksum.
   * @param {Check} message
   * @returns {boolean} false: what is held is not what the server has
   */
  agrees(message) {
    const { tick } = this.state;
    // A check of a time that this copy has passed, or is waiting to be replaced for, says nothing.
    if (this.#awaitsFull || tick === null || tickDistance(message.tick, tick) < 0) return true;
    if (publicChecksum(this.state) !== message.publicSum) return false;
    return message.privateSum === null || privateChecksum(this.state, this.own) === message.privateSum;
  }

  /** @param {SnapshotMessage} message @returns {"full"} */
  #full(message) {
    const state = new State(this.schema);
    applyDelta(state, message.groups, message.tick, this.log);
    this.state = state;
    this.own.restart(message.tick);
    this.#trusting(() => this.own.settle(state, this.#notePrivate));
    this.#awaitsFull = false;
    return "full";
  }

  /** @returns {"ignored"} */
  #ignore() {
    this.#ignored += 1;
    if (this.#ignored > MAX_IGNORED) throw new ProtocolError("The server did not send the full snapshot that this page asked for.");
    return "ignored";
  }

  /**
   * What fails half way leaves nothing that can be trusted.
   * @param {() => void} action
   */
  #trusting(action) {
    try {
      action();
    } catch (error) {
      this.awaitFull();
      throw error;
    }
  }

  /** @param {number} id @param {Field[]} fields */
  #notePrivate = (id, fields) => {
    this.privateLog.push([id, fields]);
  };
}
