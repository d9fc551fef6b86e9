import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Answer, type Capture, essence, readCaptures } from './capture.ts';
import { isRecord } from './models.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

const captures = readCaptures();
const replayable = captures.filter(({ request }) => request !== null);

// The requests behind the captures that hold only an answer. The real 429 came after too many calls in ten seconds,
// which the stand-in does not count: a model that refuses so stands in for it.
const rateLimited = {
  interface: 'puter-chat-completion',
  method: 'complete',
  args: { model: 'fail:too_many_requests' },
};

let standIn: StandIn;
beforeAll(async () => {
  // The captured Puter had no default model.
  standIn = await startStandIn({ defaultModel: null });
});
afterAll(async () => standIn.close());

async function replay(path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(standIn.origin + path, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

const withToken = (body: string) => body.replaceAll('<TOKEN>', standIn.mintToken());
const captured = (name: string): Answer => captures.find((capture) => capture.name === name)!.answer;

describe('the stand-in answers as Puter did', () => {
  it.each(replayable)('to $name', async ({ request, answer }: Capture) => {
    const { method, path, headers, body } = request!;
    // The length and the host are the client's to set.
    const sent = headers.filter(([header]) => !/^(host|content-length)$/i.test(header));
    expect(essence(await replay(path, { method, headers: sent, body: withToken(body) }))).toEqual(essence(answer));
  });

  it('to too many calls, without an Origin', async () => {
    const body = withToken(JSON.stringify({ ...rateLimited, auth_token: '<TOKEN>' }));
    const answer = await replay('/drivers/call', { method: 'POST', body });
    expect(essence(answer)).toEqual(essence(captured('err-rate-limit')));
  });

  it.each([
    ['models', '/puterai/chat/models'],
    ['models-details', '/puterai/chat/models/details'],
  ])('to a question for %s', async (name, path) => {
    const [ours, theirs] = [essence(await replay(path)), essence(captured(name))];
    expect({ ...ours, body: null }).toEqual({ ...theirs, body: null });
    const [entry] = modelsOf(theirs.body);
    const models = modelsOf(ours.body);
    expect(models.length).toBeGreaterThan(10);
    for (const model of models) expect(model).toEqual(atLeast(entry));
  });
});

const modelsOf = (body: unknown): unknown[] => (isRecord(body) && Array.isArray(body['models']) ? body['models'] : []);

/**
 * Puter's local models all look alike; ours are of several kinds, so an entry may have more than one of Puter's has.
 * Prices are named differently by each provider: only `tokens` is everywhere.
 */
function atLeast(entry: unknown): unknown {
  if (!isRecord(entry)) return entry;
  return expect.objectContaining({ ...entry, costs: expect.objectContaining({ tokens: 'number' }) });
}

const changed = (answer: Answer, from: string, to: string): Answer => ({
  ...answer,
  body: answer.body.replace(from, to),
});

describe('the comparison notices', () => {
  const whole = captured('stub-nonstream');
  const stream = captured('stub-stream');
  const refusal = captured('err-unknown-model');

  it.each([
    ['another status', whole, { ...whole, status: 201 }],
    ['another header', whole, { ...whole, headers: new Headers({ vary: 'Origin' }) }],
    ['a missing key', whole, changed(whole, ',"refusal":null', '')],
    ['another type', whole, changed(whole, '"usd_cents":null', '"usd_cents":1')],
    ['a line too few', stream, changed(stream, '{"type":"text","text":" from"}\n', '')],
    ['another kind of line', stream, changed(stream, '"type":"text"', '"type":"reasoning"')],
    ['another word in a refusal', refusal, changed(refusal, 'not found', 'unknown')],
  ])('%s', (_, answer, other) => {
    expect(essence(other)).not.toEqual(essence(answer));
  });
});
