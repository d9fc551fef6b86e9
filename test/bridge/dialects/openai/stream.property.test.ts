import { EventSourceParserStream } from 'eventsource-parser/stream';
import fc from 'fast-check';
import type OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Bridge } from '../../../../bridge/bridge.ts';
import { startFakeExtension, type FakeExtension } from '../../../contract/fake-extension.ts';
import { startTemporaryBridge } from '../../temporary-bridge.ts';

let bridge: Bridge;
let extension: FakeExtension;
beforeAll(async () => {
  bridge = await startTemporaryBridge();
  extension = await startFakeExtension({ bridgeUrl: bridge.url });
});
afterAll(async () => {
  extension.close();
  await bridge.close();
});

const post = (pieces: readonly string[], change: object) =>
  fetch(`${bridge.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      model: 'pieces',
      messages: [{ role: 'user', content: JSON.stringify(pieces) }],
      ...change,
    }),
  });

async function streamed(pieces: readonly string[], change: object): Promise<{ text: string; finish: unknown }> {
  const response = await post(pieces, { ...change, stream: true });
  const events = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const data: string[] = [];
  for await (const event of events) data.push(event.data);
  expect(data.pop()).toBe('[DONE]');
  const choices = data.map((it) => (JSON.parse(it) as OpenAI.ChatCompletionChunk).choices[0]);
  expect(choices[0]?.delta.role).toBe('assistant');
  return {
    text: choices.map((choice) => choice?.delta.content ?? '').join(''),
    finish: choices.at(-1)?.finish_reason,
  };
}

async function whole(pieces: readonly string[], change: object): Promise<{ text: string; finish: unknown }> {
  const { choices } = (await (await post(pieces, change)).json()) as OpenAI.ChatCompletion;
  return { text: choices[0]?.message.content ?? '', finish: choices[0]?.finish_reason };
}

/** What a text comes to, told letter by letter. */
function cut(text: string, stops: readonly string[]): { text: string; finish: string } {
  for (let end = 1; end <= text.length; end += 1) {
    const found = stops.filter((stop) => text.slice(0, end).endsWith(stop)).map(({ length }) => length);
    if (found.length > 0) return { text: text.slice(0, end - Math.max(...found)), finish: 'stop' };
  }
  return { text, finish: 'stop' };
}

// What breaks parsers of events and of JSON, and few letters, so that stops come, break off and overlap.
const nasty = fc.constantFrom(
  '\n',
  '\r\n',
  '\r',
  '\0',
  'data: [DONE]',
  '\n\n',
  ': x',
  '"',
  '\\',
  '\u0085',
  '\u2028',
  '\u2029',
  '🦊',
  'é',
  ' ',
);
const piece = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 }), nasty);
const stop = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 }), nasty);

it('any text comes out the same, whole and streamed, however it came in pieces, up to the first stop', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.array(stop, { maxLength: 4 }), async (pieces, stops) => {
      const change = stops.length > 0 ? { stop: stops } : {};
      const expected = cut(pieces.join(''), stops);
      expect(await streamed(pieces, change)).toEqual(expected);
      expect(await whole(pieces, change)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
}, 30_000);
