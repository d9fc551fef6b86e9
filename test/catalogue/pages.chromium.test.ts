import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { closeCodes, subprotocol } from '#shared/protocol.ts';

import type { Bridge } from '../../bridge/bridge.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { startChromium, type Chromium } from '../browser/chromium.ts';
import { ask, until } from '../browser/rig.ts';
import { startFakeExtension, type FakeExtension } from '../contract/fake-extension.ts';
import { attemptIn, startHostileSite, type HostileSite } from './hostile-site.ts';

/** What a real browser lets a page, or another extension, do to a bridge. Every name below .test is this machine. */

let bridge: Bridge;
let extension: FakeExtension;
let site: HostileSite;
let chromium: Chromium;
const unexpected: unknown[] = [];

beforeAll(async () => {
  bridge = await startTemporaryBridge({}, (error) => unexpected.push(error));
  extension = await startFakeExtension({ bridgeUrl: bridge.url });
  site = await startHostileSite(Number(new URL(bridge.url).port));
  const flags = ['--host-resolver-rules=MAP *.test 127.0.0.1'];
  chromium = await startChromium({ extensionPath: site.extensionPath, flags });
});
afterAll(async () => {
  await chromium?.close();
  await site?.close();
  extension?.close();
  await bridge?.close();
});

let calls = 0;
beforeEach(() => {
  calls = extension.calls.length;
});
afterEach(checkBridge);

async function checkBridge(): Promise<void> {
  expect(unexpected).toEqual([]);
  expect((await fetch(`${bridge.url}/health`)).status).toBe(200);
  expect(bridge.status.read().extensions.map(({ browser }) => browser)).toEqual(['Fake 1']);
}
const expectNoCall = () => expect(extension.calls.length).toBe(calls);

async function openPage(url?: string): Promise<Page> {
  const page = await chromium.browser.newPage();
  onTestFinished(() => page.close());
  if (url !== undefined) await page.goto(url);
  return page;
}

it('A19 a page whose name was made to point here is same-origin for the browser, and refused for its name', async () => {
  const page = await openPage();
  const { port } = new URL(bridge.url);
  // The attacker's own page would have a policy that allows what he does.
  await page.setBypassCSP(true);
  await page.goto(`http://rebind.test:${port}/`);
  const outcome = await page.evaluate(
    async (url, protocol) => {
      const headers = { 'Content-Type': 'application/json' };
      const response = await fetch('/api/process', { method: 'POST', headers, body: '{"prompt":"x"}' });
      const socket = await new Promise((resolve) => {
        const it = new WebSocket(url, protocol);
        it.addEventListener('open', () => resolve('open'));
        it.addEventListener('error', () => resolve('refused'));
      });
      return { status: response.status, body: (await response.json()) as { code: string }, socket };
    },
    `ws://rebind.test:${port}/ws`,
    subprotocol,
  );
  expect(outcome).toMatchObject({ status: 403, body: { code: 'host_not_allowed' }, socket: 'refused' });
  expectNoCall();
});

const paths = [
  ...[
    '/',
    '/health',
    '/api/status',
    '/api/result/x',
    '/api/process',
    '/api/result',
    '/v1/models',
    '/v1/chat/completions',
  ],
  ...[
    '/v1/completions',
    '/style.css',
    '/page.js',
    '/icon.svg',
    '/auth/callback?state=x',
    '/auth/failed',
    '/ws',
    '/nothing',
  ],
];

/** What the bridge answers until the test is over, as it sees it: a browser does not show what it blocked. */
function watchAnswers(): { path: string; status: number }[] {
  const answers: { path: string; status: number }[] = [];
  const listen = (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.headers.host === new URL(bridge.url).host)
      answers.push({ path: request.url ?? '', status: response.statusCode });
  };
  subscribe('http.server.response.finish', listen);
  onTestFinished(() => void unsubscribe('http.server.response.finish', listen));
  return answers;
}

