// Visits ComfyUI's page, one visit after the other in one browser: `node visits.mjs job.json`.
//
// job: {url, chromium, modules, renderer: "canvas" | "nodes2", visits: names of VISITS,
//       workflows: [{name, page}], run: {name: {widget: value}} of those to run,
//       region: [start, end] in seconds, recording: an input file of two seconds, help: [node ids],
//       languages: [locales, the page's own first], themes: [color palettes], words: for the search,
//       dropped: {ending: file}, files: {name: its file, without an ending}, apps: the same of those that open
//       as one, pictures: folder or null}
// The answer, one JSON on stdout: {visit: what it found, with `problems`, or {failed: why}; seconds: {visit: how many}}

import { visit as workflows } from "./driver.mjs";
import { visit as apps } from "./apps.mjs";
import { visit as waveforms } from "./gestures.mjs";
import { visit as audio_preview } from "./audio_preview.mjs";
import { visit as counts } from "./counts.mjs";
import { visit as dropped } from "./dropped.mjs";
import { visit as errors } from "./errors.mjs";
import { visit as help } from "./help.mjs";
import { visit as instrument } from "./instrument.mjs";
import { visit as lanes } from "./lanes.mjs";
import { visit as languages } from "./languages.mjs";
import { visit as texts } from "./texts.mjs";
import { visit as refusals } from "./refusals.mjs";
import { visit as search } from "./search.mjs";
import { visit as sources } from "./sources.mjs";
import { visit as lifetimes } from "./lifetimes.mjs";
import { visit as themes } from "./themes.mjs";
import { visit as warnings } from "./warnings.mjs";
import { visit as writing } from "./writing.mjs";
import { job, tell } from "../../tools/browser/page.mjs";

const VISITS = {
  workflows, errors, waveforms, instrument, lifetimes, help, audio_preview, languages, texts, sources, lanes,
  themes, search, dropped, refusals, counts, warnings, writing, apps,
};

await tell(async (page) => {
  const found = { seconds: {} };
  for (const name of job.visits) {
    page.problems.length = 0;
    const begun = performance.now();
    found[name] = await VISITS[name](page).then(
      (seen) => ({ problems: [...page.problems], ...seen }),
      (error) => ({ failed: error.stack, problems: [...page.problems] }),
    );
    found.seconds[name] = (performance.now() - begun) / 1000;
  }
  return found;
});
