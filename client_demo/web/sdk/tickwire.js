// @ts-check
/**
 * tickwire's browser SDK.
 *
 *     import { connect } from "/sdk/tickwire.js";
 *
 *     const game = connect({ room: "arena", options: { name: "Ada" } });
 *     game.on("event:Hit", ({ victim }) => flash(victim));
 *     await game.ready;
 *     function draw(time) {
 *       game.input.turn = keys.left ? -1 : keys.right ? 1 : 0;
 *       game.frame(time);
 *       for (const ship of game.all("Ship")) drawShip(ship.view.x, ship.view.y, ship.view.heading);
 *       requestAnimationFrame(draw);
 *     }
 */

import { LinkConditioner } from "./conditioner.js";
import { show, UsageError } from "./errors.js";
import { Game } from "./game.js";
import { browserRuntime } from "./runtime.js";

export { LinkConditioner } from "./conditioner.js";
export { PredictionError, ProtocolError, TickwireError, UsageError } from "./errors.js";
export { Game } from "./game.js";
export { mixAngles } from "./interpolation.js";
export { tickDistance } from "./ticks.js";

/** @typedef {import("./game.js").Options} Options */
/** @typedef {import("./entities.js").Entity} Entity */
/** @typedef {import("./session.js").Status} Status */
/** @typedef {import("./prediction.js").Prediction} Prediction */
/** @typedef {import("./prediction.js").PredictionOptions} PredictionOptions */
/** @typedef {import("./predicted_events.js").PredictedEvent} PredictedEvent */

/**
 * Join a game. Returns at once; `game.ready` says when there is something to draw.
 *
 * @overload
 * @param {string | undefined} url `ws://`, `wss://`, `http://` or `https://`; the page's own server unless given
 * @param {Options} options
 * @param {Partial<import("./runtime.js").Runtime>} [runtime] clock, timers, sockets and randomness for tests
 * @returns {Game}
 */
/**
 * @overload
 * @param {Options} options
 * @returns {Game}
 */
/**
 * @param {string | Options | undefined} first
 * @param {Options} [second]
 * @param {Partial<import("./runtime.js").Runtime>} [runtime]
 */
export function connect(first, second, runtime) {
  const [url, options] = typeof first === "object" ? [undefined, first] : [first, second];
  if (typeof options?.room !== "string" && typeof options?.reservation !== "string") {
    throw new UsageError("connect() needs to know which room: connect({ room: \"arena\" }), or a reservation.");
  }
  const complete = { ...browserRuntime(), ...runtime };
  return new Game(socketUrl(url, complete.origin), options, overLink(options.link, complete));
}

/** @param {LinkConditioner | undefined} link @param {import("./runtime.js").Runtime} runtime */
function overLink(link, runtime) {
  if (link === undefined) return runtime;
  if (!(link instanceof LinkConditioner)) throw new UsageError(`connect() got the link ${show(link)}; give it a new LinkConditioner({ delayMs: 75 }).`);
  return link.over(runtime);
}

/**
 * @param {string | undefined} url
 * @param {string | undefined} origin
 */
function socketUrl(url, origin) {
  if (url === undefined && origin === undefined) throw new UsageError("connect() needs the server's URL when it is not used on a page.");
  /** @type {URL} */
  let parsed;
  try {
    parsed = new URL(url ?? "/ws", origin);
  } catch {
    throw new UsageError(`${JSON.stringify(url)} is not a URL; use one such as ws://127.0.0.1:8000.`);
  }
  parsed.protocol = parsed.protocol.replace("http", "ws");
  if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") throw new UsageError(`${JSON.stringify(url)} is not a WebSocket URL; use one such as ws://127.0.0.1:8000.`);
  if (parsed.pathname === "/") parsed.pathname = "/ws";
  return parsed.href;
}
