// @ts-check
/**
 * A whole arena in memory: a server that flies ships as the demo's does, in virtual time, over a link with a delay,
 * and a page that plays on it. What the server does with inputs is written down here a second time, on purpose.
 */

import { RELOAD_TICKS } from "../../../client_demo/web/game/arena.js";
import { SHIP_RADIUS, direction, step } from "../../../client_demo/web/game/flight.js";
import { decode, encode } from "../../../client_demo/web/sdk/msgpack.js";
import { Schema } from "../../../client_demo/web/sdk/schema.js";
import { tickDistance, wrapTick } from "../../../client_demo/web/sdk/ticks.js";
import { connect } from "../../../client_demo/web/sdk/tickwire.js";
import { copyOf, encodeSnapshot } from "./differ.js";
import { FakeServer } from "./server.js";
import { field, gaps, welcome } from "./wire.js";

export const HZ = 30;
const HOLD = 6;
const HEARTBEAT_TICKS = HZ;
const BULLET_TICKS = 36;
/** The server's clock is this much ahead of the page's. */
const OFFSET_MS = 4000;

const POSITION = { step: 1 / 64, min: 0, overflow: "clamp" };
const SPEED = { min: -64, max: 64, step: 1 / 256, overflow: "clamp", default: 64 * 256, to: "owner" };
const ARENA_MAP = {
  entities: [
    {
      name: "Ship",
      flags: ["predicted"],
      fields: [
        field("x", "quantized", { ...POSITION, max: 120 }), field("y", "quantized", { ...POSITION, max: 80 }), field("heading", "angle", { bits: 10 }),
        field("thrust", "flag"), field("hp", "integer", { min: 0, max: 100, default: 100 }), field("alive", "flag", { default: 1 }),
        field("vx", "quantized", SPEED), field("vy", "quantized", SPEED), field("reload", "integer", { min: 0, max: 60, to: "owner" }),
      ],
    },
    {
      name: "Bullet",
      flags: [],
      fields: [
        field("x", "quantized", { ...POSITION, max: 120 }), field("y", "quantized", { ...POSITION, max: 80 }), field("heading", "angle", { bits: 12 }),
        field("born", "integer", { min: 0, max: 2 ** 32 - 1 }), field("by", "ref", { of: "Ship" }),
      ],
    },
    { name: "Rock", flags: [], fields: [field("x", "quantized", { ...POSITION, max: 120 }), field("y", "quantized", { ...POSITION, max: 80 }), field("radius", "quantized", { min: 1, max: 8, step: 1 / 16, overflow: "clamp" })] },
  ],
  input: {
    name: "Steer",
    flags: [],
    fields: [field("turn", "quantized", { min: -1, max: 1, step: 1 / 8, overflow: "clamp", default: 8 }), field("thrust", "flag"), field("fire", "flag"), field("boost", "trigger")],
  },
  events: [],
};
const SHIP = 0;
const BULLET = 1;
const ROCK = 2;
const NEUTRAL = [8, 0, 0, 0];
const BOOST = 3;

/** @typedef {{turn: number, thrust: boolean, fire: boolean, boost: boolean}} Steer */
/** @typedef {{id: number, x: number, y: number, heading: number, thrust: boolean, hp: number, alive: boolean, vx: number, vy: number, reload: number}} Ship */
/** @typedef {{id: number, x: number, y: number, heading: number, born: number, by: number}} Bullet */

/** The inputs of the player, as the server takes them: by tick, repeated when missing, late triggers folded. */
class Buffer {
  /** @type {Map<number, number[]>} */
  #byTick = new Map();
  #boosts = false;
  /** Inputs that came after their tick. */
  late = 0;
  /** Whether what comes is lost, as if it had never come. */
  loses = false;

  /** @param {number} tick @param {number[]} values @param {number} now the last tick simulated */
  put(tick, values, now) {
    if (this.loses || this.#byTick.has(tick)) return;
    this.#byTick.set(tick, values);
    if (tick > now) return;
    this.late += 1;
    this.#boosts ||= values[BOOST] === 1;
  }

  /** @param {number} tick */
  take(tick) {
    const folded = this.#boosts;
    this.#boosts = false;
    const inForce = this.#inForce(tick).slice();
    if (folded) inForce[BOOST] = 1;
    return inForce;
  }

  /** @param {number} tick */
  #inForce(tick) {
    for (let missing = 0; missing <= HOLD; missing++) {
      const values = this.#byTick.get(tick - missing);
      if (values) return missing === 0 ? values : values.map((value, i) => (i === BOOST ? 0 : value));
    }
    return NEUTRAL;
  }
}

