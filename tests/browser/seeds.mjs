// Presses Run twice in the workflow that is open, with nothing changed between; the server gets neither. Finds
// [the seeds of the first Run, those of the second], each {"number of a node input": seed}

const SEEDS = ["seed", "noise_seed"]; // as in tools/workflows/node_sizes.py
const QUEUE = "**/prompt";

export async function runTwice(page) {
  const sent = [];
  await page.route(QUEUE, (route) => keep(route, sent));
  for (const count of [1, 2]) await run(page, () => sent.length === count);
  await page.unroute(QUEUE);
  return sent.map(seedsOf);
}

// Answers for the server that the run was queued.
async function keep(route, sent) {
  if (route.request().method() !== "POST") return route.continue();
  sent.push(route.request().postDataJSON().prompt);
  const json = { prompt_id: crypto.randomUUID(), number: sent.length, node_errors: {} };
  return route.fulfill({ json });
}

async function run(page, isSent) {
  await page.getByTestId("queue-button").click();
  while (!isSent()) await page.waitForTimeout(20);
  await page.waitForTimeout(100); // the page draws new seeds when it has the answer
}

function seedsOf(prompt) {
  const inputs = Object.entries(prompt).flatMap(([number, node]) =>
    SEEDS.filter((name) => name in node.inputs).map((name) => [`${number} ${name}`, node.inputs[name]]),
  );
  return Object.fromEntries(inputs);
}
