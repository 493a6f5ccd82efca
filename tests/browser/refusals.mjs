// Presses Run where a widget holds what its node does not take: nothing runs. Finds {name: {sent: errors of
// the server, marked: kinds of the nodes that are marked, shown: what the page says without a click}}

import { job, load } from "../../tools/browser/page.mjs";

const WRONG = {
  seconds: ["AceStep15Song", "seconds", 5],
  file: ["AceStep15LoadVAE", "file", "old/ace_1.5_vae.safetensors"],
};
const SHOWN = 10_000; // ms: until the page says it

export async function visit(page) {
  const { page: workflow } = job.workflows.find(({ name }) => name === "text_to_music");
  const found = {};
  for (const [name, typed] of Object.entries(WRONG)) {
    await load(page, "text_to_music", workflow);
    await page.evaluate(type, typed);
    const answer = page.waitForResponse(
      (each) => each.url().endsWith("/prompt") && each.request().method() === "POST",
    );
    await page.getByTestId("queue-button").click();
    const { node_errors: errors } = await (await answer).json();
    const [{ message, details }] = Object.values(errors).flatMap((each) => each.errors);
    const sentence = details.split(" - ")[1] ?? message;
    await page.waitForFunction(isShown, sentence, { timeout: SHOWN }).catch(() => {});
    found[name] = { message, details, ...(await page.evaluate(read)) };
    if (job.pictures) await page.screenshot({ path: `${job.pictures}/refusal_${name}.${job.renderer}.png` });
    await page.keyboard.press("Escape");
  }
  return found;
}

// What follows runs in the page.
function type([kind, name, value]) {
  const node = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === kind);
  node.widgets.find((each) => each.name === name).value = value;
}

function isShown(sentence) {
  return document.body.innerText.includes(sentence);
}

function read() {
  const marked = window.app.graph.nodes.filter(({ has_errors }) => has_errors);
  const places = ['[data-testid="error-overlay"]', ".p-toast-message", '[role="dialog"]', '[data-testid="toast"]'];
  const shown = places.flatMap((place) =>
    [...document.querySelectorAll(place)].map(({ innerText }) => innerText),
  );
  return { marked: marked.map(({ comfyClass }) => comfyClass), shown };
}
