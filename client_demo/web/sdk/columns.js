// @ts-check
/** Columns of differences (PROTOCOL.md section 7): n signed integers in the narrowest width that holds them. */

import { ProtocolError, show } from "./errors.js";

/** Up to so many columns have their widths in one number (5^20 is an exact double), more in a bin. */
const MAX_PACKED_WIDTHS = 20;

const TWO_32 = 2 ** 32;

/** Bytes of n differences, by width code. */
const SIZES = [
  /** @param {number} n */ (n) => n,
  /** @param {number} n */ (n) => n + ((n + 1) >> 1),
  /** @param {number} n */ (n) => 2 * n,
  /** @param {number} n */ (n) => 4 * n,
  /** @param {number} n */ (n) => 8 * n,
];

/** Reads the columns of one group, in order. */
export class ColumnReader {
  #ints;
  #codes;
  #count;
  #column = 0;
  #at = 0;

  /**
   * @param {Uint8Array} ints all columns of the group
   * @param {unknown} widths
   * @param {number} columns how many there are
   * @param {number} count differences in each
   */
  constructor(ints, widths, columns, count) {
    this.#ints = ints;
    this.#codes = decodeWidths(widths, columns);
    this.#count = count;
    let size = 0;
    for (let i = 0; i < columns; i++) size += SIZES[this.#codes[i]](count);
    if (size !== ints.length) throw new ProtocolError(`The server sent ${ints.length} bytes of columns where ${size} belong.`);
  }

  /**
   * The next column.
   * @param {Float64Array} out takes the differences; at least `count` long
   */
  next(out) {
    const code = this.#codes[this.#column++];
    READERS[code](this.#ints, this.#at, this.#count, out);
    this.#at += SIZES[code](this.#count);
  }
}

/**
 * @param {unknown} widths
 * @param {number} columns
 * @returns {ArrayLike<number>}
 */
function decodeWidths(widths, columns) {
  if (columns > MAX_PACKED_WIDTHS) {
    if (!(widths instanceof Uint8Array) || widths.length !== columns || widths.some((code) => code >= SIZES.length)) {
      throw new ProtocolError(`The server sent no usable widths for ${columns} columns.`);
    }
    return widths;
  }
  let rest = typeof widths === "number" && Number.isInteger(widths) && widths >= 0 ? widths : Infinity;
  /** @type {number[]} */
  const codes = [];
  for (let i = 0; i < columns; i++) {
    codes.push(rest % 5);
    rest = Math.floor(rest / 5);
  }
  if (rest !== 0) throw new ProtocolError(`The server sent the widths ${show(widths)} for ${columns} columns.`);
  return codes;
}

/** @type {((bytes: Uint8Array, at: number, n: number, out: Float64Array) => void)[]} */
const READERS = [read8, read12, read16, read32, read64];

/** @param {Uint8Array} bytes @param {number} at @param {number} n @param {Float64Array} out */
function read8(bytes, at, n, out) {
  for (let i = 0; i < n; i++) out[i] = (bytes[at + i] << 24) >> 24;
}

/** @param {Uint8Array} bytes @param {number} at @param {number} n @param {Float64Array} out */
function read12(bytes, at, n, out) {
  const nibbles = at + n;
  for (let i = 0; i < n; i++) {
    const pair = bytes[nibbles + (i >> 1)];
    const nibble = i & 1 ? pair >> 4 : pair & 15;
    out[i] = ((bytes[at + i] | (nibble << 8)) << 20) >> 20;
  }
  if (n & 1 && bytes[nibbles + (n >> 1)] >> 4 !== 0) throw new ProtocolError("The server sent a 12-bit column with a stray last nibble.");
}

/** @param {Uint8Array} bytes @param {number} at @param {number} n @param {Float64Array} out */
function read16(bytes, at, n, out) {
  for (let i = 0, k = at; i < n; i++, k += 2) out[i] = ((bytes[k] | (bytes[k + 1] << 8)) << 16) >> 16;
}

/** @param {Uint8Array} bytes @param {number} at */
function int32(bytes, at) {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** @param {Uint8Array} bytes @param {number} at @param {number} n @param {Float64Array} out */
function read32(bytes, at, n, out) {
  for (let i = 0, k = at; i < n; i++, k += 4) out[i] = int32(bytes, k);
}

/** @param {Uint8Array} bytes @param {number} at @param {number} n @param {Float64Array} out */
function read64(bytes, at, n, out) {
  for (let i = 0, k = at; i < n; i++, k += 8) {
    const value = int32(bytes, k + 4) * TWO_32 + (int32(bytes, k) >>> 0);
    if (!Number.isSafeInteger(value)) throw new ProtocolError("The server sent a difference beyond 2^53.");
    out[i] = value;
  }
}
