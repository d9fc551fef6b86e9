import { createParser } from 'eventsource-parser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ErrorCode, Failure } from '#shared/errors.ts';

import { json, refusalOf, useBridge } from './bridge-rig.ts';
import { connectExtension, type TestExtension } from './extension-rig.ts';

/** What a caller is told of a call that the extension, or Puter, did not carry out: above all, whether to send it again. */

const rig = useBridge({ withExtension: false });
let extension: TestExtension;
beforeEach(async () => {
  extension = await connectExtension(rig.bridge.url, { rate: 100_000 });
});
afterEach(() => extension.close());

const chat = (change: object = {}) => json({ messages: [{ role: 'user', content: 'x' }], ...change });
const busy: Failure = {
  code: 'upstream_failed',
  message: 'Puter refused the call: Too many requests.',
  upstream: { message: 'Too many requests.', code: 'too_many_requests', status: 429 },
};
const neverStarted: ErrorCode[] = ['shutting_down', 'queue_full', 'queue_timeout', 'extension_not_connected'];

it('M11 a call that fails after it started may have been billed', async () => {
  for (const ask of [rig.r0(), rig.r1(chat())]) {
    const requestId = await extension.next('request');
    extension.start(requestId);
    extension.fail(requestId, { code: 'upstream_failed', message: 'Puter broke off.' });
    const answer = await ask;
    expect(refusalOf(answer)).toEqual({ status: 502, code: 'upstream_failed' });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(answer.headers.has('retry-after')).toBe(false);
    await extension.next('ack');
  }
});

describe('a failure that says that it never started', () => {
  it.each(neverStarted)('M11 is not believed once the call started (%s)', async (code) => {
    const ask = rig.r0();
    const requestId = await extension.next('request');
    extension.start(requestId);
    extension.fail(requestId, { code, message: 'Not me.' });
    const answer = await ask;
    expect(refusalOf(answer)).toEqual({ status: 502, code: 'extension_failed' });
    expect(answer.headers.get('x-should-retry')).toBe('false');
    await extension.next('ack');
  });

  it.each<Failure>([
    { code: 'shutting_down', message: 'Not me.' },
    { code: 'queue_full', message: 'Not me.' },
    busy,
    { ...busy, upstream: { message: 'The provider is busy.', code: 'upstream_rate_limited' } },
  ])('M11 is not believed once a piece of the answer came (%o)', async (failure) => {
    for (const ask of [rig.r0(), rig.r1(chat())]) {
      const requestId = await extension.next('request');
      extension.start(requestId);
      extension.chunk(requestId, 0, 'partial');
      extension.fail(requestId, failure);
      const answer = await ask;
      expect(answer.status).toBe(502);
      expect(answer.headers.get('x-should-retry')).toBe('false');
      expect(answer.headers.has('retry-after')).toBe(false);
      await extension.next('ack');
    }
  });

  it('M11 is not believed of a stream, either', async () => {
    const ask = rig.r1(chat({ stream: true }));
    const requestId = await extension.next('request');
    extension.chunk(requestId, 0, 'partial');
    extension.fail(requestId, busy);
    const { status, body } = await ask;
    expect(status).toBe(200);
    const events: string[] = [];
    createParser({ onEvent: ({ data }) => events.push(data) }).feed(body);
    expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ error: { type: 'server_error', code: 'upstream_failed' } });
    await extension.next('ack');
  });

  it('M11 is not believed of the second call of a chat, whose first was billed', async () => {
    const ask = rig.r1(chat({ response_format: { type: 'json_object' } }));
    const first = await extension.next('request');
    extension.answer(first, 'no JSON');
    const second = await extension.next('request');
    extension.fail(second, { ...busy, upstream: { message: 'Busy.', code: 'upstream_rate_limited' } });
    const answer = await ask;
    expect(answer.status).toBe(502);
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });
});

describe('a refusal that a person has to mend', () => {
  const unpaid: Failure = { ...busy, upstream: { message: 'No usage left.', code: 'insufficient_funds' } };

  it('N5 is not believed once a piece of the answer came: its key makes no second call', async () => {
    const key = ['Idempotency-Key: piece'];
    const ask = rig.r0(key);
    const requestId = await extension.next('request');
    extension.chunk(requestId, 0, 'partial');
    extension.fail(requestId, unpaid);
    const [answer, again] = [await ask, await rig.r0(key)];
    expect(refusalOf(again)).toEqual(refusalOf(answer));
    expect(extension.requests).toEqual([requestId]);
  });

  it('N5 is not believed of the second call of a chat, whose first was billed', async () => {
    const body = chat({ response_format: { type: 'json_object' } });
    const key = ['Idempotency-Key: second'];
    const ask = rig.r1(body, key);
    extension.answer(await extension.next('request'), 'no JSON');
    extension.fail(await extension.next('request'), unpaid);
    const [answer, again] = [await ask, await rig.r1(body, key)];
    expect(refusalOf(again)).toEqual(refusalOf(answer));
    expect(extension.requests).toHaveLength(2);
  });
});

describe('Puter turns a call away', () => {
  it('M12 because of its rate: 429 and when to come back, once it did so again', { timeout: 30_000 }, async () => {
    const ask = rig.r1(chat());
    const requestId = await extension.next('request');
    extension.start(requestId);
    extension.fail(requestId, busy);
    await extension.next('ack');
    // It goes once more, when Puter has had its rest: here at once, by another extension.
    const other = await connectExtension(rig.bridge.url, { rate: 100_000 });
    expect(await other.next('request')).toBe(requestId);
    other.fail(requestId, busy);
    const answer = await ask;
    expect(refusalOf(answer)).toEqual({ status: 429, code: 'rate_limit_exceeded' });
    expect(answer.headers.get('x-should-retry')).toBe('true');
    expect(answer.headers.get('retry-after')).toBe('10');
    await other.next('ack');
    await other.close();
  });

  it('M12 because its provider has too much: 429 and when to come back', async () => {
    const ask = rig.r1(chat());
    const requestId = await extension.next('request');
    extension.start(requestId);
    extension.fail(requestId, { ...busy, upstream: { message: 'Busy.', code: 'upstream_rate_limited' } });
    const answer = await ask;
    expect(refusalOf(answer)).toEqual({ status: 429, code: 'upstream_rate_limited' });
    expect(answer.headers.get('x-should-retry')).toBe('true');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await extension.next('ack');
  });

  it.each([
    ['its allowance is used up', 'insufficient_funds', 402],
    ['it forbids the model', 'permission_denied', 403],
  ])('M12 because %s: no repetition would help', async (_, code, status) => {
    const ask = rig.r1(chat());
    const requestId = await extension.next('request');
    extension.fail(requestId, { ...busy, upstream: { message: 'No.', code } });
    const answer = await ask;
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-should-retry')).toBe('false');
    await extension.next('ack');
  });

  it('M12 because nobody is signed in: a person has to, and no repetition helps', async () => {
    for (const ask of [rig.r0(), rig.r1(chat())]) {
      const requestId = await extension.next('request');
      extension.fail(requestId, { code: 'puter_not_signed_in', message: 'Sign in to Puter.' });
      const answer = await ask;
      expect(refusalOf(answer)).toMatchObject({ code: 'puter_not_signed_in' });
      expect([401, 503]).toContain(answer.status);
      expect(answer.headers.get('x-should-retry')).toBe('false');
      await extension.next('ack');
    }
  });
});
