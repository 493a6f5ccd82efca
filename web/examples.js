// Where the page finds the recordings that come with the pack, by the names that nodes/folders.py gives.

const EXAMPLE = " [example]";

/**
 * @param {unknown} name value of a widget
 * @returns {string | null} null: no example
 */
export function exampleAddress(name) {
  if (typeof name !== "string" || !name.endsWith(EXAMPLE)) return null;
  const file = encodeURIComponent(name.slice(0, -EXAMPLE.length));
  return new URL(`./recordings/${file}`, import.meta.url).href;
}
