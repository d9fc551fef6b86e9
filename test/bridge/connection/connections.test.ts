import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';
import { closeCodes, maxFrameBytes, protocolVersion, subprotocol } from '#shared/protocol.ts';

import type { Bridge } from '../../../bridge/bridge.ts';
import { sendRaw } from '../raw-socket.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';
import {
  account,
  closeCodeFor,
  greet,
  hello,
  ids,
  open,
  rawFrame,
  upgradeHead,
  type Client,
} from './connections-rig.ts';

let bridge: Bridge;
let port: number;
const unexpected: unknown[] = [];

beforeEach(async () => {
  bridge = await startTemporaryBridge({}, (error) => unexpected.push(error));
  port = Number(new URL(bridge.url).port);
});
afterEach(async () => {
  vi.useRealTimers();
  // Whatever a socket did, the bridge is still there for everybody else.
  const { ok } = await fetch(`${bridge.url}/health`);
  await bridge.close();
  if (!ok || unexpected.length > 0) throw new Error('The bridge did not survive this.', { cause: unexpected });
});

const connected = () => bridge.status.read().extensions.map(({ browser }) => browser);

describe('an extension that says hello', () => {
  it('is welcomed with a secret and nothing to resume', async () => {
    const client = await greet(bridge.url);
    expect(client.socket.protocol).toBe(subprotocol);
    expect(client.socket.extensions).toBe('');
    expect(await client.next()).toEqual({
      type: 'welcome',
      version: bridge.status.read().bridge.version,
      secret: expect.stringMatching(/^[\w-]{43}$/),
      resume: [],
    });
    expect(connected()).toEqual(['Chrome 156']);
  });

  it('is gone from the status as soon as its socket is', async () => {
    const client = await greet(bridge.url);
    await client.next();
    client.socket.terminate();
    await expect.poll(connected).toEqual([]);
  });

  it('may tell a new state', async () => {
    const client = await greet(bridge.url);
    await client.next();
    client.send({
      type: 'status',
      lanes: 7,
      rate: 30,
      paused: true,
      account: {
        session: { ...account.session, state: 'expired' },
        puter: { ...account.puter, state: 'unreachable' },
      },
    });
    await expect
      .poll(() => bridge.status.read().extensions[0])
      .toMatchObject({
        paused: true,
        lanes: { busy: 0, free: 7 },
        puter: { signed_in: false, username: null, reachable: false },
      });
  });

  it('is paused since it first said so, and no longer once it resumes', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-24T12:00:00Z') });
    const client = await greet(bridge.url);
    await client.next();
    const bridgeHop = async (lanes: number, paused: boolean) => {
      vi.advanceTimersByTime(60_000);
      client.send({ type: 'status', lanes, rate: 30, paused, account });
      await expect.poll(() => bridge.status.read().extensions[0]?.lanes.free).toBe(lanes);
      const { state, since } = bridge.status.read().hops.bridge;
      return `${state} ${since.slice(11, 16)}`;
    };
    expect(await bridgeHop(4, true)).toBe('paused 12:01');
    expect(await bridgeHop(5, true)).toBe('paused 12:01');
    expect(await bridgeHop(6, false)).toBe('connected 12:00');
    expect(await bridgeHop(7, true)).toBe('paused 12:04');
  });

  it('may be paused from the beginning', async () => {
    const client = await greet(bridge.url, { paused: true });
    await client.next();
    expect(bridge.status.read().hops.bridge.state).toBe('paused');
  });

  it('leaves behind since when there is none', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2030-01-01T00:00:00Z') });
    expect(bridge.status.read().hops.bridge.since).not.toMatch(/^2030/);
    const client = await greet(bridge.url);
    await client.next();
    client.socket.terminate();
    await expect.poll(connected).toEqual([]);
    const since = '2030-01-01T00:00:00.000Z';
    expect(bridge.status.read().hops).toMatchObject({
      bridge: { state: 'no_extension', since },
      session: { since },
      puter: { since },
    });
  });

  it('replaces the older connection of its profile', async () => {
    const older = await greet(bridge.url, { browser: 'older' });
    await older.next();
    const newer = await greet(bridge.url, { browser: 'newer', instance: ids.otherInstance });
    await newer.next();
    expect(await older.closed).toEqual({
      code: closeCodes.replaced,
      reason: 'A newer connection of the same profile took over.',
    });
    expect(connected()).toEqual(['newer']);
  });

  it('leaves the connections of other profiles alone', async () => {
    const one = await greet(bridge.url, { browser: 'one' });
    const two = await greet(bridge.url, { browser: 'two', profile: ids.otherProfile, instance: ids.otherInstance });
    await Promise.all([one.next(), two.next()]);
    expect(connected().sort()).toEqual(['one', 'two']);
    expect([one.socket.readyState, two.socket.readyState]).toEqual([one.socket.OPEN, two.socket.OPEN]);
  });

  it('is told when the bridge stops', async () => {
    const client = await greet(bridge.url);
    await client.next();
    const stopped = bridge.close();
    expect(await client.closed).toEqual({ code: closeCodes.goingAway, reason: 'The bridge stops.' });
    await stopped;
    bridge = await startTemporaryBridge({}, (error) => unexpected.push(error));
  });
});

