// A menu of buttons that opens below one, over everything, at the size of the page.

import { CARD, EDGE, INK } from "../colours.js";
import { makeRow } from "../waveform/panel.js";

const WIDTH = 320; // pixels
const MARGIN = 8; // pixels to the edges of the window

/** @type {{root: HTMLElement, anchor: HTMLElement, end: AbortController} | null} there is one at a time */
let open = null;

/**
 * Open the menu of `anchor`; where it is open, close it.
 * @param {HTMLElement} anchor
 * @param {(menu: import("../waveform/panel.js").Row) => void} fill
 * @param {AbortSignal} signal it ends with
 */
export function toggleMenu(anchor, fill, signal) {
  const again = open?.anchor === anchor;
  close();
  if (again) return;
  const end = new AbortController();
  const menu = makeRow("writing-menu", end.signal);
  menu.root.style.cssText += `;position:fixed;z-index:10000;box-sizing:border-box;width:${WIDTH}px;padding:8px;border:1px solid ${EDGE};box-shadow:0 4px 16px #0008;${CARD}`;
  menu.bar.remove();
  open = { root: menu.root, anchor, end };
  fill(menu);
  document.body.append(menu.root);
  place(menu.root, anchor.getBoundingClientRect());
  addClosing(end.signal);
  signal.addEventListener("abort", close, { signal: end.signal });
}

export function close() {
  open?.end.abort();
  open?.root.remove();
  open = null;
}

/** @param {HTMLElement} root @param {DOMRect} anchor */
function place(root, { left, top, bottom }) {
  const { offsetWidth: width, offsetHeight: height } = root;
  const below = bottom + MARGIN / 2;
  const fits = below + height + MARGIN < window.innerHeight;
  root.style.left = `${Math.max(MARGIN, Math.min(left, window.innerWidth - width - MARGIN))}px`;
  root.style.top = `${Math.max(MARGIN, fits ? below : top - height - MARGIN / 2)}px`;
}

/** @param {AbortSignal} signal */
function addClosing(signal) {
  const outside = (/** @type {Event} */ { target }) => {
    const within = target instanceof Node && (open?.root.contains(target) || open?.anchor.contains(target));
    if (!within) close();
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };
  for (const event of ["pointerdown", "wheel"]) document.addEventListener(event, outside, { signal, capture: true });
  document.addEventListener("keydown", pressed, { signal, capture: true });
}

/** @param {import("../waveform/panel.js").Row} menu @param {string} title @returns {import("../waveform/panel.js").Row} */
export function addGroup({ root, signal }, title) {
  const bar = document.createElement("div");
  bar.style.cssText = "display:flex;flex-wrap:wrap;gap:4px;align-items:center";
  const text = document.createElement("span");
  text.style.cssText = `order:-1;flex-basis:100%;font:11px sans-serif;color:${INK}`; // buttons come before it
  text.textContent = title;
  bar.append(text);
  root.append(bar);
  return { root, bar, text, signal };
}
