import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';
import { closeCodes, heartbeatMs, type FrameToExtension } from '#shared/protocol.ts';

import type { LinkState } from '../../../extension/relay/endings.ts';
import { startLink } from '../../../extension/relay/link.ts';
import { account, hello as helloOf, ids } from '../../bridge/connection/connections-rig.ts';
import { startTemporaryBridge } from '../../bridge/temporary-bridge.ts';
import { actAsExtensionPage } from './extension-page.ts';
import { patiently, startScriptedBridge } from './scripted-bridge.ts';
import { stopClock } from './stopped-clock.ts';

/** The clock stands still: whatever waits for it, the next dialling for one, waits until the test moves it. */
beforeEach(() => {
  actAsExtensionPage();
  stopClock();
  // That one has a clock of its own: on a busy machine, it would take a bridge that answers late for none.
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
});

const longestWaitMs = 2500;

function dial(address: string, change: Parameters<typeof helloOf>[0] = {}) {
  const states: LinkState[] = [];
  const frames: FrameToExtension[] = [];
  const link = startLink({
    address,
    origin: extensionOrigin,
    pairing: () => null,
    onPaired: () => {},
    isWatched: () => false,
    hello: () => {
      const frame = helloOf(change);
      if (frame.type !== 'hello') throw new Error('No hello.');
      return frame;
    },
    onWelcome: (frame) => frames.push(frame),
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
  });
  onTestFinished(link.close);
  const become = (state: LinkState['state']) => expect.poll(() => states.at(-1)?.state, patiently).toBe(state);
  return { link, states, frames, become };
}

