/** `npm run demo`: the whole way, from curl to a browser extension and back, with a Puter stand-in at the end. */

import { Command, Option } from 'commander';

import { parsePort } from '../../bridge/command-line/parsers.ts';
import { build } from '../../extension/build/build.ts';
import { ask, startRig, type Rig } from '../browser/rig.ts';
import type { TestedBrowser } from '../browser/tested-browser.ts';
import { createStopSignal } from '../stop-signal.ts';

interface Options {
  prompt: string;
  model?: string;
  port: number;
  browser: TestedBrowser;
  headed?: true;
  once?: true;
}

const options = new Command('npm run demo --')
  .description('Starts bridge, Puter stand-in and a browser with the extension, and answers one prompt through them.')
  .option('--prompt <text>', 'what to ask', 'Hello from the demo')
  .option('--model <name>', 'which model to ask (default: the stand-in’s own, which repeats the prompt)')
  .option('--port <number>', 'port of the bridge; 0 takes any free one', parsePort, 5001)
  .addOption(
    new Option('--browser <name>', 'which browser to use; Firefox is paired with the bridge by a code')
      .choices(['chromium', 'firefox'])
      .default('chromium'),
  )
  .option('--headed', 'show the browser')
  .option('--once', 'exit after the first answer')
  .parse()
  .opts<Options>();

const stop = createStopSignal();

let rig: Rig | undefined;
try {
  step('Building the extension');
  await build();
  rig = await startRig({
    port: options.port,
    headed: options.headed === true,
    browser: options.browser,
    temporary: true,
    onStep: step,
    signal: stop,
  });
  step('Waiting until every hop is up');
  await rig.ready();
  await showOneAnswer(rig);
  if (!options.once) await stayUp(rig);
} catch (error) {
  // After Ctrl-C, whatever broke broke because of it.
  if (!stop.aborted) {
    console.error(explain(error));
    process.exitCode = 1;
  }
} finally {
  await rig?.close();
}
// A browser that did not end, or a socket that lingers, must not keep the demo.
process.exit();

function step(text: string): void {
  console.log(`  ${text} …`);
}

async function showOneAnswer({ bridge }: Rig): Promise<void> {
  const body = { prompt: options.prompt, ...(options.model !== undefined && { model: options.model }) };
  console.log(`\n$ ${curlLine(bridge.url, body)}`);
  const start = performance.now();
  const answer = await ask(bridge.url, body, stop);
  const ms = Math.round(performance.now() - start);
  console.log(JSON.stringify(answer.body, null, 2));
  if (answer.status !== 200) throw new Error(`The answer was an error (HTTP ${answer.status}, ${ms} ms).`);
  console.log(`\nAnswered in ${ms} ms, by puter.ai.chat() in the extension, with no tab open.`);
}

async function stayUp({ bridge, puter }: Rig): Promise<void> {
  console.log(
    `\nThe bridge stays up at ${bridge.url} (its page shows the state). Try the curl line with another prompt.`,
  );
  console.log(`Models of the stand-in: ${puter.apiOrigin}/puterai/chat/models   Ctrl-C stops everything.`);
  await new Promise((resolve) => stop.addEventListener('abort', resolve));
}

/** A line that a shell takes as it is, quotes in the prompt included. */
function curlLine(url: string, body: object): string {
  const quoted = JSON.stringify(body).replaceAll("'", String.raw`'\''`);
  return `curl ${url}/api/process -H 'Content-Type: application/json' -d '${quoted}'`;
}

function explain(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return `Port ${options.port} is taken, perhaps by a bridge of your own. Stop it, or use: npm run demo -- --port 0`;
  }
  return error instanceof Error ? error.message : String(error);
}
