// The colours of what we draw: those of the page's text fields, whatever its theme, so that words can be read
// on every node, a coloured one included.

export const PAPER = "var(--comfy-input-bg, #222)";
export const INK = "var(--input-text, #ddd)";
export const EDGE = "var(--border-color, #4e4e4e)";
export const GREY = `color-mix(in srgb, ${INK} 75%, ${PAPER})`; // of a button that does nothing now; still 4.5:1
export const CARD = `background:${PAPER};color:${INK};border-radius:6px`;
export const LIT = { paper: "#ffa85c", ink: "#171b23" }; // a pressed button
const ACCENTS = { onDark: LIT.paper, onLight: "#9a3b00" };
const LIGHT = 128; // of 255: a paper that is lighter takes the dark accent

/** @typedef {{paper: string, ink: string, accent: string}} Colours */

/**
 * The same for a canvas, whose brush knows no variables.
 * @param {HTMLElement} element styled as a `CARD`
 * @returns {Colours}
 */
export function coloursOf(element) {
  const { backgroundColor: paper, color: ink } = getComputedStyle(element);
  return { paper, ink, accent: lightnessOf(paper) > LIGHT ? ACCENTS.onLight : ACCENTS.onDark };
}

/** @type {Map<string, number>} by colour */
const lightness = new Map();

/** @param {string} colour in any notation of CSS @returns {number} 0 to 255 */
function lightnessOf(colour) {
  const known = lightness.get(colour);
  if (known != null) return known;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 1, 1);
  const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
  const found = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  lightness.set(colour, found);
  return found;
}