describe('a socket of another version', () => {
  it.each([
    [
      [`puter-bridge.v${protocolVersion + 1}`],
      `Update the bridge: it speaks v${protocolVersion}, the extension v${protocolVersion + 1}.`,
    ],
    [['puter-bridge.v0'], `Update the extension: it speaks v0, the bridge v${protocolVersion}.`],
    [['chat'], 'This is not the Puter Bridge extension.'],
    [[], 'This is not the Puter Bridge extension.'],
  ])('%j is told who has to update', async (protocols, reason) => {
    const client = await open(bridge.url, { protocols });
    expect(await client.closed).toEqual({ code: closeCodes.wrongVersion, reason });
  });

  it('shows in the status for as long as it knocks, unless one of ours is there', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: Date.parse('2030-01-01T00:00:00Z') });
    const knock = async () => (await open(bridge.url, { protocols: ['puter-bridge.v1'] })).closed;
    const bridgeHop = () => bridge.status.read().hops.bridge;
    await knock();
    expect(bridgeHop()).toMatchObject({
      state: 'wrong_version',
      since: '2030-01-01T00:00:00.000Z',
      cause: `Update the extension: it speaks v1, the bridge v${protocolVersion}.`,
      fix: 'update',
    });
    vi.advanceTimersByTime(5000);
    await knock();
    vi.advanceTimersByTime(5000);
    expect(bridgeHop()).toMatchObject({ state: 'wrong_version', since: '2030-01-01T00:00:00.000Z' });
    const client = await greet(bridge.url);
    await client.next();
    expect(bridgeHop().state).toBe('connected');
    client.socket.terminate();
    // What knocked before does not count any more.
    await expect.poll(() => bridgeHop().state).toBe('no_extension');
    await knock();
    vi.advanceTimersByTime(6000);
    expect(bridgeHop().state).toBe('no_extension');
  });

  it('is let in where it offers ours too, and gets nothing else back', async () => {
    const client = await open(bridge.url, { protocols: ['bearer.SECRET', subprotocol] });
    expect(client.socket.protocol).toBe(subprotocol);
    client.send(hello());
    expect(await client.next()).toMatchObject({ type: 'welcome' });
  });
});

describe('an upgrade is refused', () => {
  it.each([
    ['no Origin', null],
    ['a web page', 'https://evil.com'],
    ['an opaque page', 'null'],
    ['the bridge’s own page', 'http://127.0.0.1:5001'],
    ['an id that no browser gives', 'chrome-extension://zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz'],
    ['a longer name', `${extensionOrigin}.evil.com`],
    ['a path', `${extensionOrigin}/`],
    ['capitals', extensionOrigin.toUpperCase()],
    ['another scheme', extensionOrigin.replace('chrome-extension', 'chrome-extension-evil')],
  ])('with 403 for %s', async (_, origin) => {
    await expect(open(bridge.url, { origin })).rejects.toThrow('Unexpected server response: 403');
  });

  it.each(['/', '/ws/', '/ws?x', '/ws?token=x', '/socket.io/', '/health', '/v1/models', '/WS', '//ws', '//'])(
    'with 404 on %s',
    async (path) => {
      await expect(open(bridge.url, { path })).rejects.toThrow('Unexpected server response: 404');
    },
  );

  it.each(['evil.com', '0.0.0.0', 'user@127.0.0.1', '[::1', 'localhost.', ''])(
    'with 403 for the Host “%s”',
    async (host) => {
      const [start = '', , ...rest] = upgradeHead(port).trimEnd().split('\r\n');
      const head = [start, `Host: ${host}`, ...rest];
      const { status, headers, body } = await sendRaw(port, head);
      expect(status).toBe(403);
      expect(JSON.parse(body)).toMatchObject({ status: 'error', code: 'host_not_allowed' });
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    },
  );
});

