// @ts-check
/**
 * The arena's page: puts the parts together and runs the frames.
 *
 *   keyboard, thumbs -> steering -> SDK -> server
 *   server -> SDK -> news -> effects, sound, feed
 *             SDK -> scene (every frame), hud (every frame, touching only what changed)
 */

import { connect } from "../sdk/tickwire.js";
import { Announcer } from "./announcer.js";
import { Attract } from "./attract.js";
import { Chat } from "./chat.js";
import { Hud } from "./hud.js";
import { Keyboard } from "./keyboard.js";
import { Lab } from "./lab.js";
import { Link } from "./link.js";
import { News } from "./news.js";
import { element } from "./page.js";
import { predictOwn } from "./pilot.js";
import { Scene } from "./scene.js";
import { Sound } from "./sound.js";
import { Start, wishes } from "./start.js";
import { Banner } from "./status.js";
import { both } from "./steering.js";
import { Theme } from "./theme.js";
import { Thumbs } from "./thumbs.js";

/** After a pause (a tab in the background) things go on, they don't jump. */
const LONGEST_FRAME_SECONDS = 0.1;
/** A ship that moves farther than this between two snapshots has been put elsewhere. */
const SNAP = { Ship: 4 };

const view = element("view", HTMLCanvasElement);
const damage = element("damage", HTMLElement);
const theme = new Theme();
const sound = new Sound();
const hud = new Hud();
const announcer = new Announcer(element("announcement", HTMLElement));
const banner = new Banner(element("status", HTMLElement));
const asked = wishes(location.search);
const attract = new Attract();
const lab = new Lab(view);
let scene = new Scene(view, theme.name);
/** @type {{link: Link, news: News} | null} */
let session = null;
let frames = 0;
let last = performance.now();

const chat = new Chat(element("chat-form", HTMLFormElement), element("chat-input", HTMLInputElement), view, (text) => session?.link.say(text));
const keyboard = new Keyboard({ Enter: openChat, KeyL: () => lab.toggle(), KeyN: toggleGraph, KeyM: toggleSound, KeyT: () => theme.toggle() });
const thumbs = new Thumbs(element("touch", HTMLElement), element("stick", HTMLElement), element("fire", HTMLElement), view);
const start = new Start(element("start", HTMLFormElement), element("name", HTMLInputElement), join);

/** Join a room, with what the start card says. @param {string} name */
function join(name) {
  session?.link.game.leave();
  scene = new Scene(view, theme.name);
  const game = connect(undefined, { ...where(), options: { name }, reconnect: true, snap: SNAP, link: lab.link });
  predictOwn(game);
  lab.attach(game);
  const link = new Link(game);
  session = { link, news: new News(link, scene, hud, announcer, sound) };
  game.on("status", (status) => tell(status));
  banner.show({ status: "connecting" }, performance.now());
  // The banner says why it failed; without this the browser would report the failure a second time.
  game.ready.then(enter, () => undefined);
}

/** Say how the connection is; when it is over for good, offer to start again. @param {import("./status.js").Status} status */
function tell(status) {
  banner.show(status, performance.now());
  if (status.status !== "closed") return;
  sound.engine(false);
  start.reopen();
}

/** Which room: the one that the address asks for, else any arena. */
function where() {
  return asked.room && asked.room !== "arena" ? { room: asked.room, mode: /** @type {const} */ ("id") } : { room: "arena", mode: /** @type {const} */ ("join_or_create") };
}

/** The first full picture is there. */
function enter() {
  hud.show();
  view.focus({ preventScroll: true });
}

/** @param {number} nowMs */
function frame(nowMs) {
  requestAnimationFrame(frame);
  const seconds = Math.min(LONGEST_FRAME_SECONDS, Math.max(0, (nowMs - last) / 1000));
  last = nowMs;
  frames += 1;
  if (session) play(session, nowMs);
  const own = session?.link.own();
  if (!own) attract.advance(nowMs / 1000);
  scene.ghost = lab.settings.ghost;
  scene.draw(own && session ? session.link : attract, own, nowMs / 1000, seconds);
  if (session) hud.update(session.link, own, scene.camera, theme.name, nowMs);
  lab.update(nowMs);
  announcer.update(nowMs);
  banner.update(nowMs);
  const red = scene.effects.damage.toFixed(2);
  if (damage.style.opacity !== red) damage.style.opacity = red;
}

/** @param {{link: Link, news: News}} session @param {number} nowMs */
function play({ link, news }, nowMs) {
  const own = link.own();
  const steer = both(keyboard.steer(nowMs), thumbs.steer(own?.view.heading ?? 0));
  if (own) link.steer(steer);
  link.game.frame(nowMs);
  news.advance();
  sound.engine(steer.thrust && Boolean(own?.alive));
}

function openChat() {
  if (!session) return;
  keyboard.release();
  chat.open();
}

function toggleGraph() {
  element("graph-button", HTMLButtonElement).setAttribute("aria-pressed", String(hud.graph.toggle()));
}

function toggleSound() {
  element("sound-button", HTMLButtonElement).setAttribute("aria-pressed", String(sound.toggle()));
}

/** @param {string} id @param {() => void} action */
function onClick(id, action) {
  element(id, HTMLButtonElement).addEventListener("click", (event) => {
    action();
    // A mouse click must not leave the focus where Space would press the button again; the keyboard's keeps it.
    if (event.detail > 0 && id !== "chat-button") view.focus({ preventScroll: true });
  });
}

onClick("chat-button", openChat);
onClick("graph-button", toggleGraph);
onClick("lab-button", () => lab.toggle());
onClick("sound-button", toggleSound);
onClick("theme-button", () => theme.toggle());
element("sound-button", HTMLButtonElement).setAttribute("aria-pressed", String(sound.on));
theme.onChange((to) => scene.setTheme(to));
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => sound.wake());
addEventListener("pagehide", () => session?.link.game.leave());

/** For end-to-end tests and for the curious: the connection, and what the page shows. */
const inspect = {
  get game() {
    return session?.link.game ?? null;
  },
  get own() {
    return snapshotOf(session?.link.own());
  },
  get ships() {
    return (session?.link.ships() ?? []).map(snapshotOf);
  },
  get frames() {
    return frames;
  },
  lab,
  /** Where a point of the arena is in the picture, each from 0 (left, top) to 1. @param {number} x @param {number} y */
  inPicture(x, y) {
    const { camera, canvas } = scene;
    return {
      x: (camera.width / 2 + (x - camera.x) * camera.scale) / canvas.width,
      y: (camera.height / 2 + (y - camera.y) * camera.scale) / canvas.height,
    };
  },
  get effects() {
    return { particles: scene.particles.count, bullets: scene.shots.count, shake: scene.camera.shake };
  },
};
Object.assign(window, { __tickwire: inspect });

/** @param {import("./arena.js").Ship | undefined} ship */
function snapshotOf(ship) {
  if (!ship) return null;
  const { id, name, mine, x, y, heading, thrust, hp, alive, shield, score, view } = ship;
  return { id, name, mine, x, y, heading, thrust, hp, alive, shield, score, view: { x: view.x, y: view.y, heading: view.heading } };
}

start.open(asked);
requestAnimationFrame(frame);
