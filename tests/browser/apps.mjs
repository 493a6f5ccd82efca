// Comes to ComfyUI for the first time, opens each app from the templates and goes on to what is heard; for the next
// app the list of templates is opened again. Every click in it and after it is counted, the one in a waveform, too;
// nothing is typed. Finds {menu: [names in the list], apps: {name: {clicks, shown: [names of what one sets], lyrics
// (pixels of the box), aids: [texts that have some], heard, sung (lanes of lyrics), sent, problems}}}

import { again, command, job, newPage, prompt, skipWelcome } from "../../tools/browser/page.mjs";

const GROUP = "ACE-Step 1.5"; // in the list of templates
const LIST = '[data-testid="linear-widgets"]';
const NAME = '[data-testid="builder-widget-label"]';
const REGION = `${LIST} .acestep15-region canvas`;
const PLAY = `${LIST} .acestep15-takes button`;
const WINDOW = { width: 1440, height: 900 }; // pixels
const [SHORT, OWN] = [10, 12]; // seconds: of what is made, of the user's recording
const LOADING = 180_000; // ms: until a result has come

export async function visit(page) {
  const fresh = await newPage(page.context().browser(), WINDOW);
  await open(fresh);
  const seen = { menu: await templatesOf(fresh), apps: {} };
  for (const name of Object.keys(job.apps)) {
    fresh.problems.length = 0;
    const first = !Object.keys(seen.apps).length;
    if (!first) await openTemplates(fresh);
    seen.apps[name] = await openApp(fresh, name, first);
  }
  await fresh.close();
  return seen;
}

// Who was never here finds the templates open.
async function open(page) {
  const renderer = { "Comfy.VueNodes.Enabled": job.renderer === "nodes2" };
  await again(page, { ...renderer, "Comfy.TutorialCompleted": false });
}

async function openTemplates(page) {
  await command(page, "Comfy.NewBlankWorkflow");
  await page.locator(LIST).waitFor({ state: "detached" }); // of the app before
  await command(page, "Comfy.BrowseTemplates");
  await templatesOf(page);
}

async function templatesOf(page) {
  const templates = page.getByRole("dialog");
  await templates.getByText(GROUP, { exact: true }).first().click();
  const cards = templates.locator('[data-testid^="template-workflow-"]');
  await cards.first().waitFor();
  return cards.evaluateAll((all) => all.map(({ dataset }) => dataset.testid.replace("template-workflow-", "")));
}

async function openApp(page, name, first) {
  let clicks = 1; // in the list of templates
  const click = async (target) => {
    await target.click();
    clicks += 1;
  };
  await click(page.getByRole("dialog").getByTestId(`template-workflow-${job.apps[name]}`));
  await page.locator(LIST).waitFor();
  await page.locator(PLAY).first().waitFor({ state: "attached" });
  if (first) await skipWelcome(page); // not counted
  await page.evaluate(shorten, SHORT);
  await picture(page, name, "opened");
  const shown = await page.locator(`${LIST} ${NAME}`).allInnerTexts();
  const lyrics = page.locator(`${LIST} [data-widget-key$=":lyrics"] textarea`);
  const box = (await lyrics.count()) ? (await lyrics.boundingBox()).height : null;
  const aids = await page.locator(`${LIST} [data-writing]`).evaluateAll((all) => all.map(({ dataset }) => dataset.writing));
  if (name === "cover" || name === "repaint_section") {
    const chooser = page.waitForEvent("filechooser");
    await click(page.locator(`${LIST} [data-widget-key$=":audio"] label`));
    await (await chooser).setFiles({ name: "own.wav", mimeType: "audio/wav", buffer: recording() });
    await page.waitForFunction(isChosen, "own.wav");
  }
  if (name === "repaint_section") {
    await page.waitForFunction(hasRead, OWN);
    await dragAcross(page);
    clicks += 1;
  }
  const sent = await page.evaluate(prompt);
  await click(page.getByTestId("linear-run-button").getByRole("button", { name: "Run", exact: true }));
  const heard = await page.waitForFunction(plays, PLAY, { timeout: LOADING, polling: 200 }).then(
    () => true,
    () => false,
  );
  await picture(page, name, "heard");
  const sung = await page.evaluate(linesBelow, PLAY);
  return { clicks, shown, lyrics: box, aids, sent, heard, sung, problems: [...page.problems] };
}

// Ten seconds, from beside the region that is there.
async function dragAcross(page) {
  const { x, y, width, height } = await page.locator(REGION).boundingBox();
  const { from, to } = await page.evaluate(viewOfRegion, OWN);
  const at = (time) => x + ((time - from) / (to - from)) * width;
  await page.mouse.move(at(11.5), y + height / 2);
  await page.mouse.down();
  await page.mouse.move(at(6), y + height / 2);
  await page.mouse.move(at(1.5), y + height / 2);
  await page.mouse.up();
}

async function picture(page, name, when) {
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/app.${name}.${when}.png` });
}

// A WAV of `OWN` seconds: a quiet saw tooth.
function recording(rate = 48_000) {
  const data = Buffer.alloc(OWN * rate * 2);
  for (let n = 0; n < OWN * rate; n++) data.writeInt16LE(((n % 200) - 100) * 40, n * 2);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  for (const [place, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) head.writeUInt16LE(value, place);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.write("data", 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

// What follows runs in the page.
function shorten(seconds) {
  for (const node of window.app.graph.nodes)
    for (const widget of node.widgets ?? []) if (widget.name === "seconds") widget.value = seconds;
}

function isChosen(file) {
  const loader = window.app.graph.nodes.find(({ type }) => type === "AceStep15LoadRecording");
  return loader.widgets.find(({ name }) => name === "audio").value === file;
}

// The waveform of the own recording, and no longer that of the example.
function hasRead(seconds) {
  const node = window.app.graph.nodes.find(({ type }) => type === "AceStep15Repaint");
  return node.widgets.find(({ name }) => name === "waveform").region.seconds === seconds;
}

async function viewOfRegion(seconds) {
  const { viewOf } = await import("/extensions/acestep15/waveform/range_widgets.js");
  const node = window.app.graph.nodes.find(({ type }) => type === "AceStep15Repaint");
  return viewOf(node, seconds);
}

// The lanes below the take, where some are drawn.
function linesBelow(play) {
  const { takes } = window.app.graph.nodes.flatMap(({ widgets }) => widgets ?? []).find(({ takes }) => takes);
  const shown = document.querySelector(play).closest(".acestep15-takes").querySelector("canvas ~ canvas")?.clientWidth;
  return shown ? takes.lanes.lanes : [];
}

function plays(buttons) {
  return [...document.querySelectorAll(buttons)].some(({ textContent }) => textContent === "■");
}
