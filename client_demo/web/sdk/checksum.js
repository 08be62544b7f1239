// @ts-check
/** Checksums of the state (PROTOCOL.md section 8): CRC-32 as in zlib, over little-endian values. */

/** @typedef {import("./schema.js").Field} Field */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./private.js").PrivateState} PrivateState */

const TWO_32 = 2 ** 32;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** A CRC-32 in the making. */
export class Crc32 {
  #crc = -1;

  get value() {
    return ~this.#crc >>> 0;
  }

  /** @param {Uint8Array} bytes */
  bytes(bytes) {
    let crc = this.#crc;
    for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 255];
    this.#crc = crc;
  }

  /** @param {number} value 0 .. 2^32-1 */
  u32(value) {
    let crc = this.#crc ^ value;
    for (let i = 0; i < 4; i++) crc = (crc >>> 8) ^ TABLE[crc & 255];
    this.#crc = crc;
  }

  /** @param {number} value an integer within +-2^53 */
  i64(value) {
    const high = Math.floor(value / TWO_32);
    this.u32(value - high * TWO_32);
    this.u32(high);
  }

  /**
   * A wire value, as its kind is checksummed.
   * @param {Field} field
   * @param {any} wire
   */
  wire(field, wire) {
    if (field.kind.isBytes) {
      this.u32(wire.length);
      this.bytes(wire);
    } else this.i64(wire);
  }
}

/**
 * The checksum of what everyone sees.
 * @param {State} state
 */
export function publicChecksum(state) {
  const crc = new Crc32();
  for (const { spec, rows } of state.tables) {
    if (rows.length === 0) continue;
    crc.u32(spec.index);
    crc.u32(rows.length);
    for (const row of rows) crc.u32(row.id);
    for (const field of spec.publicFields) for (const row of rows) crc.wire(field, row.wire[field.index]);
  }
  return crc.value;
}

/**
 * The checksum of what only this player sees.
 * @param {State} state
 * @param {PrivateState} own
 */
export function privateChecksum(state, own) {
  const crc = new Crc32();
  for (const id of [...own.owned].sort((a, b) => a - b)) {
    const spec = state.find(id)?.spec;
    if (!spec || spec.privateFields.length === 0) continue;
    crc.u32(id);
    for (const field of spec.privateFields) crc.wire(field, own.wire(id, field));
  }
  return crc.value;
}