describe('a frame that breaks the rules closes the socket', () => {
  async function closedAfter(send: (client: Client) => void): Promise<{ code: number; reason: string }> {
    const client = await open(bridge.url);
    send(client);
    return client.closed;
  }

  it('when it is binary', async () => {
    const closed = await closedAfter(({ socket }) => socket.send(Buffer.from(JSON.stringify(hello()))));
    expect(closed).toEqual({ code: closeCodes.binaryFrame, reason: 'Frames are JSON text.' });
  });

  it.each(['hello', '', 'null', '[]', '5', '{}', '{"type":5}', '{"type":"job"}', '{"type":"hello"}'])(
    'when it is %j',
    async (text) => {
      const { code, reason } = await closedAfter(({ socket }) => socket.send(text));
      expect(code).toBe(closeCodes.badFrame);
      expect(reason).toMatch(/^(A frame must be JSON\.|Not a frame of puter-bridge\.v\d+: .+ is wrong\.)$/);
    },
  );

  it('when it comes before the hello', async () => {
    const closed = await closedAfter((client) => client.send({ type: 'pong' }));
    expect(closed).toEqual({ code: closeCodes.badFrame, reason: 'A connection begins with one hello.' });
  });

  it('when it is a second hello', async () => {
    const client = await greet(bridge.url);
    client.send(hello());
    expect(await client.closed).toEqual({ code: closeCodes.badFrame, reason: 'A connection begins with one hello.' });
    await expect.poll(connected).toEqual([]);
  });

  it('when it is wrong after the welcome, and the bridge forgets the connection', async () => {
    const client = await greet(bridge.url);
    await client.next();
    client.socket.send('{"type":"status","lanes":"many"}');
    expect(await client.closed).toMatchObject({ code: closeCodes.badFrame });
    await expect.poll(connected).toEqual([]);
  });

  const text = Buffer.from('{}');
  it.each([
    ['not UTF-8', 1007, rawFrame(0x81, Buffer.from([0xff, 0xfe]))],
    ['not masked', 1002, rawFrame(0x81, text, { masked: false })],
    ['compressed without having been agreed', 1002, rawFrame(0xc1, text)],
    ['the rest of nothing', 1002, rawFrame(0x80, text)],
    ['of a kind that does not exist', 1002, rawFrame(0x83, text)],
    ['a close with a code that may not be sent', 1002, rawFrame(0x88, Buffer.from([0x03, 0xed]))],
    ['announced larger than a frame may be', 1009, rawFrame(0x81, Buffer.alloc(0), { length: maxFrameBytes + 1 })],
  ])('when it is %s', async (_, code, bytes) => {
    expect(await closeCodeFor(port, bytes)).toBe(code);
  });
});

describe('a socket that stays silent', () => {
  it('is closed after five seconds without a hello', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const client = await open(bridge.url);
    vi.advanceTimersByTime(5000);
    expect(await client.closed).toEqual({ code: closeCodes.handshakeTimeout, reason: 'No hello came.' });
  });

  it('is not closed for that once it said hello', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const client = await greet(bridge.url);
    await client.next();
    vi.advanceTimersByTime(60_000);
    client.send({ type: 'status', lanes: 5, rate: 30, paused: false, account });
    vi.useRealTimers();
    await expect.poll(() => bridge.status.read().extensions[0]?.lanes.free).toBe(5);
  });

  it('through two pings is cut', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const client = await greet(bridge.url);
    await client.next();
    vi.advanceTimersByTime(15_000);
    expect(await client.next()).toEqual({ type: 'ping' });
    vi.advanceTimersByTime(30_000);
    expect(await client.closed).toEqual({ code: 1006, reason: '' });
    vi.useRealTimers();
    await expect.poll(connected).toEqual([]);
  });
});
