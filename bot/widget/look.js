/** Colours from the site's accent, text size and the height that a phone's keyboard leaves. */

/** WCAG 2.2, 1.4.6: contrast of text. */
const ENOUGH = 7;
const LIGHT_SURFACE = [255, 255, 255];
const DARK_SURFACE = [42, 46, 50];

/**
 * Custom properties for an accent: `--on-accent` on it, `--accent-text` and `--accent-text-dark` as text on the
 * light and on the dark surface.
 * @param {string} accent `#rrggbb`
 */
export function shades(accent) {
  const colour = parse(accent) ?? parse("#00529e") ?? [];
  const strong = contrast(colour, LIGHT_SURFACE) >= contrast(colour, [26, 26, 26]);
  return {
    "--on-accent": strong ? "#fff" : "#1a1a1a",
    "--accent-text": hex(legible(colour, LIGHT_SURFACE, 0)),
    "--accent-text-dark": hex(legible(colour, DARK_SURFACE, 255)),
  };
}

/**
 * The colour, moved towards black (0) or white (255) until it can be read on the surface.
 * @param {number[]} colour
 * @param {number[]} surface
 * @param {number} towards
 */
function legible(colour, surface, towards) {
  let found = colour;
  for (let step = 1; step <= 20 && contrast(found, surface) < ENOUGH; step += 1) {
    found = colour.map((part) => Math.round(part + ((towards - part) * step) / 20));
  }
  return found;
}

/**
 * Contrast ratio as WCAG defines it, 1 to 21.
 * @param {number[]} a
 * @param {number[]} b
 */
function contrast(a, b) {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

/** @param {number[]} colour */
function luminance(colour) {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} colour */
function parse(colour) {
  const parts = /^#(..)(..)(..)$/.exec(colour.trim());
  const numbers = parts?.slice(1).map((part) => parseInt(part, 16));
  return numbers?.some(Number.isNaN) ? undefined : numbers;
}

/** @param {number[]} colour */
const hex = (colour) => `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

/** Steps of the text size. */
export const SCALES = [1, 1.15, 1.3, 1.5, 1.75, 2];

/** The style sheet that changes while the chat is used. Sheets instead of style attributes: a strict CSP allows them. */
export class Look {
  sheet = new CSSStyleSheet();
  #accent = "";
  #scale = 1;

  constructor() {
    visualViewport?.addEventListener("resize", () => this.#write());
  }

  /** @param {string} accent */
  set accent(accent) {
    this.#accent = accent;
    this.#write();
  }

  /** @param {number} scale */
  set scale(scale) {
    this.#scale = scale;
    this.#write();
  }

  #write() {
    const accent = this.#accent && { "--stadtbot-accent": this.#accent, ...shades(this.#accent) };
    const height = visualViewport && visualViewport.scale === 1 ? `${Math.round(visualViewport.height)}px` : "100dvh";
    const properties = { ...accent, "--scale": this.#scale, "--height": height };
    const rules = Object.entries(properties).map(([name, value]) => `${name}:${value}`);
    this.sheet.replaceSync(`:host{${rules.join(";")}}`);
  }
}
