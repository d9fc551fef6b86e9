import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it, onTestFinished } from 'vitest';

import { modelListSchema, namesOf, type Model } from '#shared/models.ts';

import { fetchModels, readModels } from '../../../extension/puter/models.ts';
import { startStandIn } from '../../puter/stand-in.ts';

describe('Puter’s list', () => {
  async function listFrom(status: number, body: string): Promise<Model[]> {
    const server = createServer((_, response) => response.writeHead(status).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await fetchModels(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }
  const readOne = async (fields: object) => {
    const [model] = await listFrom(200, JSON.stringify({ models: [{ id: 'm', ...fields }] }));
    return model ?? expect.fail('The list is empty.');
  };
  const cents = 'usd-cents';

  it('is had without a token, with prices in dollars per million tokens', async () => {
    const puter = await startStandIn();
    onTestFinished(() => puter.close());
    const models = await fetchModels(puter.apiOrigin);
    const named = (id: string) => models.find((model) => model.id === id);
    expect(named('anthropic')).toEqual({
      id: 'anthropic',
      aliases: ['claude-echo', 'anthropic/echo', 'anthropic:anthropic/echo'],
      provider: 'claude',
      contextTokens: 200_000,
      maxOutputTokens: 64_000,
      inputPrice: 3,
      outputPrice: 15,
      inputs: ['text', 'image'],
      tools: true,
      reasoning: null,
      releasedAt: Date.UTC(2026, 1, 17),
    });
    expect(named('big')).toEqual({
      id: 'big',
      aliases: [],
      provider: 'ollama',
      contextTokens: null,
      maxOutputTokens: 8192,
      inputPrice: 0,
      outputPrice: 0,
      inputs: null,
      tools: null,
      reasoning: null,
      releasedAt: null,
    });
    expect(named('long-stream')).toMatchObject({ inputPrice: 0.05, outputPrice: 0.4 });
    expect(named('all-ears')?.inputs).toEqual(['text', 'image', 'audio', 'pdf']);
    expect([named('reasoning')?.reasoning, named('whole-only')?.reasoning]).toEqual([true, false]);
  });

  it.each([
    ['input_token', 'output_token'],
    ['input_tokens', 'output_tokens'],
    ['prompt_tokens', 'completion_tokens'],
    ['prompt_token', 'completion_token'],
  ])('has its prices under %s and %s', async (input, output) => {
    const costs = { tokens: 1000, cached_input_tokens: 9, output_tokens_extra: 9, [input]: 0.25, [output]: 1 };
    expect(await readOne({ costs_currency: cents, costs })).toMatchObject({ inputPrice: 2.5, outputPrice: 10 });
  });

  it.each([
    ['another currency', { costs_currency: 'eur-cents', costs: { tokens: 1000, input_tokens: 1, output_tokens: 1 } }],
    ['no currency', { costs: { tokens: 1000, input_tokens: 1, output_tokens: 1 } }],
    ['no costs', { costs_currency: cents }],
    ['costs of other things', { costs_currency: cents, costs: { tokens: 1000, images: 1 } }],
    ['costs of no amount', { costs_currency: cents, costs: { input_tokens: 1, output_tokens: 1 } }],
    ['costs of an amount of nothing', { costs_currency: cents, costs: { tokens: 0, input_tokens: 1 } }],
    ['costs in words', { costs_currency: cents, costs: { tokens: 1000, input_tokens: 'free', output_tokens: '1' } }],
  ])('tells no price where there is %s', async (_, fields) => {
    expect(await readOne(fields)).toMatchObject({ inputPrice: null, outputPrice: null });
  });

  it.each([
    [{ context: 8192 }, 8192],
    [{ context: null }, null],
    [{}, null],
  ])('tells the context where Puter does: %j', async (fields, contextTokens) => {
    expect(await readOne(fields)).toMatchObject({ contextTokens });
  });

  it.each([
    [{ reasoning: { efforts: ['low'] } }, { reasoning: null }],
    [{ modalities: null }, { inputs: null }],
    [{ modalities: { output: ['text'] } }, { inputs: null }],
  ])('tells nothing of what Puter says in another way: %j', async (fields, told) => {
    expect(await readOne(fields)).toMatchObject(told);
  });

  it('holds every name that a model answers to', async () => {
    const models = [{ id: 'a', aliases: ['b', 'c'], puterId: 'd', name: 'A' }, { id: 'e' }];
    const list = await listFrom(200, JSON.stringify({ models }));
    expect(list.flatMap(namesOf)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each(['', 'null', '[]', '{"models":["a"]}', '{"models":[{"id":5}]}'])('is none where it is %j', async (body) => {
    await expect(listFrom(200, body)).rejects.toBeInstanceOf(Error);
  });

  it('is without entries that the bridge would not take, and without what is odd in the others', async () => {
    const odd = {
      context: -1,
      costs_currency: cents,
      costs: { tokens: 10, input_tokens: -5 },
      release_date: '1960-01-01',
    };
    const models = [
      { id: 'good', aliases: ['x'.repeat(301), 5, 'alias'] },
      { id: 'x'.repeat(301) },
      5,
      { id: 'odd', ...odd },
    ];
    const list = await listFrom(200, JSON.stringify({ models }));
    expect(list.map(namesOf)).toEqual([['good', 'alias'], ['odd']]);
    expect(list[1]).toMatchObject({ contextTokens: null, inputPrice: null, releasedAt: null });
    const many = Array.from({ length: 5001 }, (_, n) => ({ id: `m${n}` }));
    expect(await listFrom(200, JSON.stringify({ models: many }))).toHaveLength(5000);
  });

  it('is one that the bridge takes, whatever Puter says', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constant('x'.repeat(301)), fc.constantFrom('1900-01-01', '2026-01-01'));
    const costs = fc.record({ tokens: value, input_tokens: value, output_token: value }, { requiredKeys: [] });
    const keys = ['aliases', 'puterId', 'provider', 'context', 'max_tokens', 'modalities', 'tool_call', 'release_date'];
    const fields = fc.dictionary(fc.constantFrom(...keys), fc.oneof(value, fc.array(value)));
    const model = fc.tuple(fields, fc.oneof(fc.string(), value), costs).map(([rest, id, costs]) => ({
      ...rest,
      id,
      costs,
      costs_currency: cents,
    }));
    fc.assert(
      fc.property(fc.array(model), (models) => {
        const list = readModels({ models: [{ id: 'good' }, ...models] });
        // As it is on the wire.
        expect(v.is(modelListSchema, JSON.parse(JSON.stringify(list)))).toBe(true);
      }),
    );
  });

  it('cannot be had where Puter refuses or cannot be reached', async () => {
    await expect(listFrom(429, '{"code":"too_many_requests","message":"Too many requests."}')).rejects.toThrow(
      /models/,
    );
    await expect(fetchModels('http://127.0.0.1:1')).rejects.toThrow('fetch failed');
  });
});
