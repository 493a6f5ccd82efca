// What the pack adds to ComfyUI's page: texts on nodes that ran, waveforms on those that have a region
// or save a song, the measured beats that they snap to, audio previews on the sampler, messages of
// errors, where the page leaves them out, writing aids on songs, nodes found by what they are also called, workflows in files that the
// page does not look into, and the words in our workflows in its language. Which nodes get them is decided here.

import { app } from "../../scripts/app.js";
import { addAppStyle } from "./app_mode.js";
import { refreshDynamicCombos } from "./dynamic_combo.js";
import { addAudioPreviews } from "./audio_preview.js";
import { openDroppedFiles } from "./dropped_files.js";
import { showErrors } from "./errors.js";
import { findByAliases } from "./node_search.js";
import { addText, clearProgress, clearTexts } from "./node_text.js";
import { addPlayer, playExamples } from "./recording.js";
import { sortTemplates } from "./template_list.js";
import { keepBeats } from "./waveform/grid.js";
import { addRegion } from "./waveform/region.js";
import { showWarnings } from "./warnings.js";
import { keepTakes } from "./waveform/take_store.js";
import { addTakes } from "./waveform/takes.js";
import { keepEnglish, translateWorkflow } from "./workflow_words.js";
import { addWritingStyle } from "./writing/row.js";
import { addWriting } from "./writing/writing.js";

const OURS = "AceStep15";

/** @type {Record<string, (node: any) => void>} */
const ADDED = {
  AceStep15LoadRecording: playExamples,
  AceStep15Measure: keepBeats,
  AceStep15RegionMask: addRegion,
  AceStep15Repaint: addRegion,
  AceStep15SaveAudio: addTakes,
  AceStep15Song: addWriting,
};

sortTemplates(); // who is here for the first time sees the list before anything is set up

app.registerExtension({
  name: "acestep15.waveforms",
  setup() {
    addAppStyle();
    addWritingStyle();
    addAudioPreviews();
    showErrors(OURS);
    clearTexts(OURS);
    clearProgress();
    findByAliases(OURS);
    showWarnings();
    openDroppedFiles();
    keepEnglish();
    keepTakes();
  },
  beforeConfigureGraph(workflow) {
    return translateWorkflow(workflow);
  },
  beforeRegisterNodeDef(_, definition) {
    if (definition.name === "AceStep15LoadRecording") addPlayer(definition);
  },
  nodeCreated(node) {
    if (node.comfyClass?.startsWith(OURS)) addText(node);
    ADDED[node.comfyClass]?.(node);
  },
  loadedGraphNode(node) {
    if (node.comfyClass?.startsWith(OURS)) refreshDynamicCombos(node);
  },
});