/**
 * @typedef {object} ArenaOptions
 * @property {number} [oneWayMs] delay of the link
 * @property {number} [tick] that the server is at when the page opens
 * @property {boolean} [isMarked] whether ships are marked to be predicted
 */

export class Arena {
  server = new FakeServer();
  /** @type {Ship} the player's */
  ship = { id: 1, x: 60, y: 40, heading: 0, thrust: false, hp: 100, alive: true, vx: 0, vy: 0, reload: 0 };
  /** @type {Map<number, Bullet>} */
  bullets = new Map();
  rocks = [{ id: 2, x: 75, y: 40, radius: 4 }, { id: 3, x: 40, y: 25, radius: 3 }];
  buffer = new Buffer();
  /** What happens in the server's tick, after the ship flew. */
  /** @type {(arena: Arena) => void} */
  interfere = () => {};
  /** Told of every commit. */
  /** @type {(arena: Arena) => void} */
  committed = () => {};
  /** The page's refresh rate. */
  framesPerS = 60;
  /** Every bullet there was. */
  /** @type {Bullet[]} */
  fired = [];
  /** Delay of the link. */
  oneWayMs;
  /** Whether the server takes shots. */
  isLoaded = true;
  /** The link holds everything back until then. */
  stalledUntil = 0;
  /** @type {any[][]} what the page heard about predicted events, as [what, name, tick, entity's id] */
  told = [];
  /** @type {any[]} */
  errors = [];
  /** The last tick simulated, unwrapped. */
  tick;
  #firstTick;
  #schema;
  #lastId = 3;
  #startedAt;
  /** What the client was sent. */
  #sent = /** @type {import("./differ.js").Tables | null} */ (null);
  #sentPrivate = "";
  #changedTick = 0;
  #heardTick = 0;
  #welcomes = 0;
  /** Who was welcomed last. */
  /** @type {import("./server.js").FakeSocket | null} */
  #client = null;
  #arrival = 0;

  /** @param {ArenaOptions} [options] */
  constructor(options = {}) {
    const { oneWayMs = 0, tick = 100, isMarked = true } = options;
    this.tick = this.#firstTick = tick;
    this.map = { ...ARENA_MAP, entities: ARENA_MAP.entities.map((cls) => (isMarked ? cls : { ...cls, flags: [] })) };
    this.#schema = Schema.parse(decode(encode(this.map)));
    this.#startedAt = this.server.time.now();
    this.oneWayMs = oneWayMs;
    this.server.delayMs = () => this.#delay();
    this.server.heard = (socket, message) => this.#hear(socket, message);
    this.game = connect("ws://game.test", { room: "arena" }, this.server.runtime());
    for (const what of /** @type {const} */ (["predicted", "confirmed", "withdrawn"])) {
      this.game.on(what, ({ name, tick: at, entity }) => this.told.push([what, name, at, ...(entity ? [entity.id] : [])]));
    }
    this.silence = this.game.on("error", (error) => this.errors.push(error));
    this.#scheduleTick();
  }

  /** The own ship, as the page has it. */
  get own() {
    return /** @type {any} */ (this.game.entities.get(1));
  }

  get prediction() {
    return /** @type {import("../../../client_demo/web/sdk/prediction.js").Prediction} */ (this.game.prediction);
  }

  /** What was told, without the ticks. */
  get toldKinds() {
    return this.told.map(([what]) => what);
  }

  /**
   * Let time pass, with frames.
   * @param {number} ms
   * @param {(nowMs: number) => void} [each] before each frame: the player's hands
   * @param {() => void} [after] after each frame: the picture
   */
  play(ms, each = () => {}, after = () => {}) {
    const frames = Math.round((ms * this.framesPerS) / 1000);
    for (let i = 0; i < frames; i++) {
      this.server.time.advance(1000 / this.framesPerS);
      each(this.server.time.now());
      this.game.frame(this.server.time.now());
      after();
    }
    return this;
  }

  /** Hold back what goes over the link for so long. @param {number} ms */
  stall(ms) {
    this.stalledUntil = this.server.time.now() + ms;
  }

