import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { HumanMessage, type AIMessageChunk } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { generateObject, generateText, stepCountIs, streamObject, streamText, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import type { Subject } from './process-contract.ts';

const place = z.object({ city: z.string(), celsius: z.number() });
const paris = { city: 'Paris', celsius: 21 };

/** Clients that speak OpenAI's wire in their own ways. */
export function describeClients(name: string, start: () => Promise<Subject>): void {
  describe(`clients through ${name}`, () => {
    let subject: Subject;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject?.close());

    describe('the AI SDK', () => {
      const model = (id: string, supportsStructuredOutputs = true) =>
        createOpenAICompatible({
          name: 'puter-bridge',
          baseURL: `${subject.url}/v1`,
          apiKey: 'any',
          includeUsage: true,
          supportsStructuredOutputs,
        })(id);
      const tools = {
        get_weather: tool({
          description: 'The weather of a city.',
          inputSchema: z.object({ city: z.string() }),
          execute: ({ city }) => Promise.resolve(`sunny in ${city}`),
        }),
      };

      it('generates text, with reasoning and usage', async () => {
        const answer = await generateText({ model: model('reasoning'), prompt: 'x' });
        expect(answer).toMatchObject({ text: '42', reasoningText: 'think think', finishReason: 'stop' });
        expect(answer.usage).toMatchObject({ inputTokens: 11, outputTokens: 7 });
      });

      it('streams text through tools, step by step', async () => {
        const stream = streamText({ model: model('agent'), prompt: 'x', tools, stopWhen: stepCountIs(3) });
        let text = '';
        for await (const piece of stream.textStream) text += piece;
        expect(text).toBe('The tool says: sunny in Paris');
        expect((await stream.steps).map(({ toolCalls }) => toolCalls.length)).toEqual([1, 0]);
        expect(await stream.totalUsage).toMatchObject({ inputTokens: 22, outputTokens: 14 });
      });

      const extra_content = { google: { thought_signature: 'sealed' } };
      it.each([
        ['deepseek-agent', { reasoning_content: 'I must ask.' }],
        ['gemini-3-agent', { content: [expect.objectContaining({ extra_content })] as object[] }],
      ])('goes on with what %s wants back with a call of a tool', async (id, wanted) => {
        const asked = { model: model(id), prompt: 'x', tools, stopWhen: stepCountIs(3) };
        expect((await generateText(asked)).text).toBe('The tool says: sunny in Paris');
        expect(subject.calls.at(-1)?.messages).toContainEqual(expect.objectContaining(wanted));
        expect(await streamText(asked).text).toBe('The tool says: sunny in Paris');
        expect(subject.calls.at(-1)?.messages).toContainEqual(expect.objectContaining(wanted));
      });

      it('runs the one of several tools that is wanted', async () => {
        const files = {
          ...tools,
          read: tool({
            inputSchema: z.object({ path: z.string() }),
            execute: ({ path }) => Promise.resolve(`# ${path}`),
          }),
        };
        const prompt = 'Please call read {"path":"a.md"}';
        const answer = await generateText({ model: model('caller'), prompt, tools: files, stopWhen: stepCountIs(3) });
        expect(answer.text).toBe('The tool says: # a.md');
      });

      it('keeps two calls at once, streamed', async () => {
        const both = {
          ...tools,
          get_time: tool({ inputSchema: z.object({ tz: z.string() }), execute: ({ tz }) => Promise.resolve(tz) }),
        };
        const stream = streamText({ model: model('parallel-tools'), prompt: 'x', tools: both });
        expect((await stream.toolCalls).map(({ toolName }) => toolName)).toEqual(['get_weather', 'get_time']);
      });

      it.each([true, false])('generates objects (by schema: %s)', async (bySchema) => {
        const { object } = await generateObject({
          model: model('json-in-prose', bySchema),
          schema: place,
          prompt: 'x',
        });
        expect(object).toEqual(paris);
        const stream = streamObject({ model: model('json', bySchema), schema: place, prompt: 'x' });
        const partial = [];
        for await (const piece of stream.partialObjectStream) partial.push(piece);
        expect(partial.at(-1)).toEqual(paris);
        expect(await stream.object).toEqual(paris);
      });
    });

    describe('LangChain', () => {
      const model = (id: string) =>
        new ChatOpenAI({ model: id, apiKey: 'any', configuration: { baseURL: `${subject.url}/v1` }, maxRetries: 0 });
      const weather = langchainTool(({ city }: { city: string }) => `sunny in ${city}`, {
        name: 'get_weather',
        description: 'The weather of a city.',
        schema: z.object({ city: z.string() }),
      });

      it('invokes and streams', async () => {
        const answer = await model('echo').invoke([new HumanMessage('hi')]);
        expect(answer.content).toBe('You said: hi');
        expect(answer.usage_metadata).toMatchObject({ input_tokens: 11, output_tokens: 7 });
        let whole: AIMessageChunk | undefined;
        for await (const chunk of await model('utf8').stream('x')) whole = whole ? whole.concat(chunk) : chunk;
        expect(whole?.content).toBe('Grüße aus Zürich — 日本語のテキスト 🦊👩‍🚀 fin');
        expect(whole?.usage_metadata).toMatchObject({ total_tokens: 18 });
      });

      it('binds tools, and hands their results back', async () => {
        const bound = model('agent').bindTools([weather]);
        const first = await bound.invoke('Weather?');
        expect(first.tool_calls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }]);
        const result = await weather.invoke(first.tool_calls![0]!);
        const second = await bound.invoke([new HumanMessage('Weather?'), first, result]);
        expect(second.content).toBe('The tool says: sunny in Paris');
      });

      it.each(['jsonSchema', 'functionCalling', 'jsonMode'] as const)(
        'gives structured output by %s',
        async (method) => {
          const id = method === 'functionCalling' ? 'place-when-told' : 'json-in-prose';
          const structured = model(id).withStructuredOutput(place, { name: 'place', method });
          expect(await structured.invoke('Weather as JSON?')).toEqual(paris);
        },
      );
    });
  });
}
