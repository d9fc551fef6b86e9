import OpenAI from 'openai';
import { LengthFinishReasonError } from 'openai/core/error';
import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import type { Subject } from './process-contract.ts';

/** What Puter's driver does not carry and the bridge does itself, judged by OpenAI's own client. */
export function describeToolsAndJson(name: string, start: () => Promise<Subject>): void {
  describe(`tools and JSON through ${name}`, () => {
    let subject: Subject;
    let client: OpenAI;
    beforeAll(async () => {
      subject = await start();
      client = new OpenAI({ baseURL: `${subject.url}/v1`, apiKey: 'any' });
    });
    afterAll(() => subject?.close());

    const ask = (content: string) => [{ role: 'user' as const, content }];
    const systemOf = () => {
      const [first] = subject.calls.at(-1)?.messages ?? [];
      return (first as { content: string }).content;
    };
    const countCalls = () => subject.calls.length;

    const place = z.object({ city: z.string(), celsius: z.number() });
    const format = zodResponseFormat(place, 'place');
    const parse = (model: string) =>
      client.chat.completions.parse({ model, messages: ask('Weather?'), response_format: format });

    describe('a JSON Schema', () => {
      it.each([
        ['json', 1],
        ['json-in-prose', 1],
        ['json-late', 2],
        ['json-misfit-first', 2],
      ])('is what .parse() gets from %s, in %i call(s), and every call is counted', async (model, expected) => {
        const before = countCalls();
        const answer = await parse(model);
        expect(answer.choices[0]?.message.parsed).toEqual({ city: 'Paris', celsius: 21 });
        expect(answer.choices[0]?.message.content).toBe('{"city":"Paris","celsius":21}');
        expect(countCalls()).toBe(before + expected);
        expect(answer.usage?.total_tokens).toBe(18 * expected);
        expect(systemOf()).toContain('"celsius"');
        expect(subject.calls.at(-1)?.args).toMatchObject({ text: { format: { type: 'json_schema', strict: true } } });
      });

      it('is streamed once it is known to fit', async () => {
        const runner = client.chat.completions.stream({
          model: 'json-late',
          messages: ask('Weather?'),
          response_format: format,
        });
        const whole = await runner.finalChatCompletion();
        expect(whole.choices[0]?.message.parsed).toEqual({ city: 'Paris', celsius: 21 });
      });

      it('ends in a refusal in the model’s own words where it gives none', async () => {
        const answer = await parse('json-never');
        expect(answer.choices[0]).toMatchObject({
          finish_reason: 'stop',
          message: { content: null, parsed: null, refusal: 'I will not answer that.' },
        });
        const runner = client.chat.completions.stream({
          model: 'json-never',
          messages: ask('Weather?'),
          response_format: format,
        });
        expect((await runner.finalChatCompletion()).choices[0]?.message.refusal).toBe('I will not answer that.');
      });

      it('ends in an error that is not repeated where the model gives another', async () => {
        const before = countCalls();
        const error: unknown = await parse('json-misfit').catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(OpenAI.UnprocessableEntityError);
        expect(error).toMatchObject({ status: 422, code: 'unusable_answer' });
        expect((error as Error).message).toMatch(/\/city must be string/);
        expect(countCalls()).toBe(before + 2);
      });

      it('that was cut off is what the client calls it', async () => {
        await expect(parse('json-cut')).rejects.toBeInstanceOf(LengthFinishReasonError);
      });
    });

    it('json_object is an object, and nothing around it', async () => {
      const answer = await client.chat.completions.create({
        model: 'json-in-prose',
        messages: [{ role: 'system', content: 'Be brief.' }, ...ask('Weather as JSON?')],
        response_format: { type: 'json_object' },
      });
      expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: 'Paris', celsius: 21 });
      expect(systemOf()).toMatch(/^Be brief\.\n\nAnswer with one JSON object/);
    });

    it('json_object with a schema, as other servers take it, is held to the schema', async () => {
      const asked = (model: string) =>
        client.chat.completions.create({
          model,
          messages: ask('Weather as JSON?'),
          response_format: { type: 'json_object', schema: { properties: { city: { type: 'string' } } } } as never,
        });
      expect((await asked('json-misfit-first')).choices[0]?.message.content).toBe('{"city":"Paris","celsius":21}');
      expect(systemOf()).toContain('"city"');
      await expect(asked('json-misfit')).rejects.toMatchObject({ status: 422, code: 'unusable_answer' });
    });

    it.each(['json', 'json-in-prose', 'json-late'])('a stop ends JSON, not what %s says around it', async (model) => {
      const request = { model, messages: ask('x'), stop: ',', response_format: { type: 'json_object' as const } };
      const whole = await client.chat.completions.create(request);
      expect(whole.choices[0]).toMatchObject({
        finish_reason: 'stop',
        message: { content: '{"city":"Paris"', refusal: null },
      });
      expect(whole.usage).toBeDefined();
      const streamed = await client.chat.completions.stream(request).finalChatCompletion();
      expect(streamed.choices[0]?.message.content).toBe('{"city":"Paris"');
    });

    const tool = (toolName: string) => ({
      type: 'function' as const,
      function: { name: toolName, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
    });
    const tools = [tool('get_weather'), tool('get_time')];
    const called = (answer: OpenAI.ChatCompletion) =>
      answer.choices[0]?.message.tool_calls?.map((call) => ('function' in call ? call.function.name : '')) ?? [];

    describe('a tool that must be called', () => {
      it.each([
        ['tools-when-told', 1],
        ['tools-late', 2],
      ])('is called by %s, in %i call(s)', async (model, expected) => {
        const before = countCalls();
        const answer = await client.chat.completions.create({
          model,
          messages: ask('Hello'),
          tools,
          tool_choice: 'required',
        });
        expect(called(answer)).toEqual(['get_weather']);
        expect(answer.choices[0]?.finish_reason).toBe('tool_calls');
        expect(countCalls()).toBe(before + expected);
        expect(subject.calls.at(-1)?.args).toMatchObject({ tool_choice: 'required', stream: false });
      });

      it('by name is the only one that the model sees', async () => {
        const answer = await client.chat.completions.create({
          model: 'tools-when-told',
          messages: ask('Hello'),
          tools,
          tool_choice: { type: 'function', function: { name: 'get_time' } },
        });
        expect(called(answer)).toEqual(['get_time']);
        expect(subject.calls.at(-1)?.args['tools']).toMatchObject([{ function: { name: 'get_time' } }]);
      });

      it('and never is, is an error', async () => {
        await expect(
          client.chat.completions.create({ model: 'tools-never', messages: ask('x'), tools, tool_choice: 'required' }),
        ).rejects.toMatchObject({ status: 422, code: 'unusable_answer' });
      });
    });

    it('calls one tool at a time where the caller wants it so', async () => {
      const request = { model: 'parallel-tools', messages: ask('x'), tools, parallel_tool_calls: false };
      expect(called(await client.chat.completions.create(request))).toEqual(['get_weather']);
      expect(called(await client.chat.completions.stream(request).finalChatCompletion())).toEqual(['get_weather']);
      expect(subject.calls.at(-1)?.args).toMatchObject({ parallel_tool_calls: false });
    });

    it('gives every call an id of its own', async () => {
      const answer = await client.chat.completions.create({ model: 'nameless-calls', messages: ask('x'), tools });
      const ids = answer.choices[0]?.message.tool_calls?.map(({ id }) => id) ?? [];
      expect(new Set(ids).size).toBe(2);
      for (const id of ids) expect(id).toMatch(/^call_/);
    });

    it.each([false, true])('runs tools for the client until there is an answer (streamed: %s)', async (stream) => {
      const asked: string[] = [];
      const runnable = {
        type: 'function' as const,
        function: {
          name: 'get_weather',
          description: 'The weather of a city.',
          parameters: { type: 'object', properties: { city: { type: 'string' } } },
          parse: JSON.parse as (text: string) => { city: string },
          function({ city }: { city: string }) {
            asked.push(city);
            return 'sunny';
          },
        },
      };
      const request = { model: 'agent', messages: ask('Weather?'), tools: [runnable] };
      const final = stream
        ? client.chat.completions.runTools({ ...request, stream: true }).finalContent()
        : client.chat.completions.runTools(request).finalContent();
      expect(await final).toBe('The tool says: sunny');
      expect(asked).toEqual(['Paris']);
    });

    it('hands audio and files on to a model that takes them', async () => {
      await expect
        .poll(async () => (await client.models.list().catch(() => ({ data: [] }))).data.length)
        .toBeGreaterThan(0);
      const content: OpenAI.ChatCompletionContentPart[] = [
        { type: 'text', text: 'What is this?' },
        { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' } },
      ];
      await client.chat.completions.create({ model: 'all-ears', messages: [{ role: 'user', content }] });
      expect(subject.calls.at(-1)?.messages).toEqual([{ role: 'user', content }]);
      await expect(
        client.chat.completions.create({ model: 'whole-only', messages: [{ role: 'user', content }] }),
      ).rejects.toMatchObject({ status: 400, param: 'messages.0.content.1' });
    });

    it('says in a header what was done here', async () => {
      const { response } = await client.chat.completions
        .create({
          model: 'tools-when-told',
          messages: [{ role: 'user', content: 'x', name: 'ann' }],
          tools,
          tool_choice: 'required',
          metadata: { a: 'b' },
        })
        .withResponse();
      expect(response.headers.get('x-puter-bridge-fidelity')).toBe(
        'native=model,messages,tools; emulated=tool_choice; ignored=metadata,messages.name',
      );
    });
  });
}
