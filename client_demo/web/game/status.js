// @ts-check
/** The banner that says how the connection is, in words. */

/** @typedef {{status: string, reason?: string, code?: number, retryInMs?: number, why?: string}} Status */

/**
 * The sentence for a status; empty while all is well.
 * @param {Status} status
 * @returns {string}
 */
export function sentence({ status, reason, retryInMs }) {
  switch (status) {
    case "connecting":
    case "joining":
      return "Connecting…";
    case "reconnecting":
      return [ended(reason || "The connection was lost"), retry(retryInMs)].join(" ");
    case "closed":
      return ended(reason || "The connection was closed");
    default:
      return "";
  }
}

/** @param {number | undefined} inMs */
function retry(inMs) {
  const seconds = Math.ceil((inMs ?? 0) / 1000);
  return seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…";
}

/** A reason as a sentence with its end. @param {string} reason */
function ended(reason) {
  const text = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

export class Banner {
  /** @type {Status} */
  #status = { status: "playing" };
  #since = 0;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
  }

  /** @param {Status} status @param {number} nowMs */
  show(status, nowMs) {
    this.#status = status;
    this.#since = nowMs;
    this.box.dataset.status = status.status;
    this.box.dataset.why = status.why ?? "";
    this.update(nowMs);
  }

  /** Count down to the next attempt. @param {number} nowMs */
  update(nowMs) {
    const { retryInMs } = this.#status;
    const left = retryInMs === undefined ? retryInMs : Math.max(0, retryInMs - (nowMs - this.#since));
    const words = sentence({ ...this.#status, retryInMs: left });
    if (this.box.textContent === words) return;
    this.box.textContent = words;
    this.box.hidden = words === "";
  }
}
