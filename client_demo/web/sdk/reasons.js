// @ts-check
/** Why a connection can't be made: the names of PROTOCOL.md section 9, shared with `tickwire doctor`, and a sentence for each. */

/** @typedef {keyof typeof SENTENCES} Reason */

export const SENTENCES = {
  offline: "This device is offline.",
  "no such name": "The server's name is not known.",
  "not there": "The server does not answer.",
  "no answer": "The server took too long to answer.",
  "needs tls": "The server speaks only https; open this page with https:// in its address.",
  "no tls": "The server does not speak https; use http:// and ws:// with it.",
  "tls failed": "No secure connection to the server is possible.",
  "not private": "Your browser does not trust the server's certificate; open the server's own page to see why.",
  "certificate expired": "The server's certificate has expired.",
  "certificate wrong name": "The server's certificate is for another name.",
  "certificate not trusted": "Nobody whom your browser trusts vouches for the server's certificate.",
  "mixed content": "A page that came by https:// may not play on a server that only has ws://.",
  "not tickwire": "What answers at this address is not a game server.",
  "not well": "The server is there, but not well.",
  "wrong path": "The server is there, but its game is at another path.",
  "upgrade lost": "The server is there, but WebSockets do not get through to it; a proxy may be in the way.",
  "origin refused": "The server does not let pages from here play.",
  "too busy": "The server has too much to do.",
  lost: "The connection to the server was lost.",
};

/** The names of close codes: what the server gave as its reason. */
/** @type {Record<number, string>} */
const CLOSE_NAMES = {
  4000: "left",
  4001: "kicked",
  4002: "bad message",
  4003: "wrong protocol",
  4004: "wrong schema",
  4005: "no such room",
  4006: "refused",
  4007: "room over",
  4008: "room failed",
  4009: "replaced",
  4010: "resume failed",
  4020: "moved",
  4040: "shutting down",
  4041: "room full",
  4042: "server full",
  4043: "too slow",
  4044: "too many messages",
  4045: "timed out",
};

/**
 * The name of the reason that a close code stands for: "lost" for any that is not tickwire's.
 * @param {number} code
 */
export function closedBecause(code) {
  return CLOSE_NAMES[code] ?? "lost";
}
