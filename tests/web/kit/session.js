// @ts-check
/** A page in memory: a game against a fake server that answers as a well-behaved one does, and what the page heard. */

import { connect } from "../../../client_demo/web/sdk/tickwire.js";
import { encode } from "../../../client_demo/web/sdk/msgpack.js";
import { FakeServer } from "./server.js";
import { snapshot, spawnShips, welcome } from "./wire.js";

export const JOIN = 1;
export const RESUME = 2;
export const INPUT = 3;
export const EVENT = 4;
export const PING = 5;
export const LEAVE = 6;
export const RESYNC = 7;
export const VIEW = 8;

/** The server's clock is this much ahead of the page's. */
export const OFFSET_MS = 4000;
const HZ = 20;

export class Page {
  server = new FakeServer();
  /** What the listeners heard, in order, as [name, ...]. */
  /** @type {any[][]} */
  heard = [];
  /** @type {any} the outcome of `ready` */
  ready = "pending";
  #welcomes = 0;

  /** @param {Partial<import("../../../client_demo/web/sdk/game.js").Options>} [options] */
  constructor(options = {}) {
    this.server.heard = (socket, message) => this.answer(socket, message);
    this.game = connect("ws://game.test", { room: "arena", ...options }, this.server.runtime());
    this.game.on("status", ({ status, code, reason, retryInMs }) => this.heard.push(["status", status, code, reason, retryInMs]));
    for (const name of /** @type {const} */ (["added", "removed"])) this.game.on(name, (entity) => this.heard.push([name, entity.type, entity.id]));
    this.game.on("changed", (entity, names) => this.heard.push(["changed", entity.id, ...names]));
    this.game.on("event", (name, fields) => this.heard.push(["event", name, fields]));
    this.game.on("error", (error) => this.heard.push(["error", error.name]));
    this.game.ready.then(
      () => (this.ready = "ready"),
      (error) => (this.ready = error),
    );
  }

  get socket() {
    return this.server.socket;
  }

  /** What was heard under a name, without the name. @param {string} name */
  told(name) {
    return this.heard.filter((entry) => entry[0] === name).map((entry) => entry.slice(1));
  }

  /** The statuses heard. @returns {string[]} */
  get statuses() {
    return this.told("status").map(([status]) => status);
  }

  /** The server's clock. */
  get serverTime() {
    return this.server.time.now() + OFFSET_MS;
  }

  /** The tick that the server is at: 100 when the page opened. */
  get serverTick() {
    // The little bit is for sums of sixtieths of a second.
    return 100 + Math.floor(((this.server.time.now() - 1000) * HZ) / 1000 + 1e-6);
  }

  /** How the server answers; tests replace it. */
  /** @type {(socket: import("./server.js").FakeSocket, message: any[]) => void} */
  answer = (socket, message) => {
    if (message[0] === JOIN) this.welcome({});
    if (message[0] === RESUME) this.welcome({ resumed: true });
    if (message[0] === PING) socket.deliver(encode([5, message[1], this.serverTime, this.serverTime]));
  };

  /** @param {Record<string, unknown>} changes */
  welcome(changes) {
    this.#welcomes += 1;
    this.socket.deliver(welcome({ token: `token-${this.#welcomes}`, tick: this.serverTick, time: 1000 + OFFSET_MS + ((this.serverTick - 100) * 1000) / HZ, ...changes }));
  }

  /** Join, and hold ships 1 and 2 at x 64 and 128. */
  join() {
    // There and back to connect, there and back to join.
    this.server.time.advance(4 * this.server.delayMs());
    this.deliver(snapshot(this.serverTick, 0, spawnShips({ 1: 64, 2: 128 })));
    return this;
  }

  /** @param {...Uint8Array} messages */
  deliver(...messages) {
    for (const message of messages) this.socket.deliver(message);
    this.server.time.advance(this.server.delayMs());
  }

  /** Let time pass with 60 frames a second. @param {number} ms */
  draw(ms) {
    const { time } = this.server;
    const frames = Math.round((ms * 60) / 1000);
    for (let i = 0; i < frames; i++) {
      time.advance(ms / frames);
      this.game.frame(time.now());
    }
  }
}

/** Let promises settle. */
export async function settled() {
  for (let i = 0; i < 10; i++) await null;
}
