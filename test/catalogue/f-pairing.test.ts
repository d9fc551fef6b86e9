import { once } from 'node:events';
import { watch } from 'node:fs';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';
import { proveBridge } from '#shared/pairing/proof.ts';
import { closeCodes, encodeFrame, readRetryAfter, type Frame, type FrameToExtension } from '#shared/protocol.ts';

import type { Bridge } from '../../bridge/bridge.ts';
import { hello, ids, open } from '../bridge/connection/connections-rig.ts';
import {
  askForCode,
  auth,
  connect,
  firefox,
  fork,
  hexBytes,
  otherFirefox,
  pair,
  tryCode,
  who,
} from '../bridge/pairing/pairing-rig.ts';
import { sendRaw } from '../bridge/raw-socket.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { ask } from '../browser/rig.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../temporary-folder.ts';

/** Rows F of the catalogue, as the bridge keeps to them: pairing, who is who, and who takes whose place. */

let bridge: Bridge;
let folder: TemporaryFolder;
let unexpected: unknown[];
const start = (port = 0): Promise<Bridge> =>
  startTemporaryBridge({ port, stateDir: folder.dir, requirePairing: true }, (error) => unexpected.push(error));

beforeEach(async () => {
  unexpected = [];
  folder = await createTemporaryFolder('pairing');
  bridge = await start();
});
afterEach(async () => {
  vi.useRealTimers();
  // Whatever happened, the bridge is still there for everybody else.
  const { ok } = await fetch(`${bridge.url}/health`);
  await bridge.close();
  await folder.remove();
  if (!ok || unexpected.length > 0) throw new Error('The bridge did not survive this.', { cause: unexpected });
});

const connected = () => bridge.status.read().extensions.map(({ browser }) => browser);
const stranger = (origin = firefox) => open(bridge.url, { origin });
const file = () => path.join(folder.dir, 'pairings.json');

describe('before it is paired', () => {
  it.each([extensionOrigin, firefox, fork])('F1 a silent socket of %s is closed after five seconds', async (origin) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const client = await stranger(origin);
    expect(await client.challenge).toEqual({
      type: 'challenge',
      nonce: expect.stringMatching(/^[\da-f]{64}$/) as string,
      mustPair: true,
    });
    vi.advanceTimersByTime(5000);
    expect(await client.closed).toMatchObject({ code: closeCodes.handshakeTimeout });
  });

  it('F1 one that proved who it is, and says no hello, as well', async () => {
    const secret = await pair(bridge);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const client = await stranger();
    client.send(auth(who(bridge), (await client.challenge).nonce, secret).frame);
    expect(await client.next()).toMatchObject({ type: 'proof' });
    vi.advanceTimersByTime(5000);
    expect(await client.closed).toMatchObject({ code: closeCodes.handshakeTimeout });
  });

  it.each<[string, string]>([
    ['a hello', encodeFrame(hello())],
    ['a start', encodeFrame({ type: 'started', requestId: ids.instance })],
    ['an answer', encodeFrame({ type: 'chunk', requestId: ids.instance, seq: 0, parts: [] })],
    ['a pong', encodeFrame({ type: 'pong' })],
    ['a proof that is no proof', JSON.stringify({ type: 'auth', mac: 'x' })],
    ['a frame of the bridge', encodeFrame({ type: 'ping' })],
    ['nonsense', 'hello'],
  ])('F3 %s closes the socket', async (_, text) => {
    for (const origin of [extensionOrigin, firefox]) {
      const client = await stranger(origin);
      client.socket.send(text);
      expect(await client.closed).toMatchObject({ code: closeCodes.notPaired });
      expect(client.left()).toEqual([]);
    }
    expect(connected()).toEqual([]);
  });

  it.each(['https://evil.com', 'null', null])('F3 the origin %s never gets a socket', async (origin) => {
    await expect(open(bridge.url, { origin })).rejects.toThrow('Unexpected server response: 403');
  });

  it('F3 a call goes nowhere, and its caller is told what is missing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const client = await stranger();
    const refused = async () => {
      const answer = ask(bridge.url, { prompt: 'x' });
      await expect.poll(() => bridge.status.read().queue.queued, { interval: 0 }).toBe(1);
      vi.advanceTimersByTime(3000);
      const { status, body } = await answer;
      return `${status} ${String(body['code'])} ${String(body['error'])}`;
    };
    expect(await refused()).toMatch(/^503 extension_not_connected No extension is connected/);
    await askForCode(bridge);
    expect(await refused()).toMatch(/^503 extension_not_connected The extension is not paired with the bridge yet/);
    expect(client.left()).toEqual([]);
    client.socket.terminate();
  });
});

