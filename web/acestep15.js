// What the pack adds to ComfyUI's page: waveforms on the nodes that have a region or save a song, and
// a song to hear while it is made. It knows which nodes; the folder waveform/ knows how.

import { app } from "../../scripts/app.js";
import { showChoices } from "./choices.js";
import { playWhatIsTold } from "./hearing.js";
import { addRegion } from "./waveform/region.js";
import { addTakes } from "./waveform/takes.js";

const OURS = "AceStep15";

/** @type {Record<string, (node: any) => void>} */
const ADDED = {
  AceStep15RegionMask: addRegion,
  AceStep15Repaint: addRegion,
  AceStep15SaveAudio: addTakes,
};

app.registerExtension({
  name: "acestep15.waveforms",
  setup: playWhatIsTold,
  nodeCreated(node) {
    ADDED[node.comfyClass]?.(node);
  },
  loadedGraphNode(node) {
    if (node.comfyClass?.startsWith(OURS)) showChoices(node);
  },
});
