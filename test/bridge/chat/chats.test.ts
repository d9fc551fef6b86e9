import { spawnSync } from 'node:child_process';
import { execPath as nodePath } from 'node:process';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { Bridge } from '../../../bridge/bridge.ts';
import type { PreparedCall } from '../../../bridge/chat/calls.ts';
import { createChats, type Caller } from '../../../bridge/chat/chats.ts';
import type { Config } from '../../../bridge/config.ts';
import type { Results } from '../../../bridge/journal/results.ts';
import { until } from '../../browser/rig.ts';
import { startFakeExtension, type FakeExtension } from '../../contract/fake-extension.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';

interface Rig {
  bridge: Bridge;
  extension: FakeExtension;
  post(path: string, body: object, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>;
}

async function start(config: Partial<Config> = {}, lanes = 3): Promise<Rig> {
  const bridge = await startTemporaryBridge(config);
  onTestFinished(() => bridge.close());
  const extension = await startFakeExtension({ bridgeUrl: bridge.url, lanes });
  onTestFinished(() => extension.close());
  return {
    bridge,
    extension,
    post: (path, body, headers = {}, signal) =>
      fetch(bridge.url + path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'test', ...headers },
        body: JSON.stringify(body),
        ...(signal && { signal }),
      }),
  };
}

const process = '/api/process';
const chat = '/v1/chat/completions';
const ask = (content: string, model = 'echo') => ({ model, messages: [{ role: 'user', content }] });
const keyed = (key: string) => ({ 'Idempotency-Key': key });

describe('a request with an Idempotency-Key', () => {
  it('N1 has the same answer again, without another call', async () => {
    const { post, extension } = await start();
    const body = { prompt: 'once', model: 'echo' };
    const first = await post(process, body, keyed('k'));
    const again = await post(process, body, keyed('"k"'));
    expect(await again.json()).toEqual(await first.json());
    expect([first, again].map((it) => it.headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect(extension.calls).toHaveLength(1);
  });

  it('N2 is refused with another body', async () => {
    const { post, extension } = await start();
    await post(process, { prompt: 'one' }, keyed('k'));
    const other = await post(process, { prompt: 'two' }, keyed('k'));
    expect([other.status, await other.json()]).toMatchObject([422, { code: 'idempotency_key_reused' }]);
    expect(extension.calls).toHaveLength(1);
  });

  it('N3 is refused for a moment while it runs, unless the client repeats it by itself', async () => {
    const { post, extension } = await start();
    const call = extension.nextCall();
    const body = ask('x', 'slow-stream');
    const first = post(chat, { ...body, stop: ['tick 3'] }, keyed('k'));
    await call;
    const second = await post(chat, { ...body, stop: ['tick 3'] }, keyed('k'));
    expect(second.status).toBe(409);
    expect(second.headers.get('x-should-retry')).toBe('true');
    expect(second.headers.get('retry-after')).toBe('2');
    const third = post(chat, { ...body, stop: ['tick 3'] }, { ...keyed('k'), 'x-stainless-retry-count': '1' });
    const [one, three] = await Promise.all([first, third].map(async (it) => (await it).json()));
    expect(three).toEqual(one);
    expect(extension.calls).toHaveLength(1);
  });

  it('R1 is one call where it comes twice at once, also where its schema is still to be read', async () => {
    const { post, extension } = await start();
    const format = { type: 'json_schema', json_schema: { name: 'place', schema: { type: 'object' } } };
    const body = { ...ask('x', 'json'), response_format: format };
    const answers = await Promise.all([1, 2, 3].map(() => post(chat, body, keyed('k'))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(2);
    expect(extension.calls).toHaveLength(1);
  });

  it('N4 is another caller’s own', async () => {
    const { post, extension } = await start();
    await post(process, { prompt: 'one' }, keyed('k'));
    const other = await post(process, { prompt: 'two' }, { ...keyed('k'), 'User-Agent': 'other' });
    expect(other.status).toBe(200);
    expect(extension.calls).toHaveLength(2);
  });

  it('N5 runs anew once what kept it from starting is mended', async () => {
    const { post, extension } = await start();
    extension.tell({ session: 'signed_out' });
    await until(async () => (await post(process, { prompt: 'x' })).status === 503);
    const body = { prompt: 'one' };
    const refused = await post(process, body, keyed('k'));
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'puter_not_signed_in' }]);
    extension.tell({ session: 'signed_in' });
    await until(async () => (await post(process, { prompt: 'x' })).status === 200);
    const before = extension.calls.length;
    const again = await post(process, body, keyed('k'));
    expect([again.status, await again.json()]).toMatchObject([200, { result: 'You said: one' }]);
    expect(extension.calls.length).toBe(before + 1);
  });

  it('N5 runs anew where it never started, and repeats a failure where it may have', async () => {
    const { post, extension } = await start();
    extension.tell({ paused: true });
    await until(async () => (await post(process, { prompt: 'x' })).status === 503);
    const paused = await post(process, { prompt: 'one', model: 'fail:upstream_failed' }, keyed('k'));
    expect(paused.status).toBe(503);
    extension.tell({ paused: false });
    await until(async () => (await post(process, { prompt: 'x' })).status === 200);
    const before = extension.calls.length;
    const failed = await post(process, { prompt: 'one', model: 'fail:upstream_failed' }, keyed('k2'));
    const again = await post(process, { prompt: 'one', model: 'fail:upstream_failed' }, keyed('k2'));
    expect([failed.status, again.status]).toEqual([502, 502]);
    expect(extension.calls.length).toBe(before + 1);
  });

  it('N8 streams its answer again', async () => {
    const { post, extension } = await start();
    const whole = await (await post(chat, ask('two words'), keyed('k'))).json();
    const text = await (await post(chat, { ...ask('two words'), stream: true }, keyed('k'))).text();
    expect(text).toContain('"content":"You said: two words"');
    expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
    expect(whole).toMatchObject({ choices: [{ message: { content: 'You said: two words' } }] });
    expect(extension.calls).toHaveLength(1);
  });

  it('L4 goes on when the caller hangs up', async () => {
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

  it('is several chats where several choices are asked for, each its own', async () => {
    const { post, extension } = await start();
    const body = { ...ask('x'), n: 2 };
    const answers = [await post(chat, body, keyed('k')), await post(chat, body, keyed('k'))];
    for (const answer of answers) expect(((await answer.json()) as { choices: [] }).choices).toHaveLength(2);
    expect(extension.calls).toHaveLength(2);
  });

  it.each(['', 'x'.repeat(256), 'ü', 'a b'])('H34 must be one that can be: %j', async (key) => {
    const { post, extension } = await start();
    const answer = await post(
      process,
      { prompt: 'x' },
      { 'Idempotency-Key': encodeURIComponent(key) === key ? key : Buffer.from(key).toString('latin1') },
    );
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'invalid_idempotency_key' }]);
    expect(extension.calls).toHaveLength(0);
  });
});

