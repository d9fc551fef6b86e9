import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { Bridge } from '../../../bridge/bridge.ts';
import { ask } from '../../browser/rig.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';
import { account, greet, ids, type Client } from './connections-rig.ts';

/** What the bridge tells the extensions of itself: how many requests wait, and whether somebody looks. */

let bridge: Bridge;
let stop: AbortController;
beforeEach(async () => {
  stop = new AbortController();
  bridge = await startTemporaryBridge();
});
afterEach(async () => {
  vi.useRealTimers();
  stop.abort();
  await bridge.close();
});

const status = (queued: number, watched: boolean) => ({ type: 'status', queued, watched, durability: 'full' });
const hang = (): void => void ask(bridge.url, { prompt: 'x' }, stop.signal).catch(() => {});
const follow = (signal: AbortSignal): Promise<Response> =>
  fetch(`${bridge.url}/api/status`, { headers: { Accept: 'text/event-stream' }, signal });

async function connect(change: Parameters<typeof greet>[1] = {}): Promise<Client> {
  const client = await greet(bridge.url, change);
  expect(await client.next()).toMatchObject({ type: 'welcome' });
  expect(await client.nextStatus()).toEqual(status(0, false));
  return client;
}

it('comes after the welcome, and again only when it changed', async () => {
  const client = await connect({ lanes: 1 });
  hang();
  const call = await client.next();
  hang();
  expect(await client.nextStatus()).toEqual(status(1, false));
  hang();
  expect(await client.nextStatus()).toEqual(status(2, false));
  expect(call.type).toBe('request');
  if (call.type !== 'request') return;
  for (let seq = 0; seq < 50; seq += 1)
    client.send({ type: 'chunk', requestId: call.requestId, seq, parts: [{ type: 'text', text: 'x' }] });
  client.send({ type: 'end', requestId: call.requestId, seq: 50, finishReason: 'stop', model: null, usage: null });
  expect(await client.nextStatus()).toEqual(status(1, false));
  expect(client.left().filter(({ type }) => type === 'status')).toEqual([]);
});

it('comes once where much changes in one turn, with how it is at the end', async () => {
  const client = await connect({ lanes: 1 });
  hang();
  await client.next();
  for (let count = 0; count < 3; count += 1) hang();
  await expect.poll(() => client.left().at(-1)).toEqual(status(3, false));
  const before = client.left().length;
  // All that wait fail, one after the other.
  client.send({ type: 'status', lanes: 1, rate: 30, paused: true, account });
  await expect.poll(() => client.left().at(-1)).toEqual(status(0, false));
  expect(client.left().slice(before)).toEqual([status(0, false)]);
});

it('goes to every extension, by what that one was told last', async () => {
  const one = await connect();
  await fetch(`${bridge.url}/api/status`);
  expect(await one.nextStatus()).toEqual(status(0, true));
  const two = await greet(bridge.url, { profile: ids.otherProfile, instance: ids.otherInstance });
  expect(await two.nextStatus()).toEqual(status(0, true));
  expect(one.left()).toEqual([]);
});

it('takes a HEAD of the stream for nobody who looks, and ends it', async () => {
  const client = await connect();
  const headers = { Accept: 'text/event-stream' };
  const head = await fetch(`${bridge.url}/api/status`, { method: 'HEAD', headers, signal: stop.signal });
  expect([head.status, await head.text()]).toEqual([200, '']);
  const reader = new AbortController();
  await follow(reader.signal);
  await expect.poll(() => client.left().at(-1)).toEqual(status(0, true));
  reader.abort();
  await expect.poll(() => client.left().at(-1)).toEqual(status(0, false));
});

it('says that somebody looks for as long as an event stream is open', async () => {
  const client = await connect();
  const [first, second] = [new AbortController(), new AbortController()];
  await follow(first.signal);
  expect(await client.nextStatus()).toEqual(status(0, true));
  await follow(second.signal);
  first.abort();
  await nextTurn();
  second.abort();
  expect(await client.nextStatus()).toEqual(status(0, false));
  expect(client.left().filter(({ type }) => type === 'status')).toEqual([]);
});

it.each(['/', '/api/status'])('says for ten seconds after a look at %s that somebody looks', async (path) => {
  const client = await connect();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await fetch(bridge.url + path);
  // It is told a moment later.
  vi.advanceTimersByTime(50);
  expect(await client.nextStatus()).toEqual(status(0, true));
  vi.advanceTimersByTime(9949);
  await fetch(bridge.url + path);
  vi.advanceTimersByTime(9999);
  await nextTurn();
  expect(client.left()).toEqual([]);
  vi.advanceTimersByTime(51);
  expect(await client.nextStatus()).toEqual(status(0, false));
});

it('does not take a call, or a look at its health, for somebody who looks at the status', async () => {
  const client = await connect();
  await fetch(`${bridge.url}/health`);
  await fetch(`${bridge.url}/api/nothing`);
  await fetch(`${bridge.url}/auth/failed`);
  hang();
  expect(await client.next()).toMatchObject({ type: 'request' });
  expect(client.left()).toEqual([]);
});
