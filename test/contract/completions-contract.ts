import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Subject } from './process-contract.ts';

/** OpenAI's older Completions, judged by its own client. */
export function describeCompletions(name: string, start: () => Promise<Subject>): void {
  describe(`/v1/completions through ${name}`, () => {
    let subject: Subject;
    let client: OpenAI;
    beforeAll(async () => {
      subject = await start();
      client = new OpenAI({ baseURL: `${subject.url}/v1`, apiKey: 'any' });
    });
    afterAll(() => subject?.close());

    it('goes on with a text', async () => {
      const { data, response } = await client.completions
        .create({ model: 'echo', prompt: 'Once upon', max_tokens: 50, presence_penalty: 1 })
        .withResponse();
      expect(data).toMatchObject({
        object: 'text_completion',
        model: 'echo',
        choices: [{ index: 0, text: 'You said: Once upon', logprobs: null, finish_reason: 'stop' }],
        usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
      });
      expect(data.id).toMatch(/^cmpl-/);
      expect(response.headers.get('x-request-id')).toBe(data.id);
      expect(response.headers.get('x-puter-bridge-fidelity')).toBe(
        'native=model,max_tokens; emulated=prompt; ignored=presence_penalty',
      );
      expect(subject.calls.at(-1)).toMatchObject({
        messages: [{ role: 'system' }, { role: 'user', content: 'Once upon' }],
        args: { max_tokens: 50 },
      });
    });

    it('fills a gap in', async () => {
      await client.completions.create({ model: 'echo', prompt: 'def f(x):\n', suffix: '\n  return y' });
      expect(subject.calls.at(-1)?.messages.at(-1)).toEqual({
        role: 'user',
        content: 'def f(x):\n<gap/>\n  return y',
      });
    });

    it('streams, ends at a stop, and repeats the prompt where asked', async () => {
      const stream = await client.completions.create({
        model: 'utf8',
        prompt: 'P:',
        stream: true,
        echo: true,
        stop: 'Text',
        stream_options: { include_usage: true },
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(
        'P:Grüße aus Zürich — 日本語のテキスト 🦊👩‍🚀 fin',
      );
      expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 18 } });
    });

    it('answers several prompts, n times each, in order', async () => {
      const answer = await client.completions.create({ model: 'echo', prompt: ['a', 'b'], n: 2, best_of: 2 });
      expect(answer.choices.map(({ index, text }) => [index, text])).toEqual([
        [0, 'You said: a'],
        [1, 'You said: a'],
        [2, 'You said: b'],
        [3, 'You said: b'],
      ]);
    });

    it.each([
      ['prompt', { prompt: [[1, 2, 3]] }],
      ['logprobs', { logprobs: 1 }],
      ['best_of', { best_of: 3 }],
      ['n', { n: 5, prompt: ['a', 'b'] }],
    ])('refuses what it cannot carry, and names it: %s', async (param, change) => {
      const before = subject.calls.length;
      const asked = client.completions.create({
        model: 'echo',
        prompt: 'x',
        ...change,
      } as OpenAI.CompletionCreateParamsNonStreaming);
      const error: unknown = await asked.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect((error as InstanceType<typeof OpenAI.APIError>).param).toMatch(new RegExp(`^${param}`));
      expect(subject.calls.length).toBe(before);
    });

    it('breaks a stream that Puter broke', async () => {
      const stream = await client.completions.create({ model: 'drop', prompt: 'x', stream: true });
      const read = async () => {
        for await (const _ of stream);
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
    });
  });
}
