// @ts-check
/** A server in memory: hands out sockets over a link with a delay, in virtual time, and does what the test says. */

import { decode } from "../../../client_demo/web/sdk/msgpack.js";
import { VirtualTime } from "./virtual.js";

/** One connection, as both ends see it. */
export class FakeSocket {
  binaryType = "blob";
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: {data: any}) => void) | null} */
  onmessage = null;
  /** @type {((event: {code: number, reason: string}) => void) | null} */
  onclose = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;

  /** What the client sent, decoded. */
  /** @type {any[][]} */
  received = [];
  /** How the client closed it. */
  /** @type {{code: number, reason: string} | null} */
  closedByClient = null;
  #server;
  #isOver = false;

  /** @param {FakeServer} server @param {string} url */
  constructor(server, url) {
    this.#server = server;
    this.url = url;
  }

  /** @param {Uint8Array} data */
  send(data) {
    const message = /** @type {any[]} */ (decode(data.slice()));
    this.#later(() => {
      this.received.push(message);
      this.#server.heard(this, message);
    });
  }

  /** @param {number} [code] @param {string} [reason] */
  close(code = 1005, reason = "") {
    this.closedByClient = { code, reason };
    this.#isOver = true;
  }

  /** The connection is established. */
  accept() {
    this.#later(() => this.onopen?.({}));
  }

  /** @param {Uint8Array | string} data server to client */
  deliver(data) {
    this.#later(() => this.onmessage?.({ data: typeof data === "string" ? data : data.slice().buffer }));
  }

  /** @param {number} code @param {string} [reason] the server closes, or the network does */
  end(code, reason = "") {
    this.#later(() => {
      this.#isOver = true;
      this.onclose?.({ code, reason });
    });
  }

  /** Messages of a kind that the client sent. @param {number} kind */
  sent(kind) {
    return this.received.filter((message) => message[0] === kind);
  }

  /** @param {() => void} action */
  #later(action) {
    this.#server.time.schedule(() => {
      if (!this.#isOver) action();
    }, this.#server.delayMs());
  }
}

export class FakeServer {
  time = new VirtualTime();
  /** One way, in ms; must not shrink while messages are under way if order matters. */
  delayMs = () => 0;
  /** @type {FakeSocket[]} */
  sockets = [];
  /** @type {unknown[]} */
  reported = [];
  origin = "http://game.test";
  isOnline = true;
  /** The plain requests, and what they get; nobody answers the others. */
  /** @type {string[]} */
  asked = [];
  /** @type {Record<string, import("../../../client_demo/web/sdk/diagnosis.js").Answer>} */
  answers = {};
  /** What the server does with a message. */
  /** @type {(socket: FakeSocket, message: any[]) => void} */
  heard = () => {};
  /** @type {(socket: FakeSocket) => void} */
  connected = (socket) => socket.accept();

  get socket() {
    return this.sockets[this.sockets.length - 1];
  }

  /** What the SDK needs to play against this server. */
  runtime() {
    return {
      now: this.time.now,
      schedule: this.time.schedule,
      random: () => 0.5,
      /** @param {unknown} error */
      report: (error) => void this.reported.push(error),
      origin: this.origin,
      isOnline: () => this.isOnline,
      /** @param {string} url */
      ask: (url) => {
        this.asked.push(url);
        return Promise.resolve(this.answers[url] ?? null);
      },
      /** @param {string} url */
      open: (url) => {
        const socket = new FakeSocket(this, url);
        this.sockets.push(socket);
        this.connected(socket);
        return socket;
      },
    };
  }
}
