import { createParser } from 'eventsource-parser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { maxAnswerChars, type FrameToBridge } from '#shared/protocol.ts';

import { greet, type Client } from '../bridge/connection/connections-rig.ts';
import type { RawAnswer } from '../bridge/raw-socket.ts';
import { json, refusalOf, useBridge } from './bridge-rig.ts';

/** What an extension may say of a call too late, twice, too much, or of the call of another. */

const rig = useBridge({ withExtension: false });

let client: Client;
/** Ids that came together. */
let acknowledged: string[];
beforeEach(async () => {
  acknowledged = [];
  client = await greet(rig.bridge.url);
  await client.next();
});
afterEach(async () => {
  client.socket.close();
  await client.closed;
});

/** What the client was sent next, of that type. */
async function next(type: 'request' | 'cancel' | 'ack'): Promise<string> {
  const left = type === 'ack' && acknowledged.shift();
  if (left) return left;
  let frame = await client.next();
  // It may always send more, here: whoever asks reads.
  while (frame.type === 'room') frame = await client.next();
  if (frame.type !== type) throw new Error(`A ${frame.type} came instead of a ${type}.`);
  if (frame.type !== 'ack') return frame.requestId;
  const [first = '', ...others] = frame.requestIds;
  acknowledged = others;
  return first;
}

const chunk = (requestId: string, seq: number, text: string): FrameToBridge => ({
  type: 'chunk',
  requestId,
  seq,
  parts: [{ type: 'text', text }],
});
const end = (requestId: string, seq: number) =>
  ({ type: 'end', requestId, seq, finishReason: 'stop', model: 'm', usage: null }) as const;

const resultOf = async (requestId: string): Promise<{ status: number; body: object }> => {
  const { status, body } = await rig.send(`GET /api/result/${requestId}`);
  return { status, body: JSON.parse(body) as object };
};

/** A call that the extension answers with `texts`. */
async function answered(asked: Promise<RawAnswer>, ...texts: string[]): Promise<string> {
  const requestId = await next('request');
  client.send({ type: 'started', requestId });
  for (const [seq, text] of texts.entries()) client.send(chunk(requestId, seq, text));
  client.send(end(requestId, texts.length));
  expect(await next('ack')).toBe(requestId);
  expect((await asked).status).toBe(200);
  return requestId;
}

it('G13 a second end is acknowledged, and the first answer stays', async () => {
  const requestId = await answered(rig.r0(), 'first');
  for (const seq of [0, 1, 7]) {
    client.send(end(requestId, seq));
    expect(await next('ack')).toBe(requestId);
  }
  client.send({ type: 'error', requestId, error: { code: 'upstream_failed', message: 'No, it failed.' } });
  expect(await next('ack')).toBe(requestId);
  expect(await resultOf(requestId)).toMatchObject({ status: 200, body: { result: 'first' } });
});

it('G14 an answer after its deadline is acknowledged, and the caller keeps its 504', async () => {
  const asked = rig.r0([], json({ prompt: 'x', timeout_ms: 50 }));
  const requestId = await next('request');
  client.send({ type: 'started', requestId });
  expect(refusalOf(await asked)).toEqual({ status: 504, code: 'timed_out' });
  expect(await next('cancel')).toBe(requestId);
  client.send(chunk(requestId, 0, 'late'));
  client.send(end(requestId, 1));
  expect(await next('ack')).toBe(requestId);
  expect(await resultOf(requestId)).toMatchObject({ status: 504, body: { code: 'timed_out' } });
});

it('G15 an answer after it was cancelled is acknowledged, and it stays cancelled', async () => {
  const hangUp = new AbortController();
  const body = json({ prompt: 'x' });
  const headers = { 'Content-Type': 'application/json' };
  const asked = fetch(`${rig.bridge.url}/api/process`, { method: 'POST', headers, body, signal: hangUp.signal });
  const requestId = await next('request');
  client.send({ type: 'started', requestId });
  hangUp.abort();
  await expect(asked).rejects.toThrow('aborted');
  expect(await next('cancel')).toBe(requestId);
  client.send(end(requestId, 0));
  expect(await next('ack')).toBe(requestId);
  expect(await resultOf(requestId)).toMatchObject({ status: 499, body: { code: 'cancelled' } });
});

it('G18 a piece after the end is ignored', async () => {
  const requestId = await answered(rig.r0(), 'whole');
  for (const seq of [0, 1, 2]) client.send(chunk(requestId, seq, ' and more'));
  client.send(end(requestId, 3));
  await next('ack');
  expect(await resultOf(requestId)).toMatchObject({ body: { result: 'whole' } });
});

it('G19 a call may be started twice, also while it streams', async () => {
  const asked = rig.r0();
  const requestId = await next('request');
  const started = { type: 'started', requestId } as const;
  for (const frame of [started, started, chunk(requestId, 0, 'a'), started, chunk(requestId, 1, 'b'), started])
    client.send(frame);
  client.send(end(requestId, 2));
  expect(JSON.parse((await asked).body)).toMatchObject({ result: 'ab' });
  await next('ack');
});

