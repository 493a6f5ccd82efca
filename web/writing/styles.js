// Words of style in a caption: which are offered, and how one is added and taken away.

/** The words of each group, for captions; from the official guide, docs/en/Tutorial.md, "Common dimensions". */
export const STYLES = {
  genre: [
    ...["pop", "rock", "jazz", "electronic", "hip-hop", "R&B", "folk", "classical", "lo-fi", "synthwave"],
    ...["metal", "country", "reggae", "blues", "funk", "ambient"],
  ],
  mood: ["melancholic", "uplifting", "energetic", "dreamy", "dark", "nostalgic", "euphoric", "intimate"],
  instruments: [
    ...["acoustic guitar", "electric guitar", "piano", "synth pads", "808 drums", "strings", "brass"],
    ...["electric bass", "saxophone", "live drums"],
  ],
  voice: ["female vocal", "male vocal", "breathy", "powerful", "falsetto", "raspy", "choir"],
};
const PART = /[^,，、;；.。\n]+/g; // what stands between two marks
const SENTENCE = /[.。\n]$/;
const MARK = /[,，、;；.。\n]$/;

/** @param {string} caption @param {string} word @returns {boolean} whether it stands there between commas */
export function holds(caption, word) {
  return placesOf(caption, word).length > 0;
}

/** @param {string} caption @param {string} word @returns {string} the caption with it, or without it if it was there */
export function toggled(caption, word) {
  return holds(caption, word) ? without(caption, word) : added(caption, word);
}

/** @param {string} caption @param {string} word */
function added(caption, word) {
  const text = caption.trimEnd();
  if (text === "") return word;
  return MARK.test(text) ? `${text} ${word}` : `${text}, ${word}`;
}

/** @param {string} caption @param {string} word */
function without(caption, word) {
  let text = caption;
  for (const [start, end] of placesOf(caption, word).reverse()) {
    const [before, after] = [text.slice(0, start).trimEnd(), text.slice(end).replace(/^[ \t]+/, "")];
    const first = before === "" || SENTENCE.test(before);
    if (first) text = text.slice(0, start) + after.replace(/^[,，、;；]\s*/, "");
    else text = before.replace(/[,，、;；]$/, "") + after;
  }
  return text.trimEnd();
}

/** @param {string} caption @param {string} word @returns {[number, number][]} where it begins and ends */
function placesOf(caption, word) {
  const named = word.toLowerCase();
  return [...caption.matchAll(PART)].flatMap((found) => {
    const start = found.index + found[0].length - found[0].trimStart().length;
    const said = found[0].trim();
    /** @type {[number, number]} */
    const place = [start, start + said.length];
    return said.toLowerCase() === named ? [place] : [];
  });
}
