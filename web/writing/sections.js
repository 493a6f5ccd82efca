// Section tags: those that songs are written with, and where one is put into lyrics.

// Of those in ace_core/section_tags.py what the 200 examples of lyrics that come with the official ACE-Step 1.5
// (examples/text2music) have: [Verse] 476 times, [Bridge] 125, [Breakdown] 8, [Post-Chorus] 5.
export const TAGS = [
  ...["Verse", "Chorus", "Bridge", "Intro", "Outro", "Pre-Chorus", "Post-Chorus", "Final Chorus", "Hook"],
  ...["Instrumental Break", "Guitar Solo", "Build", "Drop", "Breakdown"],
];
const TAG_LINE = /^[ \t]*\[[^\]\n]*\][ \t]*$/;

/**
 * A tag on a line of its own, a blank line above it, and the line below it free to write on.
 * @param {string} text
 * @param {number} place of the cursor
 * @param {string} tag without brackets
 * @returns {import("./difference.js").Edit}
 */
export function tagged(text, place, tag) {
  const at = afterTag(text, place);
  const [before, after] = [text.slice(0, at).replace(/[ \t]+$/, ""), text.slice(at)];
  const from = before.length;
  const above = before.trim() === "" ? from : (before.match(/\n*$/)?.[0].length ?? 0);
  const lines = before.trim() === "" ? "" : "\n".repeat(Math.max(0, 2 - above));
  const spaces = after.match(/^[ \t]*/)?.[0].length ?? 0;
  const free = after[spaces] === "\n" ? 1 : 0; // its line end is there
  return { from, to: at + spaces + free, put: `${lines}[${tag}]\n` };
}

/** @param {string} text @param {number} place @returns {number} the end of the line, where that is a tag */
function afterTag(text, place) {
  const start = text.lastIndexOf("\n", place - 1) + 1;
  const end = (text.indexOf("\n", place) + 1 || text.length + 1) - 1;
  return TAG_LINE.test(text.slice(start, end)) ? end : place;
}
