// The prompt that polishes a song, in ComfyUI's API format, and the values of its nodes.

// What the published language models are called; a folder of text encoders holds others, too.
const MODEL_NAMES = [/qwen_1\.7b_ace/i, /qwen_4b_ace/i, /5hz[-_]?lm/i, /ace.*[-_]lm|lm[-_].*ace/i];

/** @typedef {Record<string, any>} Inputs */

/**
 * @param {string} prefix of the ids, which no node of a workflow has
 * @param {{lm: Inputs, song: Inputs, format: Inputs}} inputs
 * @returns {Record<string, {class_type: string, inputs: Inputs}>}
 */
export function polishPrompt(prefix, { lm, song, format }) {
  const id = (/** @type {string} */ name) => `${prefix}-${name}`;
  const wire = (/** @type {string} */ name, output = 0) => [id(name), output];
  return {
    [id("lm")]: { class_type: "AceStep15LoadLM", inputs: lm },
    [id("song")]: { class_type: "AceStep15Song", inputs: song },
    [id("format")]: { class_type: "AceStep15FormatSample", inputs: { ...format, lm: wire("lm"), song: wire("song") } },
    [id("details")]: { class_type: "AceStep15SongDetails", inputs: { song: wire("format") } },
    [id("caption")]: { class_type: "PreviewAny", inputs: { source: wire("details", 0) } },
    [id("lyrics")]: { class_type: "PreviewAny", inputs: { source: wire("details", 1) } },
  };
}

/**
 * The widgets' values of the first of the nodes, else what its class has when it is new.
 * @param {any} kind a node's class, as the page registered it
 * @param {any[]} nodes of the open workflow
 * @returns {Inputs}
 */
export function settingsOf(kind, nodes) {
  const { required = {}, optional = {} } = kind?.nodeData?.input ?? {};
  const fresh = Object.entries({ ...required, ...optional }).flatMap(([name, spec]) => {
    const value = defaultOf(name, spec);
    return value === undefined ? [] : [[name, value]];
  });
  const set = (nodes[0]?.widgets ?? []).map((/** @type {any} */ { name, value }) => [name, value]);
  const names = new Set(Object.keys({ ...required, ...optional }));
  return Object.fromEntries([...fresh, ...set.filter(([name]) => names.has(name))]);
}

/** @param {string} name @param {[any, any]} spec of an input @returns {any} undefined: a wire brings it */
function defaultOf(name, [type, options = {}]) {
  const choices = Array.isArray(type) ? type : options.options;
  if (name === "file" && choices) return modelAmong(choices);
  return options.default ?? choices?.[0];
}

/** @param {string[]} files @returns {string | undefined} the likeliest language model */
export function modelAmong(files) {
  return MODEL_NAMES.flatMap((named) => files.filter((file) => named.test(file)))[0];
}
