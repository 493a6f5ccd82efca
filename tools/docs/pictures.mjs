// Takes pictures of nodes in ComfyUI's page: `node pictures.mjs job.json`.
//
// job: {url, chromium, modules, renderer: "canvas", folder, workflows: {name: page},
//       shots: [{kind, workflow, open: [kinds], heard: recording or null}]}
// Each shot is a node of the workflow, selected, with its wires and its direct neighbours: those in
// `open` as they are, the others folded and drawn close. `heard`: what it shows is of this recording.
// The answer, one JSON on stdout: {kind: {sources, targets, missing, problems}}; the pictures are
// PNG files in `folder`.

import { job, pressRun, tell } from "../browser/page.mjs";

const VIEW = { width: 1600, height: 1400 }; // pixels
const CORNER = { x: 120, y: 140 }; // pixels: the page's own bars are left of it and above
const FRAME = { largest: 1.5, widest: 1_200, margin: 12, corner: CORNER }; // pixels a unit; pixels; units around the nodes
const [DRAWN, SHOWN] = [500, 1_500]; // ms: until a frame is drawn, and the result of a run
const READING = 30_000; // ms: until a recording has been read
const QUIET = {
  "Comfy.Canvas.SelectionToolbox": false,
  "Comfy.Graph.CanvasInfo": false,
  "Comfy.Graph.LinkMarkers": 0,
  "Comfy.NodeBadge.NodeIdBadgeMode": "None",
  "Comfy.NodeBadge.NodeLifeCycleBadgeMode": "None",
  "Comfy.NodeBadge.NodeSourceBadgeMode": "None",
};

await tell(visit);

async function visit(page) {
  await page.setViewportSize(VIEW);
  await page.evaluate(async (settings) => {
    for (const [name, value] of Object.entries(settings))
      await window.app.extensionManager.setting.set(name, value);
  }, QUIET);
  const found = {};
  for (const shot of job.shots) {
    page.problems.length = 0;
    found[shot.kind] = { ...(await picture(page, shot)), problems: [...page.problems] };
  }
  return found;
}

async function picture(page, { kind, workflow, open, heard }) {
  await page.evaluate((graph) => window.app.loadGraphData(graph), job.workflows[workflow]);
  const told = await page.evaluate(keepNeighbours, { kind, open });
  if (heard) await hear(page, heard);
  const { width, height } = await page.evaluate(arrange, FRAME);
  await page.waitForFunction(waveIsRead, null, { timeout: READING });
  await page.waitForTimeout(DRAWN);
  const clip = { ...CORNER, width, height };
  if (CORNER.x + width > VIEW.width || CORNER.y + height > VIEW.height)
    throw new Error(`${kind} needs a picture of ${width} x ${height}: make VIEW larger`);
  await page.screenshot({ path: `${job.folder}/${kind}.png`, clip });
  return told;
}

// Runs the node on a recording, then puts the wire back: the miniature's music is only noise.
async function hear(page, recording) {
  await page.evaluate((recording) => {
    const { node } = window.shown;
    const input = node.findInputSlot("audio");
    const link = window.app.graph.links.get(node.inputs[input].link);
    const player = window.LiteGraph.createNode("LoadAudio");
    window.app.graph.add(player);
    player.widgets.find(({ name }) => name === "audio").value = recording;
    player.connect(0, node, input);
    window.putBack = () => {
      window.app.graph.getNodeById(link.origin_id).connect(link.origin_slot, node, input);
      window.app.graph.remove(player);
    };
  }, recording);
  await pressRun(page);
  await page.waitForTimeout(SHOWN);
  await page.evaluate(() => window.putBack());
}

// What follows runs in the page.

function waveIsRead() {
  const regions = [...document.querySelectorAll(".acestep15-region")];
  const drawn = regions.filter((each) => each.getClientRects().length > 0); // not a folded node's
  return drawn.every((each) => /\d:\d\d/.test(each.textContent));
}

// Leaves of the open workflow the node of `kind` that has the most wires, these, and their ends.
function keepNeighbours({ kind, open }) {
  const { app, LiteGraph } = window;
  const { graph } = app;
  const wires = ({ id }) =>
    [...graph.links.values()].filter((link) => link.origin_id === id || link.target_id === id);
  const all = graph.nodes.filter(({ type }) => type === kind);
  const node = all.reduce((best, each) => (wires(each).length > wires(best).length ? each : best));
  const kept = new Set(wires(node).map(({ id }) => id));
  const ends = (mine, other) => {
    const links = wires(node).filter((link) => link[`${mine}_id`] === node.id);
    links.sort((one, two) => one[`${mine}_slot`] - two[`${mine}_slot`]); // so that no wires cross
    return [...new Set(links.map((link) => graph.getNodeById(link[`${other}_id`])))];
  };
  const [sources, targets] = [ends("target", "origin"), ends("origin", "target")];
  for (const id of [...graph.reroutes.keys()]) graph.removeReroute(id);
  for (const id of [...graph.links.keys()]) if (!kept.has(id)) graph.removeLink(id);
  for (const group of [...graph.groups]) graph.remove(group);
  for (const each of [...graph.nodes])
    if (![node, ...sources, ...targets].includes(each)) graph.remove(each);
  for (const each of [...sources, ...targets]) {
    each.title = each.title.replace("ACE-Step ", ""); // as the help pages call them
    if (!open.includes(each.type)) each.collapse(true);
  }
  window.shown = { node, sources, targets };
  const titles = (nodes) => nodes.map(({ title }) => title);
  const missing = graph.nodes.filter(({ type }) => !LiteGraph.registered_node_types[type]);
  return { sources: titles(sources), targets: titles(targets), missing: titles(missing) };
}

// Sources in a column left of the node, targets right of it; gives the size of the picture.
function arrange({ largest, widest, margin, corner }) {
  const { canvas, graph } = window.app;
  const { node, sources, targets } = window.shown;
  const [gap, between, written] = [36, 12, 40]; // units; the last more a text
  const width = sources.length ? 270 : 310;
  for (const each of targets) if (!each.flags.collapsed) each.setSize([width, width * 0.85]);
  const texts = node.widgets?.filter(({ type }) => type === "customtext").length ?? 0;
  node.setSize([width, node.computeSize()[1] + written * texts]);
  canvas.deselectAll();
  canvas.selectNode(node); // its title bright, a frame around it
  canvas.highlighted_links = {}; // but every wire in the colour of what it carries
  canvas.background_image = "";
  canvas.draw(true, true); // folded nodes are measured as they are drawn
  const stack = (nodes, left) => {
    let top = node.pos[1];
    for (const each of nodes) {
      each.pos = [left(each.boundingRect[2]), top];
      top += each.boundingRect[3] + between;
    }
  };
  stack(sources, (wide) => node.pos[0] - gap - wide);
  stack(targets, () => node.pos[0] + width + gap);
  canvas.draw(true, true);
  const boxes = graph.nodes.map(({ boundingRect: [x, y, w, h] }) => [x, y, x + w, y + h]);
  const least = (side) => Math.min(...boxes.map((box) => box[side])) - margin;
  const most = (side) => Math.max(...boxes.map((box) => box[side])) + margin;
  const [wide, high] = [most(2) - least(0), most(3) - least(1)];
  const scale = Math.min(largest, widest / wide);
  canvas.ds.scale = scale;
  canvas.ds.offset = [corner.x / scale - least(0), corner.y / scale - least(1)];
  canvas.setDirty(true, true);
  return { width: Math.round(wide * scale), height: Math.round(high * scale) };
}