const startRealBridge = async (port = 0) => {
  const bridge = await startTemporaryBridge({ port });
  onTestFinished(() => bridge.close());
  return bridge;
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('with the bridge itself, a link', () => {
  it('connects, and tells to whom', async () => {
    const { url } = await startRealBridge();
    const { link, states, frames, become } = dial(url);
    expect(link.isOpen()).toBe(false);
    await become('connected');
    const { host } = new URL(url);
    expect(states).toEqual([
      { state: 'connecting', detail: host },
      { state: 'connected', detail: host },
    ]);
    expect(link.isOpen()).toBe(true);
    expect(frames[0]).toMatchObject({ type: 'welcome', resume: [] });
  });

  it('tells when it is gone, and when it is back', async () => {
    const bridge = await startRealBridge();
    const { link, become } = dial(bridge.url);
    await become('connected');
    await bridge.close();
    await become('no_bridge');
    expect(link.isOpen()).toBe(false);
    await startRealBridge(Number(new URL(bridge.url).port));
    await vi.advanceTimersByTimeAsync(longestWaitMs);
    await become('connected');
  });

  it('that another of the same profile took over waits until the person wants it back', async () => {
    const { url } = await startRealBridge();
    const first = dial(url);
    await first.become('connected');
    const second = dial(url, { instance: ids.otherInstance });
    await second.become('connected');
    await first.become('replaced');
    const fetched = vi.spyOn(globalThis, 'fetch');
    // Many times as long as it waits elsewhere, and not yet so long that a silent line would be given up.
    await vi.advanceTimersByTimeAsync(longestWaitMs * 12);
    expect(fetched.mock.calls).toEqual([]);
    expect([first.states.at(-1)?.state, second.states.at(-1)?.state]).toEqual(['replaced', 'connected']);
    first.link.retry();
    await first.become('connected');
    await second.become('replaced');
  });
});

describe('a link has no bridge', () => {
  it('where nobody listens, and dials again until somebody does', async () => {
    const port = await freePort();
    const { states, become } = dial(`http://127.0.0.1:${port}`);
    await become('no_bridge');
    expect(states.at(-1)?.detail).toBe(`127.0.0.1:${port}`);
    await vi.advanceTimersByTimeAsync(longestWaitMs);
    const bridge = await startScriptedBridge({ port });
    void bridge.nextLine().then((line) => line.welcome());
    for (let turn = 0; turn < 3; turn += 1) await vi.advanceTimersByTimeAsync(longestWaitMs);
    await become('connected');
  });

  it('any more after a silence of more than two heartbeats', async () => {
    const bridge = await startScriptedBridge();
    const { become, states } = dial(bridge.address);
    (await bridge.nextLine()).welcome();
    await become('connected');
    await vi.advanceTimersByTimeAsync(heartbeatMs * 2.4);
    expect(states.at(-1)?.state).toBe('connected');
    await vi.advanceTimersByTimeAsync(heartbeatMs * 0.1);
    await become('no_bridge');
  });

  it('where it says nothing after the hello', async () => {
    const bridge = await startScriptedBridge();
    const { become, link } = dial(bridge.address);
    const line = await bridge.nextLine();
    await vi.advanceTimersByTimeAsync(heartbeatMs);
    await become('no_bridge');
    line.welcome();
    await expect.poll(() => line.closed, patiently).not.toBeNull();
    expect(link.isOpen()).toBe(false);
  });
});

describe('it is not our bridge', () => {
  const withCors = { 'Access-Control-Allow-Origin': extensionOrigin };

  it.each<[string, (response: ServerResponse) => void]>([
    ['lets nobody read its answer', (response) => response.end('{"status":"ok"}')],
    ['lets others read it', (response) => response.setHeader('Access-Control-Allow-Origin', 'null').end('ok')],
    ['knows no /health', (response) => response.writeHead(404, withCors).end()],
  ])('where what answers %s', async (_, health) => {
    const bridge = await startScriptedBridge({ health });
    const { states, become } = dial(bridge.address);
    await become('not_our_bridge');
    expect(states.at(-1)?.detail).toBe(bridge.host);
    expect(bridge.lines).toEqual([]);
  });

  it('where it wants no socket', async () => {
    const bridge = await startScriptedBridge({ greet: (socket) => socket.close(closeCodes.badFrame) });
    const { become, frames } = dial(bridge.address);
    await become('not_our_bridge');
    expect(frames).toEqual([]);
  });

  it.each([
    ['no JSON', 'hello'],
    ['no frame', '{"type":"hello"}'],
    ['bytes', Buffer.from('{"type":"ping"}')],
    ['a frame before the welcome', '{"type":"status","queued":0,"watched":false}'],
  ])('where it says %s', async (_, data) => {
    const bridge = await startScriptedBridge();
    const { become, frames } = dial(bridge.address);
    const line = await bridge.nextLine();
    line.sendRaw(data);
    await become('not_our_bridge');
    await expect.poll(() => line.closed?.code, patiently).toBe(closeCodes.badFrame);
    expect(frames).toEqual([]);
  });
});

it('a bridge in trouble of its own is dialled again, and not taken for another program', async () => {
  const bridge = await startScriptedBridge({ greet: (socket) => socket.close(closeCodes.unexpected) });
  const { states } = dial(bridge.address);
  await expect.poll(() => states.length, patiently).toBe(2);
  expect(states.map(({ state }) => state)).toEqual(['connecting', 'connecting']);
});

it('a link of another version says which side to update, in the bridge’s words', async () => {
  const sentence = 'Update the extension: it speaks v1, the bridge v2.';
  const bridge = await startScriptedBridge({ greet: (socket) => socket.close(closeCodes.wrongVersion, sentence) });
  const { states, become } = dial(bridge.address);
  await become('wrong_version');
  expect(states.at(-1)).toEqual({ state: 'wrong_version', detail: sentence });
});

describe('frames', () => {
  it('are sent after the welcome, and neither before it nor after the end', async () => {
    const bridge = await startScriptedBridge();
    const { link, become } = dial(bridge.address);
    const status = { type: 'status', lanes: 1, rate: 30, paused: false, account } as const;
    link.send({ ...status, lanes: 2 });
    const line = await bridge.nextLine();
    link.send({ ...status, lanes: 3 });
    line.welcome();
    await become('connected');
    link.send({ ...status, lanes: 4 });
    expect(await line.frame('status')).toMatchObject({ lanes: 4 });
    line.end();
    await become('no_bridge');
    link.send({ ...status, lanes: 5 });
    expect(line.frames).toHaveLength(1);
  });

  it('are handed on, and a ping is answered', async () => {
    const bridge = await startScriptedBridge();
    const { frames } = dial(bridge.address);
    const line = await bridge.nextLine();
    line.send({ type: 'ping' });
    line.welcome();
    line.send({ type: 'ping' });
    line.send({ type: 'status', queued: 3, watched: true, durability: 'full' });
    await expect.poll(() => frames.map(({ type }) => type), patiently).toEqual(['welcome', 'status']);
    await expect.poll(() => line.frames, patiently).toEqual([{ type: 'pong' }, { type: 'pong' }]);
  });
});

describe('asked to try again', () => {
  it('a link that waits dials at once', async () => {
    const port = await freePort();
    const { link, become } = dial(`http://127.0.0.1:${port}`);
    await become('no_bridge');
    const bridge = await startScriptedBridge({ port });
    link.retry();
    (await bridge.nextLine()).welcome();
    await become('connected');
    expect(link.isOpen()).toBe(true);
  });

  it('a link that is open stays as it is', async () => {
    const bridge = await startScriptedBridge();
    const { link, become, states } = dial(bridge.address);
    const line = await bridge.nextLine();
    line.welcome();
    await become('connected');
    link.retry();
    line.send({ type: 'ping' });
    await line.frame('pong');
    expect([states.length, bridge.lines.length]).toEqual([2, 1]);
  });
});

describe('closed', () => {
  it('a link says goodbye, tells nothing more and dials no more', async () => {
    const bridge = await startScriptedBridge();
    const { link, become, states } = dial(bridge.address);
    const line = await bridge.nextLine();
    line.welcome();
    await become('connected');
    link.close();
    await expect.poll(() => line.closed, patiently).toEqual({ code: 1000, reason: '' });
    link.retry();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([states.length, bridge.lines.length, link.isOpen()]).toEqual([2, 1, false]);
  });

  it('a link that waits wakes up no more', async () => {
    const port = await freePort();
    const { link, become, states } = dial(`http://127.0.0.1:${port}`);
    await become('no_bridge');
    link.close();
    const fetched = vi.spyOn(globalThis, 'fetch');
    link.retry();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([states.length, fetched.mock.calls]).toEqual([2, []]);
  });
});
