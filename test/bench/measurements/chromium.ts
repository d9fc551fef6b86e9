import type { Page } from 'puppeteer-core';

import type { LaneMessage } from '../../../extension/lanes/lane-messages.ts';
import type { Bench, Contestant } from '../bench.ts';
import { startChromiumContender, type ChromiumContender } from '../contestants/browser.ts';
import { serveBare, warmUp } from '../contestants/contestants.ts';
import { summarise } from '../figures.ts';

/** Of one contestant in a round: Puter lets 200 calls through in ten seconds. */
const calls = 40;
/** Of one contestant in a row: what a call leaves to be done meets its own next one, and a busier moment meets all. */
const callsInARow = 10;

/** Makes so many calls, one after the other; returns how many milliseconds each took. */
type Ask = (calls: number) => Promise<number[]>;

/**
 * The whole way through a real browser. Beside it in the same browser: a page with a socket that echoes; one that asks
 * Puter in between, which is all that cannot be spared; and puter.js in a page, without any way to it.
 */
export const chromium: Bench = {
  name: 'chromium',
  about: 'the real extension in a real Chromium, before a stand-in for Puter',
  async round(bed, note) {
    const contender = await startChromiumContender(bed);
    const [echo, asking] = [await serveBare(bed), await serveBare(bed)];
    for (const server of [echo, asking]) await warmUp(bed, 'bare', server);
    // The plainest page there is beside the lanes' own script.
    const page = await contender.chromium.openPage('LICENCES.txt');
    await openPuter(page, contender);
    await openSocket(page, echo.url, false);
    await openSocket(page, asking.url, true);
    const whole = 'Chromium, 1 caller, p50 (ms)';
    const first = 'Chromium, first token, p50 (ms)';
    const ways: [figure: string, who: Contestant, ask: Ask][] = [
      [whole, 'bare chromium', (count) => repeat(count, () => askWhole(echo.url))],
      [whole, 'bare chromium with puter.js', (count) => repeat(count, () => askWhole(asking.url))],
      [whole, 'bridge', (count) => repeat(count, () => askWhole(contender.url))],
      [first, 'puter.js', (count) => page.evaluate(askAlone, count)],
      [first, 'bridge', (count) => repeat(count, () => readFirst(contender.url))],
    ];
    const times = ways.map((): number[] => []);
    for (let call = 0; call < calls; call += callsInARow)
      for (const [at, [, , ask]] of ways.entries()) times[at]?.push(...(await ask(callsInARow)));
    for (const [at, [figure, who]] of ways.entries()) note(figure, who, summarise(times[at] ?? []).median);
  },
};

async function repeat(count: number, ask: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await ask());
  return times;
}

/** Until the whole answer is here. */
async function askWhole(url: string): Promise<number> {
  const startedAt = performance.now();
  const response = await post(`${url}/api/process`, { prompt: 'Hello' });
  const text = await response.text();
  if (!response.ok || !text.includes('Hello')) throw new Error(`${url} answered ${response.status}: ${text}`);
  return performance.now() - startedAt;
}

/** Until the first text is here. The rest is read all the same, and the next call begins after it. */
async function readFirst(url: string): Promise<number> {
  const startedAt = performance.now();
  const messages = [{ role: 'user', content: 'Hello' }];
  const { body } = await post(`${url}/v1/chat/completions`, { model: 'echo', stream: true, messages });
  let text = '';
  let firstMs: number | undefined;
  for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (/"content":"[^"]/.test(text)) firstMs ??= performance.now() - startedAt;
  }
  if (firstMs === undefined) throw new Error(`A stream ended without a text: ${text}`);
  return firstMs;
}

const post = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

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
        lane.addEventListener('message', function hear({ data }: MessageEvent<LaneMessage>) {
          if (data.type === 'error') reject(new Error(JSON.stringify(data)));
          else {
            if (text === '') onFirst?.();
            for (const part of data.parts) text += 'text' in part ? part.text : '';
          }
          if (data.type === 'parts') return;
          lane.removeEventListener('message', hear);
          resolve(text);
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
