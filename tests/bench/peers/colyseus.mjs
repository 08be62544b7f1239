// The benchmark's game on Colyseus: the same moves as ../rooms.py, with Colyseus's own defaults
// (ws transport, patch rate of 20 Hz, one interval for the simulation). Runs in a scratch folder that
// has @colyseus/core, @colyseus/ws-transport and @colyseus/schema.
//
//   node colyseus.mjs VARIANT HZ PLAYERS ENTITIES MODE
//     VARIANT  float32 | quantized
//     PLAYERS  seats of a room
//     ENTITIES what moves in a room beside the players' avatars
//     MODE     play | idle (idle: nothing changes)
//
// Prints "ready PORT"; then answers "reset" and "report" on standard input, and ends with it.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Room, Server } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

const [variant, hzText, playersText, entitiesText, mode] = process.argv.slice(2);
const intervalMs = 1000 / Number(hzText);
const WORLD = 1024;
const SPEED = 1.2;
const TURN = 0.15;

const kinds = {
  float32: { x: t.float32(), y: t.float32(), heading: t.float32() },
  quantized: {
    x: t.quantized({ min: 0, max: WORLD, bits: 16 }),
    y: t.quantized({ min: 0, max: WORLD, bits: 16 }),
    heading: t.quantized({ min: 0, max: 2 * Math.PI, bits: 16, mode: "wrap" }),
  },
};
const Avatar = schema(kinds[variant], "Avatar");
const State = schema({ avatars: t.map(Avatar) }, "State");

let lateness = [];

class Arena extends Room {
  maxClients = Number(playersText);
  patchRate = intervalMs;
  state = new State();
  players = new Map();
  drifting = [];
  lastTick = 0;

  onCreate() {
    this.onMessage(1, (client, input) => {
      this.players.get(client.sessionId).turn = (input[0] - 8) / 8;
    });
    for (let i = 0; i < Number(entitiesText); i++) this.drifting.push(this.spawn(`drifting-${i}`));
    this.setSimulationInterval(() => this.onTick(), intervalMs);
  }

  onJoin(client) {
    this.players.set(client.sessionId, { avatar: this.spawn(client.sessionId), turn: 0 });
  }

  spawn(key) {
    const avatar = new Avatar();
    avatar.x = Math.random() * WORLD;
    avatar.y = Math.random() * WORLD;
    avatar.heading = Math.random() * 2 * Math.PI;
    this.state.avatars.set(key, avatar);
    return avatar;
  }

  onLeave(client) {
    this.state.avatars.delete(client.sessionId);
    this.players.delete(client.sessionId);
  }

  // setInterval drifts by design, so a tick is late by what its interval has too much.
  onTick() {
    const now = performance.now();
    if (this.lastTick) lateness.push(Math.max(0, now - this.lastTick - intervalMs));
    this.lastTick = now;
    if (mode !== "play") return;
    for (const { avatar, turn } of this.players.values()) move(avatar, turn);
    for (const avatar of this.drifting) move(avatar, 0.5);
  }
}

function move(avatar, turn) {
  let heading = (avatar.heading + turn * TURN + 2 * Math.PI) % (2 * Math.PI);
  let x = avatar.x + SPEED * Math.cos(heading);
  let y = avatar.y + SPEED * Math.sin(heading);
  if (x < 0 || x > WORLD || y < 0 || y > WORLD) {
    heading = (heading + Math.PI) % (2 * Math.PI);
    x = Math.min(Math.max(x, 0), WORLD);
    y = Math.min(Math.max(y, 0), WORLD);
  }
  avatar.x = x;
  avatar.y = y;
  avatar.heading = heading;
}

function report() {
  const sorted = Float64Array.from(lateness).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const answer = { tick_lateness_ms: { p50: at(0.5), p99: at(0.99), max: at(1) }, ticks: sorted.length };
  process.stdout.write(JSON.stringify(answer) + "\n");
}

const http = createServer();
const server = new Server({ transport: new WebSocketTransport({ server: http }), greet: false });
server.define("arena", Arena);
await server.listen(0, "127.0.0.1");
process.stdout.write(`ready ${http.address().port}\n`);

const commands = createInterface({ input: process.stdin });
commands.on("line", (line) => {
  if (line === "report") report();
  lateness = [];
});
commands.on("close", () => process.exit(0));
