import { describe, expect, it, onTestFinished } from 'vitest';

import { ask, chat, postTo, process, start } from '../bridge/chat/chats-rig.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { until } from '../browser/rig.ts';
import { connectExtension } from './extension-rig.ts';

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

  it('M11 being full is no reason to send a chat again whose first call was billed', async () => {
    const bridge = await startTemporaryBridge({ maxQueuedPerScope: 1 });
    onTestFinished(() => bridge.close());
    // One call in ten seconds, so that who waits goes on waiting.
    const extension = await connectExtension(bridge.url, { lanes: 1, rate: 1 });
    onTestFinished(() => extension.close());
    const post = postTo(bridge);
    const stop = new AbortController();
    const first = post(chat, { ...ask('x'), response_format: { type: 'json_object' } });
    const requestId = await extension.next('request');
    const waiting = post(chat, ask('x'), {}, stop.signal);
    await until(() => bridge.status.read().queue.queued === 1);
    extension.answer(requestId, 'no JSON');
    const answer = await first;
    expect([answer.status, await answer.json()]).toMatchObject([502, { error: { code: 'extension_failed' } }]);
    expect(answer.headers.get('x-should-retry')).toBe('false');
    stop.abort();
    await Promise.allSettled([waiting]);
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

describe('without an extension', () => {
  it.each([
    ['/api/process', process, { prompt: 'x' }],
    ['/v1/chat/completions', chat, ask('x')],
    ['a stream', chat, { ...ask('x'), stream: true }],
  ])('J1 a request is told so, and when to send it again (%s)', async (_, path, body) => {
    const { post, bridge, extension } = await start({ connectGraceMs: 50 });
    extension.drop();
    await until(() => bridge.status.read().extensions.length === 0);
    const answer = await post(path, body);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('"extension_not_connected"');
    expect(answer.headers.get('x-should-retry')).toBe('true');
    expect(answer.headers.get('retry-after')).toBe('2');
    await extension.reconnect();
    expect((await post(path, body)).status).toBe(200);
    expect(extension.calls).toHaveLength(1);
  });

  it('J1 a request waits a moment for one, and then goes out once', async () => {
    const { post, bridge, extension } = await start();
    extension.drop();
    await until(() => bridge.status.read().extensions.length === 0);
    const answer = post(process, { prompt: 'x' });
    await until(() => bridge.status.read().queue.queued === 1);
    await extension.reconnect();
    expect((await answer).status).toBe(200);
    expect(extension.calls).toHaveLength(1);
  });
});
