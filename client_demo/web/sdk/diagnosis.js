// @ts-check
/**
 * Why a WebSocket failed. A browser tells a page only 1006, whatever was wrong; plain requests say more:
 *
 *     /healthz --200 and ok--> the server is there and well: /ws?origin=... says whether this page may play
 *        |  \--anything else--> another server, or one that is not well, or wants TLS
 *        no answer --> the same by the other scheme: does it speak TLS, and does the browser trust it?
 */

/** @typedef {import("./reasons.js").Reason} Reason */

/**
 * The answer to a plain request; status 0 when there was one that this page may not read.
 * @typedef {{status: number, text: string}} Answer
 */

/**
 * What asking needs; part of the runtime.
 * @typedef {object} Asker
 * @property {(url: string) => Promise<Answer | null>} ask GET; null when nobody answered. Never rejects.
 * @property {() => boolean} isOnline
 * @property {string | undefined} origin of the page
 */

/**
 * Find out why no WebSocket to `url` came about. Never rejects.
 * @param {string} url
 * @param {Asker} asker
 * @returns {Promise<Reason>}
 */
export async function diagnose(url, asker) {
  if (!asker.isOnline()) return "offline";
  if (isMixedContent(url, asker.origin)) return "mixed content";
  const socket = new URL(url);
  const isSecure = socket.protocol === "wss:";
  const health = await asker.ask(healthUrl(socket, isSecure));
  if (!health) return withoutAnswer(isSecure, await asker.ask(healthUrl(socket, !isSecure)));
  if (health.status === 426 && !isSecure) return "needs tls";
  const isOk = saysOk(health);
  if (isOk === null) return "not tickwire";
  if (!isOk) return "not well";
  return atTheDoor(await asker.ask(doorUrl(socket, isSecure, asker.origin)));
}

/**
 * Whether the browser forbids it: a page that came by https opens nothing insecure but on its own machine.
 * @param {string} url
 * @param {string | undefined} origin
 */
export function isMixedContent(url, origin) {
  const { protocol, hostname } = new URL(url);
  const isLocal = hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return Boolean(origin?.startsWith("https:")) && protocol === "ws:" && !isLocal;
}

/**
 * @param {boolean} isSecure whether TLS was tried
 * @param {Answer | null} other the answer by the other scheme
 * @returns {Reason}
 */
function withoutAnswer(isSecure, other) {
  if (!other) return "not there";
  if (!isSecure) return "needs tls";
  // Without TLS a server says what it is, and a port for TLS that it is one.
  return saysOk(other) === null ? "not private" : "no tls";
}

/** @param {Answer | null} door @returns {Reason} */
function atTheDoor(door) {
  if (door?.status === 426) return "upgrade lost";
  if (door?.status === 403) return "origin refused";
  if (door?.status === 429 || door?.status === 503) return "too busy";
  return "wrong path";
}

/** What a tickwire server says of itself; null when it is none. @param {Answer} answer @returns {boolean | null} */
function saysOk({ text }) {
  try {
    const { ok } = JSON.parse(text);
    return typeof ok === "boolean" ? ok : null;
  } catch {
    return null;
  }
}

/** @param {URL} socket @param {boolean} isSecure */
function healthUrl(socket, isSecure) {
  return `${isSecure ? "https" : "http"}://${socket.host}${socket.pathname.replace(/[^/]*$/, "healthz")}`;
}

/** @param {URL} socket @param {boolean} isSecure @param {string | undefined} origin */
function doorUrl(socket, isSecure, origin) {
  const query = origin === undefined ? "" : `?origin=${encodeURIComponent(origin)}`;
  return `${isSecure ? "https" : "http"}://${socket.host}${socket.pathname}${query}`;
}