describe('a client that repeats a request by itself', () => {
  it('joins the one that is still going', async () => {
    const { post, extension } = await start();
    const call = extension.nextCall();
    const body = { ...ask('x', 'slow-stream'), stop: ['tick 4'] };
    const stop = new AbortController();
    const first = post(chat, body, {}, stop.signal).catch(() => 'gone');
    await call;
    const second = post(chat, body, { 'x-stainless-retry-count': '1' });
    const other = post(chat, body, { 'x-stainless-retry-count': '1', 'User-Agent': 'other' });
    await until(() => extension.calls.length === 2);
    stop.abort();
    expect(await first).toBe('gone');
    // What two read does not end with one of them.
    expect((await second).status).toBe(200);
    expect((await other).status).toBe(200);
    expect(extension.calls).toHaveLength(2);
  });

  it('is one of its own where it is not told so', async () => {
    const { post, extension } = await start();
    await Promise.all([post(process, { prompt: 'x' }), post(process, { prompt: 'x' })]);
    expect(extension.calls).toHaveLength(2);
  });
});

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
    const hangUp = new AbortController();
    const caller: Caller = { scope: 's', name: null, priority: 'normal', key: null, isRepetition: false };
    const { signal: deadline } = new AbortController();
    const begun = chats.begin({ messages: [] }, { deadline, hangUp: hangUp.signal, caller });
    hangUp.abort();
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
});

