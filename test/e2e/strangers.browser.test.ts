import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

import { closeCodes, protocolVersion } from '#shared/protocol.ts';
import { versionMismatch } from '#shared/subprotocol.ts';

import { setOptions, waitForText } from '../browser/person.ts';
import { startRig, until, type Rig } from '../browser/rig.ts';

let rig: Rig;
/** Two programs with a page each, of which the bridge knows the first. Of another site than the bridge, too. */
const pages = [1, 2].map(() => createServer((_request, response) => void response.end()));
let allowed = '';
let other = '';
beforeAll(async () => {
  const serve = async (page: Server): Promise<string> => {
    await once(page.listen(0, '127.0.0.1'), 'listening');
    return `http://localhost:${(page.address() as AddressInfo).port}`;
  };
  [allowed = '', other = ''] = await Promise.all(pages.map(serve));
  rig = await startRig({ allowedOrigins: [allowed] });
});
afterAll(async () => {
  for (const page of pages) {
    page.close();
    page.closeAllConnections();
  }
  await rig?.close();
});

/** Sends the extension to `server` instead of the bridge, and reads what its popup then says. */
async function sentenceAbout(server: Server, pattern: RegExp): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await setOptions(rig.browser, { bridgeAddress: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const popup = await rig.browser.openPage('popup.html');
  const sentence = await waitForText(popup, '#sentence', pattern);
  expect(await popup.$eval('#light', (light) => light.getAttribute('data-color'))).toBe('red');
  await popup.close();
  return sentence;
}

it('says that another program has the port, and tells that program nothing', async () => {
  const heard: string[] = [];
  const stranger = createServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    response.end('{"status":"ok"}');
  });
  expect(await sentenceAbout(stranger, /Another program/)).toContain('give bridge and extension another port');
  expect(new Set(heard)).toEqual(new Set(['GET /health ']));
});

it('says which side to update where the bridge speaks a newer version', async () => {
  const newer = createServer((_request, response) => {
    response.setHeader('Access-Control-Allow-Origin', rig.browser.origin).end('{"status":"ok"}');
  });
  const sockets = new WebSocketServer({ server: newer });
  const sentence = `Update the extension: it speaks v${protocolVersion}, the bridge v${protocolVersion + 1}.`;
  sockets.on('connection', (socket) => socket.close(closeCodes.wrongVersion, sentence));
  expect(await sentenceAbout(newer, /Update/)).toBe(sentence);
  // The other way round, the bridge says it in the same words.
  expect(versionMismatch([`puter-bridge.v${protocolVersion + 1}`])).toMatch(/^Update the bridge: /);
});

it('finds its own bridge again once the port is right', async () => {
  await setOptions(rig.browser, { bridgeAddress: rig.bridge.url });
  await until(() => rig.bridge.status.read().extensions.length === 1);
});

/** What browsers say of an answer that they keep from a page, or of none. */
const keptFrom = /Failed to fetch|NetworkError/;

describe('a web page', () => {
  /** What becomes of one `fetch` in a page of `origin`: its answer, or the error that the page gets to see. */
  async function fetchFrom(origin: string, path: string, init: RequestInit = {}) {
    const page = await rig.browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(origin);
    const asked = page.evaluate(
      async (url, options) => {
        const response = await fetch(url, options);
        const pieces: string[] = [];
        const body = response.body?.pipeThrough(new TextDecoderStream());
        if (body) for await (const piece of body) pieces.push(piece);
        return { status: response.status, headers: Object.fromEntries(response.headers), text: pieces.join('') };
      },
      rig.bridge.url + path,
      init,
    );
    return asked.catch((error: unknown) => String(error));
  }

  const chat = (stream: boolean): RequestInit => ({
    method: 'POST',
    headers: {
      Authorization: 'Bearer any',
      'Content-Type': 'application/json',
      'X-Stainless-Lang': 'js',
      'X-Stainless-Retry-Count': '0',
      'OpenAI-Organization': 'org',
    },
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'Hello' }], stream }),
  });

  it('of an allowed origin calls as OpenAI’s client does, and reads answer and request id', async () => {
    await rig.ready();
    const answer = await fetchFrom(allowed, '/v1/chat/completions', chat(false));
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'x-request-id': expect.stringMatching(/^chatcmpl-/) as string },
      text: expect.stringContaining('You said: Hello') as string,
    });
  });

  it('of an allowed origin reads a stream', async () => {
    const answer = await fetchFrom(allowed, '/v1/chat/completions', chat(true));
    expect(answer).toMatchObject({ status: 200, text: expect.stringMatching(/^data: [\s\S]*\[DONE\]/) as string });
  });

  it.each([
    ['/v1/embeddings', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }, 404],
    ['/v1/files/x', { method: 'DELETE' }, 404],
    ['/v1/chat/completions', { method: 'POST', body: '{}' }, 415],
  ])('of an allowed origin reads what is wrong with %s %j', async (path, init, status) => {
    expect(await fetchFrom(allowed, path, init)).toMatchObject({
      status,
      headers: { 'x-request-id': expect.stringMatching(/^req_/) as string, 'x-should-retry': 'false' },
    });
  });

  it.each(['/', '/page.js', '/auth/failed', '/api/result', '/nothing'])(
    'of an allowed origin reads nothing at %s',
    async (path) => {
      expect(await fetchFrom(allowed, path)).toMatch(keptFrom);
    },
  );

  it('of another origin calls nothing and reads nothing', async () => {
    const before = rig.puter.calls.length;
    for (const path of ['/v1/chat/completions', '/api/process'])
      expect(await fetchFrom(other, path, chat(false))).toMatch(keptFrom);
    for (const path of ['/health', '/v1/models', '/api/status', '/'])
      expect(await fetchFrom(other, path)).toMatch(keptFrom);
    expect(rig.puter.calls.length).toBe(before);
  });

  it('runs nothing by what browsers send without asking, whatever its origin', async () => {
    const before = rig.puter.calls.length;
    const blind: RequestInit = { method: 'POST', mode: 'no-cors', body: '{"prompt":"x"}' };
    for (const origin of [allowed, other]) {
      for (const path of ['/api/process', '/v1/chat/completions'])
        // What comes of it is opaque where it is not an error at once.
        expect(await fetchFrom(origin, path, blind)).toMatch(keptFrom);
      const page = await rig.browser.newPage();
      await page.goto(origin);
      const [response] = await Promise.all([
        page.waitForNavigation(),
        page.evaluate((action) => {
          const form = Object.assign(document.createElement('form'), { method: 'post', enctype: 'text/plain', action });
          // Sent as {"prompt":"x","y":"="}, which would be a good body.
          const field = Object.assign(document.createElement('input'), { name: '{"prompt":"x","y":"', value: '"}' });
          form.append(field);
          document.body.append(form);
          form.submit();
        }, `${rig.bridge.url}/api/process`),
      ]);
      expect(response?.status()).toBe(origin === allowed ? 415 : 403);
      await page.close();
    }
    expect(rig.puter.calls.length).toBe(before);
  });

  it('gets no socket, whatever its origin', async () => {
    for (const origin of [allowed, other]) {
      const page = await rig.browser.newPage();
      await page.goto(origin);
      const outcome = await page.evaluate(
        (url, protocol) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url, protocol);
            socket.addEventListener('open', () => resolve('open'));
            socket.addEventListener('error', () => resolve('error'));
          }),
        `${rig.bridge.url.replace('http', 'ws')}/ws`,
        `puter-bridge.v${protocolVersion}`,
      );
      expect(outcome).toBe('error');
      await page.close();
    }
    expect(rig.bridge.status.read().extensions.length).toBe(1);
  });
});
