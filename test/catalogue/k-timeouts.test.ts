import { createParser } from 'eventsource-parser';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import { defaultLimits } from '../../bridge/limits.ts';
import { chunk, createPeer, createRig, end, text } from '../bridge/lifecycle/dispatcher-rig.ts';
import type { RawAnswer } from '../bridge/raw-socket.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { json, refusalOf, useBridge } from './bridge-rig.ts';
import { connectExtension, type TestExtension } from './extension-rig.ts';

/** How long everything may take, and what a caller is told of what took longer. */

const chat = (change: object = {}) => json({ messages: [{ role: 'user', content: 'x' }], ...change });
const shouldRetry = ({ headers }: RawAnswer) => headers.get('x-should-retry');

/** An extension for every case, that does what the case tells it. */
function useExtension(rig: ReturnType<typeof useBridge>): () => TestExtension {
  let extension: TestExtension;
  beforeEach(async () => {
    extension = await connectExtension(rig.bridge.url);
  });
  afterEach(() => extension.close());
  return () => extension;
}

/** As our extension does once the call is over in its lane. */
async function cancelled(extension: TestExtension, requestId: string): Promise<void> {
  expect(await extension.next('cancel')).toBe(requestId);
  extension.fail(requestId, { code: 'cancelled', message: 'The call was cancelled.' });
  expect(await extension.next('ack')).toBe(requestId);
}

describe('a call that started, and whose model says nothing', () => {
  const rig = useBridge({ withExtension: false, firstTokenMs: 100 });
  const extension = useExtension(rig);

  it.each([
    ['/api/process', () => rig.r0()],
    ['a chat', () => rig.r1(chat())],
    ['a stream', () => rig.r1(chat({ stream: true }))],
  ])('K1 is cancelled, and may have been billed (%s)', async (_, ask) => {
    const asked = ask();
    const requestId = await extension().next('request');
    extension().start(requestId);
    const answer = await asked;
    expect(refusalOf(answer)).toEqual({ status: 504, code: 'first_token_timeout' });
    expect(shouldRetry(answer)).toBe('false');
    await cancelled(extension(), requestId);
  });

  it('K1 may take as long as it likes for the second piece', async () => {
    const asked = rig.r0();
    const requestId = await extension().next('request');
    extension().start(requestId);
    extension().chunk(requestId, 0, 'at last, ');
    const other = rig.r0();
    const silent = await extension().next('request');
    extension().start(silent);
    expect((await other).status).toBe(504);
    await cancelled(extension(), silent);
    extension().chunk(requestId, 1, 'and more');
    extension().end(requestId, 2);
    expect(JSON.parse((await asked).body)).toMatchObject({ result: 'at last, and more' });
  });

  it.each([
    ['tools are offered', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['JSON is wanted', { response_format: { type: 'json_object' } }],
  ])('K1 is not ended where its whole answer comes at once, since %s', async (_, change) => {
    const asked = rig.r1(chat(change));
    const whole = await extension().next('request');
    extension().start(whole);
    const other = rig.r0();
    const streamed = await extension().next('request');
    extension().start(streamed);
    expect((await other).status).toBe(504);
    await cancelled(extension(), streamed);
    extension().chunk(whole, 0, '{}');
    extension().end(whole, 1);
    expect((await asked).status).toBe(200);
  });
});

describe('a call that its extension does not say it took', () => {
  const rig = useBridge({ withExtension: false, ackMs: 100 });
  const extension = useExtension(rig);

  it('K4 is cancelled, may have begun, and goes to nobody else', async () => {
    const asked = rig.r1(chat());
    const requestId = await extension().next('request');
    const other = await connectExtension(rig.bridge.url);
    const answer = await asked;
    expect(refusalOf(answer)).toEqual({ status: 504, code: 'not_acknowledged' });
    expect(shouldRetry(answer)).toBe('false');
    expect(await extension().next('cancel')).toBe(requestId);
    // What it says of it now changes nothing.
    extension().answer(requestId, 'late');
    expect(await extension().next('ack')).toBe(requestId);
    expect([extension().requests, other.requests]).toEqual([[requestId], []]);
    await other.close();
  });

  it('K4 goes on where it says so in time', async () => {
    const asked = rig.r1(chat());
    const requestId = await extension().next('request');
    extension().start(requestId);
    // The next one waits for the same time, and for longer than this one would have.
    const next = rig.r1(chat());
    const unheard = await extension().next('request');
    expect(refusalOf(await next).code).toBe('not_acknowledged');
    await cancelled(extension(), unheard);
    extension().answer(requestId, 'in time');
    expect((await asked).status).toBe(200);
  });
});

describe('a whole chat of OpenAI’s clients', () => {
  const rig = useBridge({ withExtension: false, deadlineMs: 150 });
  const extension = useExtension(rig);

  it('K3 has a deadline, before those clients send it again', async () => {
    const asked = rig.r1(chat());
    const requestId = await extension().next('request');
    extension().start(requestId);
    extension().chunk(requestId, 0, 'partial');
    const answer = await asked;
    expect(refusalOf(answer)).toEqual({ status: 504, code: 'timed_out' });
    expect(answer.body).not.toContain('partial');
    expect(shouldRetry(answer)).toBe('false');
    await cancelled(extension(), requestId);
  });

  it('K3 says so in its stream, which then has no [DONE]', async () => {
    const asked = rig.r1(chat({ stream: true }));
    const requestId = await extension().next('request');
    extension().chunk(requestId, 0, 'partial');
    const { status, body } = await asked;
    expect(status).toBe(200);
    const events: string[] = [];
    createParser({ onEvent: ({ data }) => events.push(data) }).feed(body);
    expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ error: { code: 'timed_out' } });
    await cancelled(extension(), requestId);
  });
});

