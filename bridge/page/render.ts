import type { BridgeStatus } from '#shared/status.ts';

import { html, type Html } from './html.ts';

type Light = 'green' | 'yellow' | 'red';

interface Hop {
  name: string;
  light: Light;
  /** Said in words too: colour alone tells some people nothing. */
  word: string;
  sentence: string;
}

/** The bridge's own page: the three hops as they are now, and how to call it. */
export function renderPage(status: BridgeStatus, url: string): string {
  const hops = [bridgeHop(status), extensionHop(status), puterHop(status)];
  const call = `curl ${url}/api/process \\\n  -H 'Content-Type: application/json' \\\n  -d '{"prompt": "Say hello"}'`;
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Puter Bridge</title>
    <link rel="icon" href="/icon.svg">
    <link rel="stylesheet" href="/page.css">
    <script type="module" src="/page.js"></script>
  </head>
  <body>
    <main>
      <h1>Puter Bridge</h1>
      <p class="lead">Puter’s AI models over HTTP, answered by the browser extension on this machine.</p>
      <section id="live" aria-live="polite">${overall(hops)}${hops.map(renderHop)}${renderQueue(status)}</section>
      <h2>Call it</h2>
      <pre tabindex="0"><code>${call}</code></pre>
      <p>The answer is JSON: <code>{"status":"success","result":"…"}</code>. Add <code>"model"</code> to choose one,
        <code>"wait": false</code> to fetch the answer later from <code>/api/result/&lt;request_id&gt;</code>.
        The same state as above is at <a href="/api/status"><code>/api/status</code></a>.</p>
    </main>
  </body>
</html>
`.toString();
}

function overall(hops: Hop[]): Html {
  const broken = hops.find((hop) => hop.light === 'red');
  return broken
    ? html`<p class="overall red"><strong>Not ready.</strong> ${broken.sentence}</p>`
    : html`<p class="overall green"><strong>Ready.</strong> Requests are answered.</p>`;
}

const renderHop = (hop: Hop): Html =>
  html`<div class="hop">
    <span class="dot ${hop.light}" aria-hidden="true"></span>
    <div><h3>${hop.name} <span class="word">${hop.word}</span></h3><p>${hop.sentence}</p></div>
  </div>`;

const renderQueue = ({ queue }: BridgeStatus): Html =>
  html`<p class="queue">${queue.running} running, ${queue.queued} waiting</p>`;

function bridgeHop({ bridge }: BridgeStatus): Hop {
  const since = new Date(Date.now() - bridge.uptime_ms).toISOString().slice(0, 16).replace('T', ' ');
  return {
    name: 'Bridge',
    light: 'green',
    word: 'running',
    sentence: `Version ${bridge.version}, up since ${since} UTC.`,
  };
}

function extensionHop({ extensions }: BridgeStatus): Hop {
  if (extensions.length === 0) {
    const sentence = 'No extension is connected. Start the browser that has it, or load it from dist/extension-chrome.';
    return { name: 'Extension', light: 'red', word: 'not connected', sentence };
  }
  const sentence = extensions
    .map(
      ({ browser, version, lanes }) =>
        `${browser}, version ${version}: ${lanes.busy} of ${lanes.busy + lanes.free} lanes busy.`,
    )
    .join(' ');
  return { name: 'Extension', light: 'green', word: 'connected', sentence };
}

function puterHop({ extensions, puter }: BridgeStatus): Hop {
  const name = 'Puter';
  if (extensions.length === 0)
    return { name, light: 'yellow', word: 'unknown', sentence: 'The extension tells, once it is connected.' };
  if (!puter.signed_in) {
    const sentence = 'Not signed in. Click the Puter Bridge icon in the browser and choose “Sign in to Puter”.';
    return { name, light: 'red', word: 'signed out', sentence };
  }
  const who = puter.username === null ? 'Signed in.' : `Signed in as ${puter.username}.`;
  if (puter.reachable === false)
    return { name, light: 'red', word: 'unreachable', sentence: `${who} Puter cannot be reached from the browser.` };
  return { name, light: 'green', word: 'signed in', sentence: who };
}
