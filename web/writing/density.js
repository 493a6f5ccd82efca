// How many words are to be sung a second, and whether that is usual.

// Syllables a second of the whole song. Of the 200 examples of lyrics that come with the official ACE-Step 1.5
// (examples/text2music, counted as here) 3 have less than 0.5 and 8 have more than 2.5; the middle is 0.9.
export const USUAL = { least: 0.5, most: 2.5 };
const TAG = /\[[^\]]*\]/g;
const CHOICE = /\{([^{}|]*)\|[^{}]*\}/g; // a wildcard, see nodes/song.py
const CHARACTER = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/; // kana, Han, Hangul: a syllable each
const SMALL = /[ぁぃぅぇぉっゃゅょァィゥェォッャュョー]/; // of one with the kana before it
const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;
const VOWELS = /[aeiouyа-яёіїєα-ω\u00e0-\u00ff]/;
const GROUPS = /[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœаеёиоуыэюяіїєαεηιουωάέήίόύώ]+/g;
const SILENT = /^[a-z]*[^aeiouyl]e$/; // of an English word: "late", but not "little"

/**
 * @typedef {object} Count
 * @property {number} words those of spaced scripts, and characters of Chinese, Japanese and Korean
 * @property {number} syllables as estimated
 * @property {boolean} characters whether most of them are such characters
 */

/** @param {string} lyrics @returns {Count} of what is sung */
export function counted(lyrics) {
  const words = wordsOf(sung(lyrics));
  const characters = words.filter((word) => CHARACTER.test(word)).length;
  const syllables = words.reduce((sum, word) => sum + syllablesOf(word), 0);
  return { words: words.length, syllables, characters: characters > words.length / 2 };
}

/** @param {number} syllables @param {number} seconds @returns {"sparse" | "fine" | "dense"} */
export function judged(syllables, seconds) {
  const pace = syllables / seconds;
  if (pace < USUAL.least) return "sparse";
  return pace > USUAL.most ? "dense" : "fine";
}

/** @param {string} lyrics @returns {string} without tags, and with the first choice of each wildcard */
function sung(lyrics) {
  let text = lyrics;
  for (let before = ""; before !== text; ) [before, text] = [text, text.replace(CHOICE, "$1")];
  return text.replace(TAG, " ");
}

/** @param {string} text @returns {string[]} */
function wordsOf(text) {
  const apart = Array.from(text.toLowerCase(), (each) => (CHARACTER.test(each) ? ` ${each} ` : each)).join("");
  return (apart.match(WORD) ?? []).filter((word) => !SMALL.test(word));
}

/** @param {string} word in small letters @returns {number} */
function syllablesOf(word) {
  if (!VOWELS.test(word)) return 1;
  const groups = word.match(GROUPS)?.length ?? 1;
  return Math.max(1, groups - (groups > 1 && SILENT.test(word) ? 1 : 0));
}