describe('a deadline and an answer', () => {
  const rig = useBridge({ withExtension: false });
  const extension = useExtension(rig);

  it('K5 that come at about the same time are one outcome, told to the caller and kept', async () => {
    for (let round = 0; round < 30; round += 1) {
      const asked = rig.r0([], json({ prompt: 'x', timeout_ms: 20 }));
      const requestId = await extension().next('request');
      extension().start(requestId);
      setTimeout(() => extension().answer(requestId, 'just now'), 10 + (round % 15));
      const { status, body } = await asked;
      expect([200, 504]).toContain(status);
      expect(await extension().next('ack')).toBe(requestId);
      const kept = await rig.send(`GET /api/result/${requestId}`);
      expect([kept.status, kept.body]).toEqual([status, body]);
    }
    // Each went out once, and each 504 was cancelled once at most: what had ended in its lane needs no cancel.
    expect(new Set(extension().requests).size).toBe(30);
  });

  it.each<[string, (cancel: () => void, end: () => void) => void, object]>([
    ['the deadline first', (cancel, end) => (cancel(), end()), { code: 'timed_out' }],
    ['the answer first', (cancel, end) => (end(), cancel()), { text: 'x' }],
  ])('K5 in one turn are what came first: %s', async (_, both, outcome) => {
    const { dispatcher, submit, connect } = createRig();
    const peer = createPeer('a');
    connect(peer);
    const call = submit();
    dispatcher.receive(peer, chunk(call.requestId, 0, text('x')));
    both(
      () => call.cancel(new BridgeError('timed_out', 'Too late.')),
      () => dispatcher.receive(peer, end(call.requestId, 1)),
    );
    expect(await call.outcome).toEqual(outcome);
    dispatcher.recorded(call.requestId);
    dispatcher.receive(peer, end(call.requestId, 1));
    expect(dispatcher.counts()).toEqual({ queued: 0, running: 0 });
    expect(dispatcher.busyLanes(peer)).toBe(0);
  });

  it.each(['0', '-1', '1e12', '"abc"', 'null', '1.5', '600001'])('K6 timeout_ms cannot be %s', async (value) => {
    const answer = await rig.r0([], `{"prompt":"x","timeout_ms":${value}}`);
    expect(refusalOf(answer)).toMatchObject({ status: 400, param: 'timeout_ms' });
    expect(extension().requests).toEqual([]);
  });

  it.each(['0', '-1', '1', '1e12', 'abc'])('K6 is set by no header (X-Timeout-Ms: %s)', async (value) => {
    const asked = rig.r0([`X-Timeout-Ms: ${value}`]);
    const requestId = await extension().next('request');
    extension().answer(requestId, 'in time');
    expect((await asked).status).toBe(200);
  });
});

it.each([-1, 1])('K7 a clock that is set by %i h ends nothing and resends nothing', async (hours) => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const bridge = await startTemporaryBridge({ limits: { ...defaultLimits, heartbeatMs: 300 } });
  onTestFinished(() => bridge.close());
  const extension = await connectExtension(bridge.url, { lanes: 1 });
  void extension.pong(0);
  const ask = (prompt: string) =>
    fetch(`${bridge.url}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: json({ prompt, timeout_ms: 600_000 }),
    });
  const [running, queued] = [ask('one'), ask('two')];
  const first = await extension.next('request');
  extension.start(first);

  vi.setSystemTime(Date.now() + hours * 3_600_000);
  // More than it takes to give up one that says nothing.
  await extension.pong(4);
  extension.answer(first, 'one');
  expect((await running).status).toBe(200);
  const second = await extension.next('request');
  extension.answer(second, 'two');
  expect((await queued).status).toBe(200);
  expect(extension.requests).toEqual([first, second]);
  expect(bridge.status.read().extensions).toHaveLength(1);
});
