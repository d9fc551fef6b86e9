import type { Page } from 'puppeteer-core';

import type { Bench } from '../bench.ts';
import { startChromiumContender, type ChromiumContender } from '../contestants/browser.ts';
import { serveBare } from '../contestants/contestants.ts';
import { summarise } from '../figures.ts';

/** Calls of one figure in a round: Puter lets 200 through in ten seconds. */
const calls = 40;

/**
 * The whole way through a real browser. Beside it in the same browser: a page with a socket that echoes; one that asks
 * Puter in between, which is all that cannot be spared; and puter.js in a page, without any way to it.
 */
export const chromium: Bench = {
  name: 'chromium',
  about: 'the real extension in a real Chromium, before a stand-in for Puter',
  async start(bed) {
    const contender = await startChromiumContender(bed);
    const [echo, asking] = [await serveBare(bed), await serveBare(bed)];
    // The plainest page there is beside the lanes' own script.
    const page = await contender.chromium.openPage('LICENCES.txt');
    await openPuter(page, contender);
    await openSocket(page, echo.url, false);
    await openSocket(page, asking.url, true);
    return async (note) => {
      const figure = 'Chromium, 1 caller, p50 (ms)';
      note(figure, 'bare chromium', await p50(() => post(`${echo.url}/api/process`, { prompt: 'Hello' })));
      note(
        figure,
        'bare chromium with puter.js',
        await p50(() => post(`${asking.url}/api/process`, { prompt: 'Hello' })),
      );
      note(figure, 'bridge', await p50(() => post(`${contender.url}/api/process`, { prompt: 'Hello' })));
      const first = 'Chromium, first token, p50 (ms)';
      note(first, 'puter.js', summarise(await page.evaluate(askAlone, calls)).median);
      note(first, 'bridge', await p50(() => readFirst(contender.url)));
    };
  },
};

async function p50(ask: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const startedAt = performance.now();
    await ask();
    times.push(performance.now() - startedAt);
  }
  return summarise(times).median;
}

async function post(url: string, body: object): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok || !text.includes('Hello')) throw new Error(`${url} answered ${response.status}: ${text}`);
}

/** Until the first text is here. The rest is read all the same, so that the socket can be used again. */
async function readFirst(url: string): Promise<void> {
  const body = JSON.stringify({ model: 'echo', stream: true, messages: [{ role: 'user', content: 'Hello' }] });
  const headers = { 'Content-Type': 'application/json' };
  const { body: stream } = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
  const reader = stream!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!/"content":"[^"]/.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`A stream ended without a text: ${text}`);
    text += value;
  }
  void drain(reader);
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}

interface PuterWindow extends Window {
  /** Resolves with the whole text; `onFirst` is called with the first piece. */
  askPuter: (prompt: string, onFirst?: () => void) => Promise<string>;
}

/** Loads puter.js in a worker of the page, as a lane does. */
const openPuter = (page: Page, { puter }: ChromiumContender): Promise<void> =>
  page.evaluate(({ apiOrigin, guiOrigin, token }) => {
    const lane = new Worker('lane.js', { name: JSON.stringify({ apiOrigin, guiOrigin }) });
    (window as unknown as PuterWindow).askPuter = (prompt, onFirst) =>
      new Promise((resolve, reject) => {
        let text = '';
        lane.addEventListener('message', function hear({ data }) {
          if (data.type === 'parts') {
            if (text === '') onFirst?.();
            for (const part of data.parts) text += part.text;
            return;
          }
          lane.removeEventListener('message', hear);
          if (data.type === 'end') resolve(text);
          else reject(new Error(JSON.stringify(data)));
        });
        lane.postMessage({ chat: { model: 'echo', messages: [{ role: 'user', content: prompt }] }, token });
      });
  }, puter);

/** A page as the extension of a bare hop. */
const openSocket = (page: Page, url: string, asks: boolean): Promise<void> =>
  page.evaluate(
    async (address, asks) => {
      const socket = new WebSocket(address);
      socket.addEventListener('message', ({ data }) => {
        const { id, body } = JSON.parse(data) as { id: number; body: { prompt: string } };
        const { askPuter } = window as unknown as PuterWindow;
        const said = asks ? askPuter(body.prompt) : Promise.resolve(body.prompt);
        void said.then((text) => socket.send(JSON.stringify({ id, type: 'end', text })));
      });
      await new Promise((resolve) => socket.addEventListener('open', resolve));
    },
    url.replace('http', 'ws'),
    asks,
  );

/** In the page: milliseconds from each call to its first text. */
async function askAlone(calls: number): Promise<number[]> {
  const times: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const startedAt = performance.now();
    let first = 0;
    await (window as unknown as PuterWindow).askPuter('Hello', () => (first = performance.now() - startedAt));
    times.push(first);
  }
  return times;
}