describe('a proof', () => {
  it('F4 of the bridge, sent back as that of the extension, closes the socket', async () => {
    const secret = await pair(bridge);
    const it = who(bridge);
    for (const mirrorOwnNonce of [true, false]) {
      const client = await stranger();
      const { nonce } = await client.challenge;
      const mine = mirrorOwnNonce ? nonce : hexBytes();
      const mac = proveBridge({ secret, host: it.host, nonces: { bridge: nonce, extension: mine } });
      client.send({ ...auth(it, nonce, secret, mine).frame, mac });
      expect(await client.closed).toMatchObject({ code: closeCodes.notPaired });
    }
  });

  it('F5 of an earlier connection closes the socket', async () => {
    const secret = await pair(bridge);
    const it = who(bridge);
    const first = await stranger();
    const { frame, answer } = auth(it, (await first.challenge).nonce, secret);
    first.send(frame);
    expect(await first.next()).toEqual(answer);
    const second = await stranger();
    second.send(frame);
    expect(await second.closed).toMatchObject({ code: closeCodes.notPaired });
    first.socket.terminate();
  });

  it('F5 is good for a new connection, also after the bridge was started anew, with no code', async () => {
    const secret = await pair(bridge);
    await connect(bridge, secret);
    expect(connected()).toEqual(['Firefox 153']);
    const { port } = new URL(bridge.url);
    await bridge.close();
    bridge = await start(Number(port));
    await connect(bridge, secret);
    expect(connected()).toEqual(['Firefox 153']);
    expect(bridge.pairing()).toBeNull();
  });
});

describe('one that takes another’s place', () => {
  it('F9 of the same profile is the active one from then on', async () => {
    const secret = await pair(bridge);
    const older = await connect(bridge, secret);
    const newer = await connect(bridge, secret);
    expect(await older.closed).toMatchObject({ code: closeCodes.replaced });
    expect(connected()).toEqual(['Firefox 153']);
    void ask(bridge.url, { prompt: 'x' }).catch(() => {});
    expect(await newer.next()).toMatchObject({ type: 'request' });
    newer.socket.terminate();
  });

  it('F10 there is none of another profile: both are kept, and share the calls', async () => {
    const other = { profile: ids.otherProfile, instance: ids.otherInstance, browser: 'Fork 1', origin: fork };
    const [mine, theirs] = [await pair(bridge), await pair(bridge, other)];
    const clients = [await connect(bridge, mine), await connect(bridge, theirs, other)];
    expect(connected()).toEqual(['Firefox 153', 'Fork 1']);
    for (let n = 0; n < 2; n += 1) void ask(bridge.url, { prompt: 'x' }).catch(() => {});
    for (const client of clients) expect(await client.next()).toMatchObject({ type: 'request' });
    for (const client of clients) client.socket.terminate();
  });

  it('F11 three times a minute has to stay away, and is told for how long', async () => {
    const secret = await pair(bridge);
    const instances = [ids.instance, ids.otherInstance];
    const clients = [await connect(bridge, secret, { instance: instances[0] ?? '' })];
    for (let n = 1; n <= 3; n += 1) clients.push(await connect(bridge, secret, { instance: instances[n % 2] ?? '' }));
    const late = await stranger();
    late.send(auth(who(bridge), (await late.challenge).nonce, secret).frame);
    expect(await late.next()).toMatchObject({ type: 'proof' });
    late.send(hello({ instance: ids.instance }));
    // Nor in the name of the one that is there.
    late.send(hello({ instance: ids.otherInstance }));
    const { code, reason } = await late.closed;
    expect(code).toBe(closeCodes.tooOften);
    expect(readRetryAfter(reason)).toBeGreaterThan(50_000);
    expect(readRetryAfter(reason)).toBeLessThanOrEqual(60_000);
    expect(clients.map(({ socket }) => socket.readyState === socket.OPEN)).toEqual([false, false, false, true]);
    // Whoever is there may lose its own line and come back.
    await connect(bridge, secret, { instance: ids.otherInstance });
  });
});