describe.each(['http://evil.test', 'http://127.0.0.1'])('a page of %s', (host) => {
  it.each(['img', 'script', 'iframe', 'object', 'embed', 'link', 'video'])(
    'B18 gets nothing into a <%s>',
    async (name) => {
      const page = await openPage(`${host}:${site.port}/`);
      const answers = watchAnswers();
      const loaded = await page.evaluate(
        (name, urls) =>
          Promise.all(
            urls.map((url) => {
              const element = document.createElement(name);
              if (name === 'link') element.setAttribute('rel', 'stylesheet');
              element.setAttribute({ object: 'data', link: 'href' }[name] ?? 'src', url);
              const settled = new Promise<string>((resolve) => {
                for (const type of ['load', 'error', 'loadeddata']) element.addEventListener(type, () => resolve(type));
                // An embed that is refused says nothing.
                setTimeout(() => resolve('nothing'), 2000);
              });
              document.body.append(element);
              return settled;
            }),
          ),
        name,
        paths.map((path) => bridge.url + path),
      );
      // A frame loads, with the browser's own page of an error in it: of another site, it is out of sight altogether.
      expect(loaded.filter((type) => type === 'load' && !['iframe', 'object', 'embed'].includes(name))).toEqual([]);
      expect(page.frames().filter((frame) => frame.url().startsWith(bridge.url))).toEqual([]);
      expect(new Set(answers.map(({ path }) => path))).toEqual(new Set(paths));
      expect(answers.filter(({ status }) => status !== 403)).toEqual([]);
      expectNoCall();
    },
  );

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'B18 calls nothing by a form of %s',
    async (enctype) => {
      for (const path of ['/api/process', '/v1/chat/completions', '/api/result', '/']) {
        const page = await openPage(`${host}:${site.port}/`);
        const [response] = await Promise.all([
          page.waitForNavigation(),
          page.evaluate(
            (action, enctype) => {
              const form = Object.assign(document.createElement('form'), { method: 'post', enctype, action });
              // Sent as {"prompt":"x","y":"="}, which would be a good body.
              form.append(Object.assign(document.createElement('input'), { name: '{"prompt":"x","y":"', value: '"}' }));
              document.body.append(form);
              form.submit();
            },
            bridge.url + path,
            enctype,
          ),
        ]);
        expect(response?.status()).toBe(403);
      }
      expectNoCall();
    },
  );

  it('B18 calls nothing by a beacon', async () => {
    const page = await openPage(`${host}:${site.port}/`);
    const answers = watchAnswers();
    await page.evaluate(
      (urls) => {
        for (const url of urls)
          for (const type of [undefined, 'text/plain', 'application/json'])
            navigator.sendBeacon(url, type === undefined ? '{"prompt":"x"}' : new Blob(['{"prompt":"x"}'], { type }));
      },
      paths.map((path) => bridge.url + path),
    );
    // JSON is asked for beforehand.
    await until(() => answers.length >= 3 * paths.length);
    expect(answers.filter(({ status }) => status !== 403)).toEqual([]);
    expectNoCall();
  });

  it('B18 calls nothing by fetch, with and without CORS, and reads nothing', async () => {
    const page = await openPage(`${host}:${site.port}/`);
    const outcomes = await page.evaluate(
      async (urls) => {
        const outcomes: string[] = [];
        for (const url of urls)
          for (const mode of ['no-cors', 'cors'] as const)
            for (const init of [{}, { method: 'POST', body: '{"prompt":"x"}' }, { credentials: 'include' as const }])
              outcomes.push(
                await fetch(url, { ...init, mode }).then(
                  async (response) => `${response.type} ${response.status} ${await response.text()}`,
                  () => 'refused',
                ),
              );
        return outcomes;
      },
      paths.map((path) => bridge.url + path),
    );
    // Cross-Origin-Resource-Policy keeps even the opaque answer away.
    expect([...new Set(outcomes)]).toEqual(['refused']);
    expectNoCall();
  });

  it('E17 gets no socket, nor does its worker or a sandboxed frame in it', async () => {
    const { port } = new URL(bridge.url);
    const page = await openPage(`${host}:${site.port}/`);
    expect(await page.evaluate(attemptIn(Number(port)))).toBe('refused refused');
    const inWorker = await page.evaluate(
      () =>
        new Promise((resolve) => {
          new Worker('/worker.js').addEventListener('message', ({ data }) => resolve(data));
        }),
    );
    expect(inWorker).toBe('refused refused');
    const inFrame = await page.evaluate(
      (script) =>
        new Promise((resolve) => {
          const frame = document.createElement('iframe');
          frame.setAttribute('sandbox', 'allow-scripts');
          frame.srcdoc = `<script>${script}.then((outcome) => parent.postMessage(outcome, '*'))</script>`;
          addEventListener('message', ({ data }) => resolve(data));
          document.body.append(frame);
        }),
      attemptIn(Number(port)),
    );
    expect(inFrame).toBe('refused refused');
    expectNoCall();
  });
});

