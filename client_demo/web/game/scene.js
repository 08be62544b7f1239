// @ts-check
/** The picture: everything in the arena, drawn back to front, once per animation frame. */

import { Camera } from "./camera.js";
import { Effects } from "./effects.js";
import { drawCrate, drawFloor, drawRock } from "./field.js";
import { HEIGHT, WIDTH } from "./flight.js";
import { drawGhost } from "./ghost.js";
import { Looks } from "./looks.js";
import { ownTick, shownPose, shownTick } from "./own.js";
import { paletteOf } from "./palette.js";
import { Particles } from "./particles.js";
import { Resolution } from "./resolution.js";
import { drawLabel, drawShip } from "./ships.js";
import { Shots } from "./shots.js";
import { Sprites, context2d } from "./sprites.js";
import { Stars } from "./stars.js";

/**
 * @typedef {object} Brush What every drawing function is handed; the context is in world units.
 * @property {CanvasRenderingContext2D} context
 * @property {Camera} camera
 * @property {import("./palette.js").Palette} palette
 * @property {Sprites} sprites
 * @property {number} ratio canvas pixels per CSS pixel
 *
 * @typedef {import("./arena.js").Ship} Ship
 *
 * @typedef {object} Shown What is drawn: a game, or what flies about before one.
 * @property {() => readonly Ship[]} ships
 * @property {() => readonly import("./arena.js").Rock[]} rocks
 * @property {() => readonly import("./arena.js").Crate[]} crates
 * @property {number} hz
 * @property {{renderTick: number}} clock
 * @property {{tick: number | null} | null} [prediction] of the own ship
 */

const WORLD = { width: WIDTH, height: HEIGHT };
/** Before the game: the camera drifts along, so many radians per second. */
const DRIFT = 0.05;

export class Scene {
  #context;
  #sprites = new Sprites();
  #stars = new Stars();
  #resolution = new Resolution();
  #palette;
  #ratio = 1;

  /** Whether to show where the server last had the own ship. */
  ghost = false;

  /** @param {HTMLCanvasElement} canvas @param {"dark" | "light"} theme */
  constructor(canvas, theme) {
    this.canvas = canvas;
    this.#context = context2d(canvas);
    this.#palette = paletteOf(theme);
    this.camera = new Camera(WORLD);
    this.camera.steady = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.particles = new Particles();
    this.effects = new Effects(this.particles, this.camera);
    this.shots = new Shots();
    this.looks = new Looks();
  }

  /** @param {"dark" | "light"} theme */
  setTheme(theme) {
    this.#palette = paletteOf(theme);
    this.#forgetPictures();
  }

  /**
   * Draw one frame.
   * @param {Shown} game
   * @param {Ship | undefined} own
   * @param {number} now seconds
   * @param {number} seconds since the last frame
   */
  draw(game, own, now, seconds) {
    this.#resolution.frame(seconds);
    this.#fit();
    const brush = this.#brush();
    this.#moveCamera(own, now, seconds);
    this.particles.advance(seconds);
    this.effects.advance(seconds);
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#stars.draw(this.#context, this.camera, this.#palette, this.#ratio);
    this.#enterWorld(now);
    drawFloor(brush, WORLD);
    this.#drawGame(brush, game, now, seconds);
  }

  /** @param {Brush} brush @param {Shown} game @param {number} now @param {number} seconds */
  #drawGame(brush, game, now, seconds) {
    for (const crate of game.crates()) drawCrate(brush, crate, now);
    for (const rock of game.rocks()) drawRock(brush, rock);
    const ships = game.ships().map((ship) => ({ ship, pose: shownPose(ship) }));
    const looks = ships.map(({ ship, pose }) => this.looks.advance(ship, pose, seconds, this.particles));
    this.particles.draw(brush);
    this.shots.draw(brush, shownTick(game), game.hz, ownTick(game));
    const inPlay = ships.filter((_, index) => looks[index]?.alive);
    for (const { ship, pose } of inPlay) if (this.ghost && ship.mine) drawGhost(brush, ship, pose);
    for (const { ship, pose } of inPlay) drawShip(brush, ship, pose, this.looks.of(ship), now);
    for (const { ship, pose } of inPlay) drawLabel(brush, ship, pose);
    this.effects.draw(brush);
  }

  /** @param {Ship | undefined} own @param {number} now @param {number} seconds */
  #moveCamera(own, now, seconds) {
    if (!own) {
      const drift = { x: WIDTH / 2 + Math.cos(now * DRIFT) * 26, y: HEIGHT / 2 + Math.sin(now * DRIFT * 1.7) * 16 };
      this.camera.follow({ ...drift, vx: 0, vy: 0 }, seconds);
      return;
    }
    const look = this.looks.of(own);
    const { x, y } = shownPose(own);
    this.camera.follow({ x, y, vx: look.vx, vy: look.vy }, seconds);
  }

  /** Make the canvas as fine as the screen, or a little less where drawing is slow. */
  #fit() {
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = devicePixelRatio * this.#resolution.share;
    const width = Math.max(1, Math.round(clientWidth * ratio));
    const height = Math.max(1, Math.round(clientHeight * ratio));
    const { camera } = this;
    // The canvas may have this size from the scene before this one, while the camera is new.
    if (camera.width === width && camera.height === height && this.canvas.width === width && this.canvas.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.#ratio = ratio;
    camera.resize(width, height);
    this.#forgetPictures();
  }

  /** @param {number} now */
  #enterWorld(now) {
    const { x, y, scale, width, height } = this.camera;
    const tremor = this.camera.tremor(now);
    this.#context.setTransform(scale, 0, 0, scale, width / 2 - (x + tremor.x) * scale, height / 2 - (y + tremor.y) * scale);
  }

  /** @returns {Brush} */
  #brush() {
    return { context: this.#context, camera: this.camera, palette: this.#palette, sprites: this.#sprites, ratio: this.#ratio };
  }

  #forgetPictures() {
    this.#sprites.clear();
    this.#stars.clear();
  }
}