describe('a code', () => {
  const wrong = (code: string): string => `${code.slice(0, -1)}${code.endsWith('2') ? '3' : '2'}`;

  const inTab = { 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'none' };
  const read = async (path: string, headers: Record<string, string> = inTab) =>
    (
      await sendRaw(Number(new URL(bridge.url).port), [
        `GET ${path} HTTP/1.1`,
        `Host: ${new URL(bridge.url).host}`,
        ...Object.entries(headers).map((header) => header.join(': ')),
      ])
    ).body;

  it('F12 is shown on the bridge’s page while somebody knocks, and never in the status', async () => {
    expect(await read('/')).not.toContain('pairing-code');
    const code = await askForCode(bridge);
    const shown = bridge.pairing()?.code ?? '';
    expect(shown.replace('-', '')).toBe(code);
    expect(await read('/')).toContain(`<code>${shown}</code>`);
    expect(await read('/', { 'Sec-Fetch-Site': 'same-origin' })).toContain(`<code>${shown}</code>`);
    // An extension that may read all websites, or a program that does not pretend to be a browser.
    const others = [{ 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'none' }, {}];
    const told = [await read('/api/status'), ...(await Promise.all(others.map((headers) => read('/', headers))))];
    expect(told[0]).toContain('"state":"must_pair"');
    for (const text of told) for (const secret of [shown, code]) expect(text).not.toContain(secret);
  });

  it('F12 is refused after six wrong ones, and so is the right one then', async () => {
    const code = await askForCode(bridge);
    for (let n = 1; n <= 6; n += 1) {
      const { client } = await tryCode(bridge, wrong(code));
      expect(await client.closed).toMatchObject({ code: n < 6 ? closeCodes.notPaired : closeCodes.codeVoid });
    }
    const { client } = await tryCode(bridge, code);
    expect(await client.closed).toMatchObject({ code: closeCodes.noCode });
    const next = await askForCode(bridge);
    expect(next).not.toBe(code);
    expect((await tryCode(bridge, next)).answer).not.toBeNull();
  });

  it('F12 counts the wrong ones of all together, also those tried at the same time', async () => {
    const code = await askForCode(bridge);
    const tries = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        tryCode(bridge, wrong(code), { origin: n % 2 === 0 ? firefox : fork, profile: crypto.randomUUID() }),
      ),
    );
    const codes = (await Promise.all(tries.map(({ client }) => client.closed))).map(({ code }) => code);
    expect(codes.filter((it) => it === closeCodes.notPaired)).toHaveLength(5);
    expect(codes.filter((it) => it === closeCodes.codeVoid)).toHaveLength(1);
    expect(codes.filter((it) => it === closeCodes.noCode)).toHaveLength(4);
  });

  it('F12 is refused after two minutes', async () => {
    const code = await askForCode(bridge);
    const start = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => start + 120_000);
    onTestFinished(() => void vi.restoreAllMocks());
    const { client } = await tryCode(bridge, code);
    expect(await client.closed).toMatchObject({ code: closeCodes.noCode });
  });

  it('F12 is refused the second time', async () => {
    const code = await askForCode(bridge);
    const { client, answer } = await tryCode(bridge, code);
    expect(await client.next()).toEqual(answer);
    const again = await tryCode(bridge, code, { profile: ids.otherProfile });
    expect(await again.client.closed).toMatchObject({ code: closeCodes.noCode });
    client.socket.terminate();
  });

  it('F12 shown to one is shown to nobody once that is paired', async () => {
    await pair(bridge);
    expect(bridge.pairing()).toBeNull();
    expect(await read('/')).not.toContain('pairing-code');
  });
});

