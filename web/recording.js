// The player and the button on Load Recording, as stock Load Audio has them. The recordings that come
// with the pack lie beside this script, where ComfyUI's address of input files does not reach.

import { widgetOf } from "./waveform/graph.js";
import { exampleAddress } from "./examples.js";

/**
 * Before the node's class is made: its player, and behind it the button, which looks for the player.
 * @param {any} definition
 */
export function addPlayer(definition) {
  const { upload, ...shown } = definition.input.required;
  definition.input.required = { ...shown, audioUI: ["AUDIO_UI", {}], upload: ["AUDIOUPLOAD", {}] };
}

/**
 * Lets the player play an example when one is chosen.
 * @param {any} node
 */
export function playExamples(node) {
  const audio = widgetOf(node, "audio");
  const player = widgetOf(node, "audioUI");
  if (player) player.options = { ...player.options, serialize: false }; // no input of the node
  const play = () => {
    const address = exampleAddress(audio.value);
    if (!address || !player?.element) return;
    player.element.src = address; // what the classic canvas plays; Nodes 2.0 the value
    player.value = address;
    player.callback?.(address);
    player.element.classList.remove("empty-audio-widget");
  };
  const chosen = audio.callback;
  audio.callback = function () {
    const result = chosen?.apply(this, arguments);
    play();
    return result;
  };
  const configured = node.onGraphConfigured;
  node.onGraphConfigured = function () {
    configured?.apply(this, arguments);
    play();
  };
  play();
}
