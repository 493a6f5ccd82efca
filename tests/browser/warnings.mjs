// Runs a song with guidance on turbo, which takes none. Finds {texts: of the sampler, toasts: of the page}

import { job, load, pressRun } from "../../tools/browser/page.mjs";

const SHOWN = 120_000; // ms: until the page says it; the models are read before
const TOAST = '.p-toast-message, [data-testid="toast"]'; // of older pages, and of newer ones

export async function visit(page) {
  await load(page, "text_to_music", job.workflows.find(({ name }) => name === "text_to_music").page);
  await page.evaluate(guide, job.renderer === "nodes2" ? 10.4 : 10.6); // seconds: nothing is in the cache
  await page.evaluate(count);
  const [toasts] = await Promise.all([toastsOf(page), pressRun(page)]); // they may be gone when the run ends
  await page.waitForFunction(() => window.warnedRuns === 1); // the page knows that it is over, too
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/warning.${job.renderer}.png` });
  return { toasts, text: await page.evaluate(textOfSampler) };
}

// When the one that is meant is seen; without it where it does not come.
async function toastsOf(page) {
  const toasts = page.locator(TOAST);
  await toasts.filter({ hasText: "Guidance" }).first().waitFor({ timeout: SHOWN }).catch(() => {});
  await page.waitForTimeout(500);
  return toasts.allInnerTexts();
}

// What follows runs in the page.
async function count() {
  const { api } = await import("/scripts/api.js");
  window.warnedRuns = 0;
  api.addEventListener("execution_success", () => (window.warnedRuns += 1));
}

function guide(seconds) {
  const { graph } = window.app;
  const of = (kind) => graph.nodes.find(({ comfyClass }) => comfyClass === kind);
  of("AceStep15Song").widgets.find(({ name }) => name === "seconds").value = seconds;
  const guidance = window.LiteGraph.createNode("AceStep15Guidance");
  graph.add(guidance);
  guidance.widgets.find(({ name }) => name === "scale").value = 7;
  const sampler = of("AceStep15Sampler");
  guidance.connect(0, sampler, sampler.inputs.findIndex(({ name }) => name === "guidance"));
}

function textOfSampler() {
  const { widgets } = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Sampler");
  return widgets.find(({ name }) => name === "node_text")?.element.textContent ?? "";
}
