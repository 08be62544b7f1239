// @ts-check
/** The byte examples of PROTOCOL.md: the SDK reads what servers send there, and writes what clients send. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { comebackAfter, describeClose } from "../../client_demo/web/sdk/closes.js";
import { ColumnReader } from "../../client_demo/web/sdk/columns.js";
import { ProtocolError } from "../../client_demo/web/sdk/errors.js";
import { buildKind } from "../../client_demo/web/sdk/kinds.js";
import { decodeMessage, encodeEvent, encodeInput, encodeJoin, encodeLeave, encodePing, encodeResume, encodeResync, encodeView, VIEW_STEPS } from "../../client_demo/web/sdk/messages.js";
import { Schema } from "../../client_demo/web/sdk/schema.js";
import { bytesIn, PagePlayer, readBlocks } from "./kit/page.js";
import { fromHex, toHex } from "./kit/wire.js";

/** @typedef {import("../../client_demo/web/sdk/schema.js").ClassSpec} ClassSpec */

const blocks = readBlocks();
const schema = pageSchema();

function pageSchema() {
  const welcome = decodeMessage(bytesIn(titled("server WELCOME")));
  assert.ok(welcome.type === "welcome");
  return Schema.parse(welcome.schema);
}

/** @param {string} title */
function titled(title) {
  const found = blocks.find((block) => block.title === title);
  assert.ok(found, `the page has a block ${title}`);
  return found;
}

/** What a client sends, from its meaning. @type {Record<string, (meaning: any) => Uint8Array>} */
const WRITERS = {
  JOIN: ({ mode, target, hash, options }) => encodeJoin(mode, target, hash && fromHex(hash), options),
  RESUME: ({ room, token, tick, hash }) => encodeResume(room, token, tick, fromHex(hash)),
  INPUT: ({ tick, inputs }) => encodeInput(tick, inputs.flatMap((/** @type {any} */ fields) => written(schema.input, fields))),
  EVENT: ({ event, fields }) => {
    const index = schema.events.findIndex((spec) => spec.name === event);
    return encodeEvent(index, written(schema.events[index], fields));
  },
  PING: ({ t1 }) => encodePing(t1),
  LEAVE: () => encodeLeave(),
  RESYNC: ({ tick }) => encodeResync(tick),
  VIEW: ({ t3, delay }) => encodeView(t3, delay / VIEW_STEPS),
};

/** @param {ClassSpec | null} spec @param {any} fields @returns {any[]} */
function written(spec, fields) {
  assert.ok(spec);
  return spec.fields.map((field) => field.kind.write(fields[field.name], field.name));
}

/** The blocks that the server sent, in order, without those that a client refuses. */
const sent = blocks.filter(({ title }) => /^server [A-Z]/.test(title));

/** A client that has taken in all that the server sent. */
function played() {
  const player = new PagePlayer(schema);
  for (const block of sent) player.take(bytesIn(block));
  return player;
}

test("what servers send is read as the page says", () => {
  const player = new PagePlayer(schema);
  for (const block of sent) {
    const { fit, agrees, ...meaning } = /** @type {any} */ (player.take(bytesIn(block)));
    assert.deepEqual(meaning, block.meaning, block.title);
    assert.ok(fit !== "ignored" && fit !== "unfit" && agrees !== false, `${block.title} ${JSON.stringify(block.meaning)}`);
  }
  const kinds = new Set(sent.map((block) => decodeMessage(bytesIn(block)).type));
  assert.deepEqual([...kinds].sort(), ["check", "epoch", "event", "load", "news", "pong", "private", "snapshot", "welcome"]);
});

test("what clients send is written as the page says", () => {
  for (const [name, write] of Object.entries(WRITERS)) {
    const block = titled(`client ${name}`);
    assert.equal(toHex(write(block.meaning)), toHex(bytesIn(block)), block.title);
  }
  const onPage = blocks.flatMap(({ title }) => title.match(/(?<=^client )[A-Z]+$/) ?? []);
  assert.deepEqual(Object.keys(WRITERS).sort(), onPage.sort());
});

test("what breaks the protocol on the page is refused", () => {
  const broken = blocks.filter(({ title }) => title === "server refused");
  assert.ok(broken.length > 0);
  for (const block of broken) {
    const player = played();
    assert.throws(() => player.take(bytesIn(block)), ProtocolError, block.meaning);
  }
});

test("an example that is changed in any byte is no longer read as the page says", () => {
  const block = sent[2];
  for (let at = 0; at < bytesIn(block).length; at++) {
    const player = new PagePlayer(schema);
    for (const before of sent.slice(0, 2)) player.take(bytesIn(before));
    const bytes = bytesIn(block);
    bytes[at] ^= 1;
    assert.throws(() => {
      const { fit, ...meaning } = /** @type {any} */ (player.take(bytes));
      assert.deepEqual(meaning, block.meaning);
    }, `byte ${at}`);
  }
});

test("values are written and read as the page says", () => {
  for (const [parameters, ...texts] of titled("values").lines) {
    const [value, wire, back] = texts.slice(0, 3).map((text) => JSON.parse(text));
    const kind = buildKind(JSON.parse(parameters), "field");
    const made = kind.write(kind.name === "blob" ? fromHex(value) : value, "field");
    assert.equal(made instanceof Uint8Array ? toHex(made) : made, wire, parameters);
    const read = kind.read(made);
    assert.equal(JSON.stringify(read instanceof Uint8Array ? toHex(read) : read), JSON.stringify(sorted(back)), parameters);
  }
});

/** A map in the order of its keys, as a packed field has it. @param {unknown} value */
function sorted(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value;
}

test("columns are read as the page says", () => {
  for (const [hex, code, texts] of titled("columns").lines) {
    const changes = texts.split(" ").map(Number);
    const out = new Float64Array(changes.length);
    new ColumnReader(fromHex(hex.replaceAll(" ", "")), Number(code.replace("code ", "")), 1, changes.length).next(out);
    assert.deepEqual([...out], changes, hex);
  }
});

test("the close frame means what the page says", () => {
  const { code, retry, reason } = titled("server close").meaning;
  assert.equal(comebackAfter(code), retry);
  assert.ok(describeClose(code, reason, true).message.includes(reason));
});
