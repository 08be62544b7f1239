// @ts-check
/** The canvas's colours, in a dark and a light set. */

/**
 * @typedef {object} Palette
 * @property {"dark" | "light"} name
 * @property {string} space behind everything
 * @property {[string, number][]} nebulae soft clouds: hue, saturation and lightness, and how dense
 * @property {string} star
 * @property {string} beyond outside the walls
 * @property {string} grid
 * @property {string} wall
 * @property {string} wallGlow
 * @property {[string, string]} rock lit and shaded side
 * @property {string} rockEdge
 * @property {string} crate
 * @property {string} ink text
 * @property {string} outline around text
 * @property {GlobalCompositeOperation} glow how light adds up
 * @property {number} lightness of ships and their light, in per cent
 */

/** @type {Palette} */
const DARK = {
  name: "dark",
  space: "#070a16",
  nebulae: [
    ["232 70% 24%", 0.5],
    ["282 65% 22%", 0.42],
    ["192 80% 18%", 0.4],
  ],
  star: "#dfe8ff",
  beyond: "rgb(2 3 8 / 55%)",
  grid: "rgb(120 155 255 / 9%)",
  wall: "#5f83ff",
  wallGlow: "rgb(80 120 255 / 6%)",
  rock: ["#56617f", "#1d2338"],
  rockEdge: "rgb(160 180 235 / 55%)",
  crate: "#5ef2a4",
  ink: "#e8eeff",
  outline: "rgb(4 7 18 / 80%)",
  glow: "lighter",
  lightness: 62,
};

/** @type {Palette} */
const LIGHT = {
  name: "light",
  space: "#f1f5fc",
  nebulae: [
    ["214 95% 84%", 0.55],
    ["262 85% 89%", 0.6],
    ["182 70% 84%", 0.45],
  ],
  star: "#8b9cc9",
  beyond: "rgb(120 138 180 / 28%)",
  grid: "rgb(50 80 170 / 10%)",
  wall: "#3f62d8",
  wallGlow: "rgb(60 100 230 / 4%)",
  rock: ["#dbe2f0", "#94a2c2"],
  rockEdge: "rgb(52 70 118 / 70%)",
  crate: "#0b9a5a",
  ink: "#16203a",
  outline: "rgb(255 255 255 / 85%)",
  glow: "source-over",
  lightness: 46,
};

/** @param {"dark" | "light"} name @returns {Palette} */
export function paletteOf(name) {
  return name === "light" ? LIGHT : DARK;
}

/** A player's colour. @param {number} hue @param {Palette} palette @param {number} [lighter] per cent @param {number} [alpha] */
export function tint(hue, palette, lighter = 0, alpha = 1) {
  return `hsl(${hue} 92% ${palette.lightness + evened(hue, palette.name) + lighter}% / ${alpha})`;
}

/**
 * How much lighter a hue has to be drawn to look as bright as the others: blue is dim on black, and
 * yellow to cyan is faint on white.
 * @param {number} hue
 * @param {"dark" | "light"} theme
 * @returns {number} per cent
 */
export function evened(hue, theme) {
  const blue = Math.max(0, Math.cos(((hue - 245) * Math.PI) / 180));
  const yellowToCyan = Math.max(0, Math.cos(((hue - 110) * Math.PI) / 180));
  return Math.round(theme === "dark" ? blue * 12 : blue * 8 - yellowToCyan * 12);
}
