// What can be read of our drawings in each of the page's themes, which are changed as its settings do. Finds
// {theme: {texts: [{kind, text, contrast}], waveforms: {kind: {least contrast, share of the
// columns, ruler: contrasts of its words by column}}, papers: {kind: colour}, lanes: contrast of
// their words}}; contrasts are those of WCAG 2, from 1 to 21

import { job, load } from "../../tools/browser/page.mjs";

const SETTING = "Comfy.ColorPalette";
const REGION = ".acestep15-region";
const STYLES = '[data-writing="caption"] button';
const LOADING = 60_000; // ms: until a recording has been read

export async function visit(page) {
  const { page: workflow } = job.workflows.find(({ name }) => name === "repaint_section");
  await load(page, "repaint_section", unfolded(workflow));
  await page.waitForFunction((area) => /\d:\d\d/.test(document.querySelector(`${area} span`)?.textContent), REGION, {
    timeout: LOADING,
  });
  await page.evaluate(fill);
  await page.locator(STYLES).first().click(); // its menu stays while nothing else is touched
  const found = {};
  for (const theme of job.themes) {
    await page.evaluate(
      ([name, value]) => window.app.extensionManager.setting.set(name, value),
      [SETTING, theme],
    );
    await page.waitForTimeout(1000); // the page changes its colours, and our waveforms theirs
    if (job.pictures) await page.screenshot({ path: `${job.pictures}/${theme}.${job.renderer}.png` });
    found[theme] = await page.evaluate(look);
  }
  return found;
}

function unfolded(workflow) {
  const whole = structuredClone(workflow);
  for (const node of whole.nodes) node.flags = {};
  return whole;
}

// What follows runs in the page.

// As after runs: two takes, a text and a preview.
async function fill() {
  const { api } = await import("/scripts/api.js");
  const of = (kind) => window.app.graph.nodes.find(({ comfyClass }) => comfyClass === kind);
  const peaks = Array.from({ length: 1000 }, (_, n) => 60 + (n % 180));
  const lines = [{ text: "la la la", start: 1, end: 9, sung: true }];
  const file = { subfolder: "", type: "output", seconds: 10, peaks, loudness: -14, lines };
  of("AceStep15SaveAudio").onExecuted({
    ace_step_waveforms: ["a.flac", "b.flac"].map((filename) => JSON.stringify({ ...file, filename })),
  });
  const sampler = of("AceStep15Sampler");
  sampler.onExecuted({ ace_step_text: ["model: turbo\nsteps: 8"] });
  const preview = { node: String(sampler.id), step: 2, steps: 8, start: 4, end: 6 };
  const detail = { ...preview, filename: "p.flac", subfolder: "", type: "temp" };
  api.dispatchEvent(new CustomEvent("acestep15.audio_preview", { detail }));
}

async function look() {
  const { STRIP } = await import("/extensions/acestep15/waveform/draw.js");
  const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const pixel = (colour) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data];
  };
  const linear = (value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([red, green, blue]) =>
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const contrast = (one, other) => {
    const [less, more] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (more + 0.05) / (less + 0.05);
  };
  const paperOf = (element) => {
    for (let place = element; place; place = place.parentElement) {
      const colour = pixel(getComputedStyle(place).backgroundColor);
      if (colour[3] === 255) return colour;
      if (place.className.startsWith?.("acestep15-")) break; // below it may be any node
    }
    return null;
  };
  const contrastIn = (canvas) => {
    const [left, width] = [Math.floor(canvas.width * 0.15), Math.floor(canvas.width * 0.7)]; // inside of the line
    const { data } = canvas.getContext("2d").getImageData(left, 1, width, canvas.height - 3);
    const at = (place) => [...data.subarray(place * 4, place * 4 + 4)];
    const ground = at(width - 1);
    return Math.max(...Array.from({ length: data.length / 4 }, (_, place) => contrast(ground, at(place))));
  };
  const found = { texts: [], waveforms: {}, papers: {}, lanes: 0 };
  for (const root of document.querySelectorAll('[class^="acestep15-"]')) {
    const kind = root.classList[0].replace("acestep15-", "");
    found.papers[kind] = paperOf(root)?.join(" ") ?? null;
    for (const element of root.querySelectorAll("*")) {
      const text = element.childElementCount ? "" : element.textContent.trim();
      if (!text || element.hidden) continue;
      const paper = paperOf(element);
      const ink = pixel(getComputedStyle(element).color);
      found.texts.push({ kind, text, contrast: paper && ink[3] === 255 ? contrast(paper, ink) : 0 });
    }
    const [canvas, lanes] = root.querySelectorAll("canvas");
    if (lanes) found.lanes = contrastIn(lanes);
    if (!canvas?.width) continue;
    const drawn = (x, y) => [...canvas.getContext("2d").getImageData(x, y, 1, 1).data];
    const bottom = canvas.height - STRIP; // of the wave
    const paper = drawn(canvas.width - 3, 1);
    const row = (y) => Array.from({ length: canvas.width }, (_, x) => contrast(paper, drawn(x, y)));
    const middle = row(Math.floor(bottom / 2));
    const wave = middle.filter((each) => each > 1); // a region shows a second beside the song
    const words = [5, 6, 7, 8].map((below) => row(bottom + below)); // below the ticks; a few columns are lines
    const ruler = Array.from(middle, (_, x) => Math.max(...words.map((each) => each[x])));
    found.waveforms[kind] = { least: Math.min(...wave), share: wave.length / middle.length, ruler };
  }
  return found;
}
