// @ts-check
/** Rates over the last seconds, for a net graph. */

/** Rates are over this long: short enough to follow, long enough to be steady. */
const WINDOW_MS = 2000;

/** Counts what arrives and how regularly. */
export class Traffic {
  /** @type {{at: number, bytes: number, isSnapshot: boolean}[]} */
  #arrivals = [];

  /**
   * @param {number} now
   * @param {number} bytes
   * @param {boolean} isSnapshot
   */
  arrived(now, bytes, isSnapshot) {
    this.#arrivals.push({ at: now, bytes, isSnapshot });
    this.#forget(now);
  }

  /** @param {number} now */
  bytesPerSecond(now) {
    this.#forget(now);
    let bytes = 0;
    for (const arrival of this.#arrivals) bytes += arrival.bytes;
    return (bytes * 1000) / WINDOW_MS;
  }

  /** @param {number} now */
  snapshotsPerSecond(now) {
    return (this.#snapshots(now).length * 1000) / WINDOW_MS;
  }

  /** @param {number} now mean ms between snapshots; 0 when there are fewer than two */
  snapshotIntervalMs(now) {
    const snapshots = this.#snapshots(now);
    return snapshots.length < 2 ? 0 : (snapshots[snapshots.length - 1].at - snapshots[0].at) / (snapshots.length - 1);
  }

  /** @param {number} now */
  #snapshots(now) {
    this.#forget(now);
    return this.#arrivals.filter((arrival) => arrival.isSnapshot);
  }

  /** @param {number} now */
  #forget(now) {
    let old = 0;
    while (old < this.#arrivals.length && now - this.#arrivals[old].at > WINDOW_MS) old += 1;
    if (old > 0) this.#arrivals.splice(0, old);
  }
}