  /** What is sent later arrives later, whatever the rounding. */
  #delay() {
    const now = this.server.time.now();
    this.#arrival = Math.max(Math.max(now, this.stalledUntil) + this.oneWayMs, this.#arrival + 1e-6);
    return this.#arrival - now;
  }

  #scheduleTick() {
    const due = this.#startedAt + ((this.tick + 1 - this.#firstTick) * 1000) / HZ;
    this.server.time.schedule(() => {
      this.#simulate();
      this.#scheduleTick();
    }, due - this.server.time.now());
  }

  #simulate() {
    this.tick += 1;
    const [turn, thrust, fire, boost] = this.buffer.take(this.tick);
    this.#fly({ turn: -1 + turn / 8, thrust: thrust === 1, fire: fire === 1, boost: boost === 1 });
    for (const [id, { born }] of this.bullets) if (tickDistance(this.tick, born) > BULLET_TICKS) this.bullets.delete(id);
    this.interfere(this);
    this.#send();
    this.committed(this);
  }

  /** @param {Steer} steer */
  #fly(steer) {
    const { ship } = this;
    ship.reload = Math.max(0, ship.reload - 1);
    if (!ship.alive) return;
    ship.thrust = steer.thrust;
    Object.assign(ship, step({ ...ship }, steer.turn, steer.thrust, this.rocks, 1 / HZ));
    if (steer.boost) ship.vx += 2;
    if (!steer.fire || ship.reload > 0 || !this.isLoaded) return;
    const [dx, dy] = direction(ship.heading);
    const id = ++this.#lastId;
    const bullet = { id, x: ship.x + dx * SHIP_RADIUS, y: ship.y + dy * SHIP_RADIUS, heading: ship.heading, born: wrapTick(this.tick), by: ship.id };
    this.bullets.set(id, bullet);
    this.fired.push(bullet);
    ship.reload = RELOAD_TICKS;
  }

  /** The public wire values. @returns {import("./differ.js").Tables} */
  #tables() {
    const { entities } = this.#schema;
    /** @param {number} cls @param {any} entity @returns {[number, number[]]} */
    const row = (cls, entity) => [entity.id, entities[cls].publicFields.map(({ name, kind }) => /** @type {number} */ (kind.write(entity[name], name)))];
    return [new Map([row(SHIP, this.ship)]), new Map([...this.bullets.values()].map((bullet) => row(BULLET, bullet))), new Map(this.rocks.map((rock) => row(ROCK, rock)))];
  }

  #send() {
    const socket = this.#client;
    if (socket !== this.server.socket || !socket) return;
    const tables = this.#tables();
    const secrets = this.#schema.entities[SHIP].privateFields.map(({ name, kind }) => /** @type {number} */ (kind.write(/** @type {any} */ (this.ship)[name], name)));
    const isNews = this.#sent === null || JSON.stringify([secrets]) !== this.#sentPrivate || this.#differs(tables);
    if (!isNews && this.tick - this.#heardTick < HEARTBEAT_TICKS) return;
    if (JSON.stringify([secrets]) !== this.#sentPrivate) socket.deliver(encode([3, wrapTick(this.tick), this.#sent === null ? gaps([1]) : null, [[1, 2 ** secrets.length - 1, ...secrets]]]));
    socket.deliver(encodeSnapshot(this.#schema.entities, this.#sent, tables, wrapTick(this.tick), this.tick - this.#changedTick));
    this.#sentPrivate = JSON.stringify([secrets]);
    if (isNews) this.#changedTick = this.tick;
    this.#heardTick = this.tick;
    this.#sent = copyOf(tables);
  }

  /** @param {import("./differ.js").Tables} tables */
  #differs(tables) {
    return tables.some((table, i) => JSON.stringify([...table]) !== JSON.stringify([...(/** @type {import("./differ.js").Tables} */ (this.#sent)[i])]));
  }

  /** @param {import("./server.js").FakeSocket} socket @param {any[]} message */
  #hear(socket, message) {
    const [kind, ...rest] = message;
    if (kind === 1 || kind === 2) this.#welcome(socket, kind === 2);
    if (kind === 3) for (let i = 0; 1 + i * NEUTRAL.length < rest.length; i++) this.buffer.put(this.tick + tickDistance(rest[0], this.tick) + i, rest.slice(1 + i * NEUTRAL.length, 1 + (i + 1) * NEUTRAL.length), this.tick);
    const now = this.server.time.now() + OFFSET_MS;
    if (kind === 5) socket.deliver(encode([5, rest[0], now, now]));
  }

  /** @param {import("./server.js").FakeSocket} socket @param {boolean} resumed */
  #welcome(socket, resumed) {
    this.#client = socket;
    this.#welcomes += 1;
    this.#sent = null;
    this.#sentPrivate = "";
    const time = this.#startedAt + OFFSET_MS + ((this.tick - this.#firstTick) * 1000) / HZ;
    socket.deliver(welcome({ schema: this.map, hz: HZ, hold: HOLD, tick: wrapTick(this.tick), time, token: `token-${this.#welcomes}`, resumed }));
  }
}
