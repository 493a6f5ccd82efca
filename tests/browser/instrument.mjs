// Plays on a waveform as on an instrument: wheel and keys zoom, a click puts the play position, a region is heard
// again and again, a short one of a long song is held, and a take is heard beside its original. Finds
// {wheel, keys, clicked, loop, long, takes, compared}

import { PLAYING, job, load, playing } from "../../tools/browser/page.mjs";

const REGION = ".acestep15-region";
const TAKES = ".acestep15-takes";
const LOADING = 60_000; // ms: until a recording has been read
const SETTLE = 200; // ms: until a turn of the wheel has been drawn, and is over
const REST = 500; // ms: the next turn is another one

export async function visit(page) {
  const { page: workflow } = job.workflows.find(({ name }) => name === "repaint_section");
  await load(page, "repaint_section", prepared(workflow));
  const read = (area) => /\d:\d\d/.test(document.querySelector(`${area} span`)?.textContent);
  await page.waitForFunction(read, REGION, { timeout: LOADING });
  const found = { wheel: await turnWheel(page), keys: await pressKeys(page) };
  found.clicked = await clickAndPlay(page);
  found.loop = await listenToLoop(page);
  found.takes = await zoomTake(page);
  found.compared = await hearOriginal(page);
  found.long = await holdShortRegion(page);
  return found;
}

// A recording of two seconds, 0.5 to 1.5 of it marked, at 240 beats per minute: a bar is a second.
function prepared(workflow) {
  const chosen = structuredClone(workflow);
  const values = (kind) => chosen.nodes.find(({ type }) => type === kind).widgets_values;
  values("AceStep15LoadRecording")[0] = job.recording;
  values("AceStep15Song")[3] = 240; // bpm
  values("AceStep15Repaint").splice(1, 2, ...job.region);
  return chosen;
}

async function turnWheel(page) {
  const { left, top, width, height } = await page.evaluate(area, REGION);
  const [x, y] = [left + width / 4, top + height / 2];
  const turn = async (across, down, keys = []) => {
    for (const key of keys) await page.keyboard.down(key);
    await page.mouse.wheel(across, down);
    await page.waitForTimeout(SETTLE);
    for (const key of keys) await page.keyboard.up(key);
    await page.waitForTimeout(REST);
    return page.evaluate(shown);
  };
  await page.mouse.move(x, y);
  const found = { before: await page.evaluate(shown) };
  found.closer = await turn(0, -300);
  found.aside = await turn(0, 75, ["Shift"]);
  await picture(page, "closer");
  found.whole = await turn(0, 900);
  found.pinched = await turn(0, -100, ["Control"]); // the page's
  await turn(0, 100, ["Control"]);
  await page.mouse.move(5 + left, top - 400);
  found.beside = await turn(0, -100); // over the graph
  await turn(0, 100);
  return found;
}

async function pressKeys(page) {
  await page.locator(`${REGION} canvas`).focus();
  const press = async (key) => {
    await page.keyboard.press(key);
    return (await page.evaluate(shown)).view;
  };
  const found = { closer: await press("+"), further: await press("-"), region: await press("z") };
  await press("+");
  found.whole = await press("0");
  return found;
}

async function clickAndPlay(page) {
  const { left, top, width, height, view } = await page.evaluate(area, REGION);
  const found = { before: await page.evaluate(range) };
  const at = 1.0; // s, within the region
  await page.mouse.click(left + ((at - view.from) / (view.to - view.from)) * width, top + height / 2);
  found.after = await page.evaluate(range);
  found.position = await page.evaluate(() => window.regionOf().position);
  await page.evaluate(() => {
    const { sound } = window.regionOf().player;
    const begun = () => (window.begun = sound.currentTime);
    sound.addEventListener("play", begun, { once: true });
  });
  await page.keyboard.press(" ");
  found.played = await playing(page, REGION);
  found.begun = await page.evaluate(() => window.begun);
  found.stopped = await whereItStops(page);
  for (let again = 0; again < 2 && found.stopped === 2; again++) {
    await page.keyboard.press(" "); // a page that was held up looks too late: its recording of 2 s had ended
    await playing(page, REGION);
    found.stopped = await whereItStops(page);
  }
  await page.keyboard.press("ArrowUp"); // all of it, start, play position
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowRight"); // by a tenth of a second
  found.keyed = await page.evaluate(() => window.regionOf().position);
  found.said = await page.locator(`${REGION} span`).first().textContent();
  return found;
}

async function whereItStops(page) {
  await page.waitForFunction(() => !window.regionOf().player.playing, null, { timeout: PLAYING });
  return page.evaluate(() => window.regionOf().player.now);
}

async function listenToLoop(page) {
  await page.keyboard.press("l");
  await page.evaluate(() => {
    const region = window.regionOf();
    region.position = null;
    window.heard = [];
    const { changed } = region.player;
    region.player.changed = () => (window.heard.push(region.player.now), changed());
  });
  await page.keyboard.press(" ");
  const twice = () => window.heard.filter((now, n) => now < window.heard[n - 1]).length >= 2;
  await page.waitForFunction(twice, null, { timeout: PLAYING });
  const late = (end) => window.heard.some((now) => now > end - 0.1); // a busy page looks less often
  await page.waitForFunction(late, job.region[1], { timeout: PLAYING }).catch(() => {});
  await page.keyboard.press(" ");
  const heard = await page.evaluate(() => window.heard);
  const button = page.locator(`${REGION} [data-ace-step=loop]`);
  const pressed = await button.getAttribute("aria-pressed");
  await button.click();
  const least = heard.filter((now, n) => now < heard[n - 1]); // where it went on
  return { most: Math.max(...heard), again: least, pressed, after: await button.getAttribute("aria-pressed") };
}

