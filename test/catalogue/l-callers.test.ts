import { spawnSync } from 'node:child_process';
import { execPath as nodePath } from 'node:process';

import { describe, expect, it, vi } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import type { PreparedCall } from '../../bridge/chat/calls.ts';
import { createChats, type Caller } from '../../bridge/chat/chats.ts';
import { HangUp } from '../../bridge/hang-up.ts';
import type { Results } from '../../bridge/journal/results.ts';
import { ask, chat, keyed, process, start } from '../bridge/chat/chats-rig.ts';
import { until } from '../browser/rig.ts';

describe('a caller who leaves', () => {
  it('L1 before its request is ready to go costs no call', async () => {
    const ready = Promise.withResolvers<PreparedCall>();
    const starts = vi.fn<PreparedCall['start']>();
    // Nothing is to be recorded.
    const results = {} as Results;
    const chats = createChats({
      calls: { prepare: () => ready.promise, finish: async (_, answer) => answer },
      results,
      newId: () => 'id',
      now: () => 0,
    });
    const hangUp = new HangUp();
    const caller: Caller = { scope: 's', name: null, priority: 'normal', key: null, repetition: 0 };
    const begun = chats.begin({ messages: [] }, { hangUp, caller });
    hangUp.tell(new BridgeError('cancelled', 'The caller hung up.'));
    ready.resolve({ start: starts });
    await expect(begun).rejects.toMatchObject({ code: 'cancelled' });
    expect(starts).not.toHaveBeenCalled();
  });

  it('L1 before its connection is taken costs no call, with a key neither', async () => {
    const { bridge, extension, post } = await start();
    const body = JSON.stringify({ prompt: 'x' });
    const text = [
      'POST /api/process HTTP/1.1',
      `Host: ${new URL(bridge.url).host}`,
      'Content-Type: application/json',
      'Idempotency-Key: k',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
    const script = `
      const socket = require('node:net').connect(${new URL(bridge.url).port}, '127.0.0.1', () =>
        socket.write(${JSON.stringify(text)}, () => socket.resetAndDestroy()));`;
    // Nothing is read here before the other program is gone.
    spawnSync(nodePath, ['-e', script]);
    expect((await post(process, { prompt: 'y' })).status).toBe(200);
    expect(extension.calls).toHaveLength(1);
  });

  it('L4 with an Idempotency-Key does not end the call', async () => {
    const { post, extension } = await start();
    const call = extension.nextCall();
    const stop = new AbortController();
    const body = { ...ask('x', 'slow-stream'), stop: ['tick 4'] };
    const first = post(chat, body, keyed('k'), stop.signal);
    await call;
    stop.abort();
    await expect(first).rejects.toThrow('aborted');
    await until(async () => (await post(chat, body, keyed('k'))).status === 200);
    expect(extension.calls).toHaveLength(1);
  });
});

describe('DELETE /api/requests/<id>', () => {
  it('L5 stops one that runs, once', async () => {
    const { post, bridge, extension } = await start();
    const call = extension.nextCall();
    const answer = post(process, { prompt: 'x', model: 'hang' });
    const running = await call;
    const list = (await (await fetch(`${bridge.url}/api/requests`)).json()) as { requests: { request_id: string }[] };
    const url = `${bridge.url}/api/requests/${list.requests[0]?.request_id}`;
    const remove = async () => (await fetch(url, { method: 'DELETE' })).json() as Promise<object>;
    expect(await remove()).toMatchObject({ status: 'cancelled' });
    expect((await answer).status).toBe(499);
    expect(await running.closed).toBe('aborted');
    expect(await remove()).toMatchObject({ status: 'finished' });
  });

  it('L5 N16 knows no other', async () => {
    const { bridge } = await start();
    for (const method of ['GET', 'DELETE']) {
      expect((await fetch(`${bridge.url}/api/requests/${crypto.randomUUID()}`, { method })).status).toBe(404);
    }
  });
});