describe('a queue', () => {
  it('J3 J4 is full at its bound, and for one caller at a share of it', async () => {
    const { post, bridge, extension } = await start({ maxQueued: 3, maxQueuedPerScope: 2 }, 1);
    const call = extension.nextCall();
    const stop = new AbortController();
    const hung = [post(process, { prompt: 'x', model: 'hang' }, {}, stop.signal)];
    await call;
    for (let i = 0; i < 2; i += 1) hung.push(post(process, { prompt: 'x' }, {}, stop.signal));
    await until(() => bridge.status.read().queue.queued === 2);
    const share = await post(process, { prompt: 'x' });
    expect([share.status, await share.json()]).toMatchObject([429, { code: 'client_queue_full' }]);
    expect(share.headers.get('x-should-retry')).toBe('true');
    expect(share.headers.get('retry-after')).toBe('5');
    hung.push(post(process, { prompt: 'x' }, { 'User-Agent': 'b' }, stop.signal));
    await until(() => bridge.status.read().queue.queued === 3);
    const full = await post(chat, ask('x'), { 'User-Agent': 'c' });
    expect([full.status, await full.json()]).toMatchObject([429, { error: { code: 'queue_full' } }]);
    stop.abort();
    await Promise.allSettled(hung);
  });

  it('J5 lets the one request of a caller in after at most two of another', async () => {
    const { post, bridge, extension } = await start({}, 1);
    const call = extension.nextCall();
    const stop = new AbortController();
    const hung = post(process, { prompt: 'x', model: 'hang' }, {}, stop.signal).catch(() => null);
    await call;
    const many = Array.from({ length: 10 }, (_, i) => post(process, { prompt: `a${i}` }));
    await until(() => bridge.status.read().queue.queued === 10);
    const one = post(process, { prompt: 'b' }, { 'User-Agent': 'b' });
    await until(() => bridge.status.read().queue.queued === 11);
    stop.abort();
    await Promise.all([hung, ...many, one]);
    const prompts = extension.calls.slice(1).map(({ messages }) => JSON.stringify(messages));
    expect(prompts.findIndex((it) => it.includes('"b"'))).toBeLessThan(2);
  });

  it.each([
    ['a header', process, { prompt: 'urgent' }, { Priority: 'high' }],
    ['a field', process, { prompt: 'urgent', priority: 'high' }, {}],
    ['a field of a chat', chat, { ...ask('urgent'), priority: 'high' }, {}],
  ])('lets what somebody waits for go first, by %s', async (_, path, body, headers: Record<string, string>) => {
    const { post, bridge, extension } = await start({}, 1);
    const call = extension.nextCall();
    const stop = new AbortController();
    const hung = post(process, { prompt: 'x', model: 'hang' }, {}, stop.signal).catch(() => null);
    await call;
    const batch = Array.from({ length: 3 }, (_, i) => post(process, { prompt: `a${i}` }));
    await until(() => bridge.status.read().queue.queued === 3);
    const urgent = post(path, body, headers);
    await until(() => bridge.status.read().queue.queued === 4);
    stop.abort();
    await Promise.all([hung, ...batch, urgent]);
    expect(JSON.stringify(extension.calls[1]?.messages)).toContain('urgent');
  });

  it('J6 gives up what waited for too long, and says that it never started', async () => {
    const { post, extension } = await start({ queueTimeoutMs: 50 }, 1);
    const call = extension.nextCall();
    const stop = new AbortController();
    const hung = post(process, { prompt: 'x', model: 'hang' }, {}, stop.signal).catch(() => null);
    await call;
    const late = await post(chat, ask('x'));
    expect([late.status, await late.json()]).toMatchObject([503, { error: { code: 'queue_timeout' } }]);
    expect(late.headers.get('x-should-retry')).toBe('true');
    expect(extension.calls).toHaveLength(1);
    stop.abort();
    await hung;
  });
});

describe('/api/requests', () => {
  it('lists what was asked, newest first, and shows one of them', async () => {
    const { post, bridge } = await start();
    const { request_id: id } = (await (await post(process, { prompt: 'secret words' })).json()) as {
      request_id: string;
    };
    await post(process, { prompt: 'x', model: 'fail:upstream_failed' });
    const list = await (await fetch(`${bridge.url}/api/requests`)).text();
    expect(list).not.toContain('secret words');
    expect(JSON.parse(list)).toMatchObject({
      status: 'success',
      requests: [
        { status: 'error' },
        { status: 'success', request_id: id, created_at: expect.stringMatching(/Z$/) as string },
      ],
    });
    expect(await (await fetch(`${bridge.url}/api/requests/${id}`)).json()).toMatchObject({ request_id: id });
  });

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