async function zoomTake(page) {
  await page.evaluate(giveTake, job.recording);
  const place = page.locator(`${TAKES} canvas`);
  await place.hover();
  const { left, top, width, height } = await page.evaluate(area, TAKES);
  await page.mouse.wheel(0, -300);
  await page.waitForTimeout(REST);
  const view = await page.evaluate(() => window.takesOf().zoom.view);
  await page.mouse.click(left + width * 0.5, top + height / 2);
  const sought = await page.evaluate(() => window.takesOf().now);
  await page.keyboard.press("0");
  return { view, sought, whole: await page.evaluate(() => window.takesOf().zoom.view) };
}

// While the take plays, over and over: it has two seconds, and begins half a second before its original.
async function hearOriginal(page) {
  await page.locator(`${TAKES} button`).first().click();
  await playing(page, TAKES);
  await page.evaluate(() => (window.takesOf().player.again = 0));
  const hear = async (original) => {
    await page.waitForFunction(together, original, { timeout: PLAYING });
    return page.evaluate(heard);
  };
  const found = { take: await hear(false) };
  await page.locator(`${TAKES} canvas`).focus();
  await page.keyboard.press("o");
  found.original = await hear(true);
  await picture(page, "original");
  await page.locator(`${TAKES} [data-ace-step=original]`).click();
  found.again = await hear(false);
  await page.locator(`${TAKES} button`).first().click(); // stop
  found.stopped = await page.evaluate(() => window.takesOf().companion.sound.paused);
  await page.evaluate(() => (window.takesOf().take.source = { file: "gone.wav", start: 0 }));
  await page.locator(`${TAKES} canvas`).focus();
  await page.keyboard.press(" ");
  await page.keyboard.press("o");
  await page.waitForFunction(() => window.takesOf().companion.sound.error, null, { timeout: PLAYING });
  await page.waitForTimeout(SETTLE);
  found.gone = await page.evaluate(() => document.querySelector(".acestep15-takes span").textContent);
  await page.evaluate(() => window.takesOf().player.stop());
  return found;
}

// Two seconds of ten minutes: their end is dragged, then all of it, then looked at.
async function holdShortRegion(page) {
  await page.evaluate(makeLong);
  await picture(page, "long");
  const found = { before: await page.evaluate(range) };
  await dragPart(page, "end", 30);
  found.end = await page.evaluate(range);
  await page.evaluate(makeLong);
  await dragPart(page, "whole", 30);
  found.whole = await page.evaluate(range);
  await page.locator(`${REGION} [data-ace-step=zoomToRegion]`).click();
  found.view = (await page.evaluate(shown)).view;
  await picture(page, "region");
  return found;
}

async function dragPart(page, part, pixels) {
  const { left, top, height, scale } = await page.evaluate(area, REGION);
  const [from, to] = (await page.evaluate(grips))[part];
  const [x, y] = [left + ((from + to) / 2) * scale, top + height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + pixels / 2, y);
  await page.mouse.move(x + pixels, y);
  await page.mouse.up();
}

async function picture(page, name) {
  if (!job.pictures) return;
  await page.waitForTimeout(SETTLE);
  await page.screenshot({ path: `${job.pictures}/instrument.${name}.${job.renderer}.png` });
}

// What follows runs in the page.
function area(kind) {
  window.widgetOf = (key) => window.app.graph.nodes.flatMap(({ widgets }) => widgets ?? []).find((each) => each[key]);
  window.regionOf = () => window.widgetOf("region").region;
  window.takesOf = () => window.widgetOf("takes").takes;
  const canvas = document.querySelector(`${kind} canvas`);
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return { left, top, width, height, scale: width / canvas.clientWidth, view: window.regionOf().view };
}

function shown() {
  const { scale, offset } = window.app.canvas.ds;
  return { view: window.regionOf().view, page: [scale, ...offset] };
}

function range() {
  const node = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Repaint");
  const value = (wanted) => node.widgets.find(({ name }) => name === wanted).value;
  return { start: value("start"), end: value("end") };
}

async function grips() {
  const { gripsOf } = await import("/extensions/acestep15/waveform/grips.js");
  const region = window.regionOf();
  return gripsOf(region.range, region.view, region.panel.canvas.clientWidth);
}

async function giveTake(filename) {
  const node = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15SaveAudio");
  const peaks = Array.from({ length: 1000 }, (_, n) => 60 + (n % 180));
  const source = { file: filename, start: -0.5 };
  const take = { filename, subfolder: "", type: "input", seconds: 2, peaks, loudness: -20, source };
  node.onExecuted({ ace_step_waveforms: [JSON.stringify(take)] });
  while (!window.takesOf().take) await new Promise((next) => setTimeout(next, 50));
}

// Whether both play, at the same moment as far as a machine with much to do can tell.
function together(original) {
  const { player, companion } = window.takesOf();
  const { sound } = companion;
  const late = player.now - 0.5 - sound.currentTime;
  return companion.heard === original && player.playing && !sound.paused && Math.abs(late) < 0.1;
}

function heard() {
  const { player, companion } = window.takesOf();
  const button = document.querySelector(".acestep15-takes [data-ace-step=original]");
  return {
    silent: [player.sound.muted, companion.sound.muted],
    pressed: button.getAttribute("aria-pressed"),
    said: document.querySelector(".acestep15-takes span").textContent,
  };
}

// As if the recording had ten minutes, and two seconds in their middle were marked.
function makeLong() {
  const region = window.regionOf();
  const peaks = Array.from({ length: 30000 }, (_, n) => 40 + ((n * 7) % 200));
  region.wave = { ...region.wave, seconds: 600, peaks };
  region.zoom.reset();
  region.write({ start: 300, end: 302 });
}
