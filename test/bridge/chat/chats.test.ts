import { describe, expect, it } from 'vitest';

import { until } from '../../browser/rig.ts';
import { ask, chat, process, start } from './chats-rig.ts';

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

  it('begins each where none is still going, however many come at once', async () => {
    const { post, extension } = await start();
    const again = { 'x-stainless-retry-count': '1' };
    await Promise.all([post(process, { prompt: 'x' }, again), post(process, { prompt: 'x' }, again)]);
    expect(extension.calls).toHaveLength(2);
  });

  it('makes a call for each choice where none is still going', async () => {
    const { post, extension } = await start();
    const again = { 'x-stainless-retry-count': '1' };
    await post(chat, { ...ask('x'), n: 3 }, again);
    expect(extension.calls).toHaveLength(3);
    await post('/v1/completions', { model: 'echo', prompt: ['a', 'a'] }, again);
    expect(extension.calls).toHaveLength(5);
  });

  it('joins of several equal ones each once', async () => {
    const { post, extension } = await start();
    const body = { ...ask('x', 'slow-stream'), stop: ['tick 4'] };
    const idsOf = async (posts: Promise<Response>[]) =>
      new Set((await Promise.all(posts)).map(({ headers }) => headers.get('x-request-id')));
    const firsts = idsOf([post(chat, body), post(chat, body)]);
    await until(() => extension.calls.length === 2);
    const again = (count: string) => post(chat, body, { 'x-stainless-retry-count': count });
    const joined = await idsOf([again('1'), again('1')]);
    expect(joined).toEqual(await firsts);
    expect(joined.size).toBe(2);
    expect(extension.calls).toHaveLength(2);
  });

  it('joins none that asked for another number of choices', async () => {
    const { post, extension } = await start();
    const call = extension.nextCall();
    const body = { ...ask('x', 'slow-stream'), stop: ['tick 4'] };
    const first = post(chat, body);
    await call;
    await post(chat, { ...body, n: 2 }, { 'x-stainless-retry-count': '1' });
    await first;
    expect(extension.calls).toHaveLength(3);
  });

  it('is one of its own where it is not told so', async () => {
    const { post, extension } = await start();
    await Promise.all([post(process, { prompt: 'x' }), post(process, { prompt: 'x' })]);
    expect(extension.calls).toHaveLength(2);
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
});