it('E17 the service worker of another extension gets no request, and no call with all its permissions', async () => {
  await until(() => site.reports.has('service-worker'));
  // Another extension may be paired, and is nobody until then.
  expect(site.reports.get('service-worker')).toBe(`closed with ${closeCodes.notPaired} 403`);
  expectNoCall();
});

it('E18 the script of an extension in a page has the Origin of the page, and gets no socket', async () => {
  await openPage(`http://content.test:${site.port}/`);
  await until(() => site.reports.has('content-script'));
  expect(site.reports.get('content-script')).toBe('refused refused');
  expectNoCall();
});

describe('the bridge’s own page', () => {
  const markup =
    '<img src=x onerror=alert(1)></script><script>alert(2)</script>"><a href="javascript:alert(3)">x</a>\u001b[2J';

  /** The page, with what it did that a page of ours never does. */
  async function watchedPage(): Promise<{ page: Page; accidents: string[] }> {
    const page = await openPage();
    const accidents: string[] = [];
    page.on('dialog', (dialog) => {
      accidents.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('pageerror', (error) => accidents.push(String(error)));
    await page.exposeFunction('onViolation', (what: string) => accidents.push(what));
    await page.evaluateOnNewDocument(() => {
      const tell = (globalThis as unknown as { onViolation(what: string): void }).onViolation;
      addEventListener('securitypolicyviolation', ({ violatedDirective }) => tell(violatedDirective));
    });
    await page.goto(bridge.url);
    return { page, accidents };
  }
  const textOf = (page: Page) => page.$eval('#live', (live) => (live as HTMLElement).innerText);

  it('I5 shows no prompt and runs nothing of it', async () => {
    const { page, accidents } = await watchedPage();
    const answer = await ask(bridge.url, { prompt: markup, system: markup, model: 'echo' });
    expect(answer.status).toBe(200);
    await ask(bridge.url, { prompt: markup, model: markup.slice(0, 200) });
    await page.reload();
    expect(await page.content()).not.toContain('onerror');
    expect(accidents).toEqual([]);
  });

  it('I5 has a policy that would let nothing of it run', async () => {
    const policy = (await fetch(bridge.url)).headers.get('content-security-policy')?.split('; ');
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self'",
    ])
      expect(policy).toContain(part);
    for (const part of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
      expect(policy).toContain(part);
    expect(policy).toHaveLength(8);
    expect(await (await fetch(bridge.url)).text()).not.toMatch(/<script(?![^>]* src=)|\son\w+=|javascript:/i);
  });

  it('I6 shows as text what an extension calls itself, when it comes and when the page is opened anew', async () => {
    const { page, accidents } = await watchedPage();
    const evil = await startFakeExtension({
      bridgeUrl: bridge.url,
      browser: markup.slice(0, 100),
      username: markup,
    });
    const shows = async () => (await textOf(page)).includes('<img src=x onerror=alert(1)></script>');
    await until(shows);
    expect(await page.$$eval('#live img, #live a, #live script', ({ length }) => length)).toBe(0);
    await page.reload();
    expect(await shows()).toBe(true);
    evil.close();
    await until(() => bridge.status.read().extensions.length === 1);
    expect(accidents).toEqual([]);
  });
});