it('G20 one extension does not answer, fail or start the call of another', async () => {
  const asked = rig.r0();
  const requestId = await next('request');
  const stranger = await greet(rig.bridge.url, {
    instance: crypto.randomUUID(),
    profile: crypto.randomUUID(),
    requests: [requestId],
    paused: true,
  });
  expect(await stranger.next()).toMatchObject({ type: 'welcome', resume: [] });
  stranger.send({ type: 'started', requestId });
  stranger.send(chunk(requestId, 0, 'stolen'));
  stranger.send(end(requestId, 1));
  stranger.send({ type: 'error', requestId, error: { code: 'cancelled', message: 'Stolen.' } });
  const ids: string[] = [];
  while (ids.length < 2) {
    const frame = await stranger.next();
    ids.push(...(frame.type === 'ack' ? frame.requestIds : [`a ${frame.type}`]));
  }
  expect(ids).toEqual([requestId, requestId]);
  client.send(chunk(requestId, 0, 'mine'));
  client.send(end(requestId, 1));
  expect(JSON.parse((await asked).body)).toMatchObject({ result: 'mine' });
  await next('ack');
  stranger.socket.close();
  await stranger.closed;
});

describe('an answer', () => {
  it('G22 may come in one piece of 5 MB, or in 100,000 of one letter', { timeout: 30_000 }, async () => {
    const large = 'x'.repeat(5_000_000);
    const one = rig.r0();
    await answered(one, large);
    expect(JSON.parse((await one).body)).toMatchObject({ result: large });
    const many = rig.r0();
    await answered(many, ...Array.from({ length: 100_000 }, () => 'y'));
    expect(JSON.parse((await many).body)).toMatchObject({ result: 'y'.repeat(100_000) });
  });

  it('G22 that does not end fails, and its call is cancelled', { timeout: 30_000 }, async () => {
    const asked = rig.r1(json({ messages: [{ role: 'user', content: 'x' }] }));
    const requestId = await next('request');
    const piece = 'x'.repeat(5_000_000);
    for (let seq = 0; seq * piece.length <= maxAnswerChars; seq += 1) client.send(chunk(requestId, seq, piece));
    expect(await next('cancel')).toBe(requestId);
    const answer = await asked;
    expect(refusalOf(answer)).toEqual({ status: 502, code: 'answer_too_large' });
    // It ran, and was paid for.
    expect(answer.headers.get('x-should-retry')).toBe('false');
    client.send({ type: 'error', requestId, error: { code: 'cancelled', message: 'Cancelled.' } });
    await next('ack');
  });

  it('G22 fails by the names of tools, too, and by no number of pieces that say nothing', async () => {
    const asked = rig.r1(json({ messages: [{ role: 'user', content: 'x' }] }));
    const requestId = await next('request');
    const parts = Array.from({ length: 100_000 }, () => ({ type: 'text' as const, text: '' }));
    client.send({ type: 'chunk', requestId, seq: 0, parts });
    const name = 'x'.repeat(5_000_000);
    for (let seq = 1; (seq - 1) * name.length <= maxAnswerChars; seq += 1)
      client.send({ type: 'chunk', requestId, seq, parts: [{ type: 'tool_call', id: '', name, arguments: '' }] });
    expect(await next('cancel')).toBe(requestId);
    expect(refusalOf(await asked)).toEqual({ status: 502, code: 'answer_too_large' });
    client.send({ type: 'error', requestId, error: { code: 'cancelled', message: 'Cancelled.' } });
    await next('ack');
  });

  it('G22 fails by the number of its pieces, too, each of which takes its place', { timeout: 30_000 }, async () => {
    const asked = rig.r0();
    const requestId = await next('request');
    const parts = Array.from({ length: 100_000 }, () => ({ type: 'text' as const, text: 'x' }));
    for (let seq = 0; seq < 6; seq += 1) client.send({ type: 'chunk', requestId, seq, parts });
    expect(await next('cancel')).toBe(requestId);
    expect(refusalOf(await asked)).toEqual({ status: 502, code: 'answer_too_large' });
    client.send({ type: 'error', requestId, error: { code: 'cancelled', message: 'Cancelled.' } });
    await next('ack');
  });

  it('G24 is text in one event, whatever stands in it', async () => {
    const texts = [
      '\ud800',
      '\0',
      '\n\ndata: [DONE]\n\n',
      '</script>',
      '\r\rdata: x\r\n\r\n',
      '\u2028',
      'event: error\n\n',
      'end',
    ];
    const asked = rig.r1(json({ messages: [{ role: 'user', content: 'x' }], stream: true }));
    await answered(asked, ...texts);
    const { body } = await asked;
    const events: string[] = [];
    createParser({ onEvent: ({ data, event }) => events.push(`${event ?? ''}${data}`) }).feed(body);
    expect(events.at(-1)).toBe('[DONE]');
    const deltas = events
      .slice(0, -1)
      .map((data) => JSON.parse(data) as { choices: { delta: { content?: string } }[] });
    expect(deltas.map(({ choices }) => choices[0]?.delta.content)).toEqual(['', ...texts, undefined]);
  });

  it.each(['-1', '1e308', '"many"', 'null', '0.5', '9007199254740993', '{}'])(
    'G26 is delivered although its usage is %s',
    async (count) => {
      const asked = rig.r0();
      const requestId = await next('request');
      client.send(chunk(requestId, 0, 'fine'));
      const usage = `{"inputTokens":${count},"outputTokens":1}`;
      client.socket.send(JSON.stringify(end(requestId, 1)).replace('"usage":null', `"usage":${usage}`));
      await next('ack');
      // Counted here instead.
      expect(JSON.parse((await asked).body)).toMatchObject({
        result: 'fine',
        usage: { output_tokens: 1, estimated: true },
      });
    },
  );
});
