// The pack's templates in the order of their names: the server lists them as the disk does.

import { api } from "../../scripts/api.js";

const FOLDER = new URL(import.meta.url).pathname.split("/").at(-2); // of the pack

/** Before the page asks for the list. */
export function sortTemplates() {
  const ask = api.getWorkflowTemplates;
  if (!ask) return;
  api.getWorkflowTemplates = async function (/** @type {any[]} */ ...given) {
    const found = await ask.apply(this, given);
    const names = found?.[FOLDER];
    return Array.isArray(names) ? { ...found, [FOLDER]: [...names].sort(byMenu) } : found;
  };
}

/** Numbered ones first. @param {string} one @param {string} other */
function byMenu(one, other) {
  return one.localeCompare(other, "en", { numeric: true });
}