describe('unpaired', () => {
  it('F13 while a call runs, an extension is closed at once, its call fails, and it does not come back', async () => {
    const secret = await pair(bridge);
    const client = await connect(bridge, secret);
    const answer = ask(bridge.url, { prompt: 'x' });
    expect(await client.next()).toMatchObject({ type: 'request' });
    await writeFile(file(), '{ "pairings": [] }');
    expect(await client.closed).toMatchObject({ code: closeCodes.unpaired });
    expect(await answer).toMatchObject({ status: 502, body: { code: 'extension_disconnected' } });
    expect(await readFile(file(), 'utf8')).not.toContain(secret);
    const again = await stranger();
    again.send(auth(who(bridge), (await again.challenge).nonce, secret).frame);
    expect(await again.closed).toMatchObject({ code: closeCodes.notPaired });
  });

  it('F13 one leaves the others connected', async () => {
    const [mine, theirs] = [await pair(bridge), await pair(bridge, { origin: fork, browser: 'Fork 1' })];
    const client = await connect(bridge, mine);
    const other = { origin: fork, browser: 'Fork 1', profile: ids.profile };
    const { pairings } = JSON.parse(await readFile(file(), 'utf8')) as { pairings: { origin: string }[] };
    await writeFile(file(), JSON.stringify({ pairings: pairings.filter(({ origin }) => origin === fork) }));
    expect(await client.closed).toMatchObject({ code: closeCodes.unpaired });
    await connect(bridge, theirs, other);
    expect(connected()).toEqual(['Fork 1']);
  });

  it.each([
    ['empties it', () => writeFile(file(), '')],
    ['moves it away', () => rename(file(), `${file()}~`)],
  ])('F13 by an editor that first %s, one costs no other its call', async (_, begin) => {
    const other = { origin: fork, browser: 'Fork 1', profile: ids.otherProfile, instance: ids.otherInstance };
    const [mine, theirs] = [await pair(bridge), await pair(bridge, other)];
    const { pairings } = JSON.parse(await readFile(file(), 'utf8')) as { pairings: { origin: string }[] };
    const kept = await connect(bridge, theirs, other);
    const answer = ask(bridge.url, { prompt: 'x' });
    const { requestId } = (await kept.next()) as Frame<FrameToExtension, 'request'>;
    const client = await connect(bridge, mine);
    const watcher = watch(folder.dir);
    const told = once(watcher, 'change');
    await begin();
    await told;
    watcher.close();
    // By now the bridge was told, too.
    await fetch(`${bridge.url}/health`);
    const edited = { pairings: pairings.filter(({ origin }) => origin === fork) };
    await writeFile(file(), JSON.stringify(edited), { mode: 0o600 });
    expect(await client.closed).toMatchObject({ code: closeCodes.unpaired });
    kept.send({ type: 'end', requestId, seq: 0, finishReason: 'stop', model: null, usage: null, parts: [] });
    expect(await answer).toMatchObject({ status: 200 });
    kept.socket.terminate();
  });

  it('F13 the file of the pairings is nobody else’s', async () => {
    const secret = await pair(bridge);
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({
      pairings: [{ origin: firefox, profile: ids.profile, browser: 'Firefox 153', secret }],
    });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });
});

it('F15 a secret is good for the installation that it came about with, and for no other', async () => {
  const secret = await pair(bridge);
  for (const change of [{ origin: otherFirefox }, { origin: fork }, { profile: ids.otherProfile }]) {
    const it = who(bridge, change);
    const client = await stranger(it.origin);
    client.send(auth(it, (await client.challenge).nonce, secret).frame);
    expect(await client.closed).toMatchObject({ code: closeCodes.notPaired });
  }
  await connect(bridge, secret);
});

it('F15 the extension that is known by its id needs no code where nobody asks for one', async () => {
  const plain = await startTemporaryBridge();
  onTestFinished(() => plain.close());
  const client = await open(plain.url);
  expect((await client.challenge).mustPair).toBe(false);
  client.send(hello());
  expect(await client.next()).toMatchObject({ type: 'welcome' });
  const other = await open(plain.url, { origin: firefox });
  expect((await other.challenge).mustPair).toBe(true);
  other.send(hello());
  expect(await other.closed).toMatchObject({ code: closeCodes.notPaired });
});
