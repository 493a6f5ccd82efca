// Presses Run where a node refuses its input. Finds {type, message: of the server, shown: what the
// page says without a click}.

import { job, load, pressRun } from "../../tools/browser/page.mjs";

const SHOWN = 15_000; // ms: until the page says it

export async function visit(page) {
  await load(page, "text_to_music", job.workflows.find(({ name }) => name === "text_to_music").page);
  await page.evaluate(listen);
  await page.evaluate(setCaption, "x".repeat(600));
  await pressRun(page);
  // what is not shown by then is missing from the answer
  await page.waitForFunction(isShown, null, { timeout: SHOWN }).catch(() => {});
  const found = await page.evaluate(read);
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/error.${job.renderer}.png` });
  return found;
}

// What follows runs in the page.
async function listen() {
  const { api } = await import("/scripts/api.js");
  api.addEventListener("execution_error", ({ detail }) => (window.failure = detail));
  window.messages = () =>
    ['[data-testid="error-overlay"]', ".p-toast-message", "[data-testid='toast']"].flatMap((kind) =>
      [...document.querySelectorAll(kind)].map(({ innerText }) => innerText),
    );
}

function setCaption(words) {
  const { nodes } = window.app.graph;
  const song = nodes.find(({ type }) => type === "AceStep15Song");
  song.widgets.find(({ name }) => name === "caption").value = words;
}

function isShown() {
  const sentence = window.failure?.exception_message.trim();
  return sentence && window.messages().some((text) => text.includes(sentence));
}

function read() {
  const { exception_type: type, exception_message: message } = window.failure ?? {};
  return { type, message, shown: window.messages() };
}
