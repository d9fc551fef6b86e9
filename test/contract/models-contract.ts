import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Subject } from './process-contract.ts';

/** The list of models, as OpenAI's own client understands it. */
export function describeModels(name: string, start: () => Promise<Subject>): void {
  describe(`/v1/models through ${name}`, () => {
    let subject: Subject;
    let client: OpenAI;
    beforeAll(async () => {
      subject = await start();
      client = new OpenAI({ baseURL: `${subject.url}/v1`, apiKey: 'any' });
    });
    afterAll(() => subject?.close());

    it('lists Puter’s models with what programs ask of them, and finds one by any of its names', async () => {
      const list = async () => (await client.models.list()).data;
      // The extension tells them in a moment of its own.
      await expect.poll(() => list().catch(() => [])).not.toEqual([]);
      expect((await list()).find(({ id }) => id === 'whole-only')).toEqual({
        id: 'whole-only',
        object: 'model',
        created: Date.UTC(2025, 7, 7) / 1000,
        owned_by: 'openai-completion',
        aliases: ['openai/whole-only', 'openai:openai/whole-only'],
        context_length: 128_000,
        max_output_tokens: 16_384,
        pricing: { input: 2.5, output: 10 },
        capabilities: { tools: false, vision: false, reasoning: false },
        supports_tools: false,
        supports_vision: false,
      });
      for (const name of ['whole-only', 'openai/whole-only', 'OpenAI:openai/whole-only']) {
        const path = name.split('/').map(encodeURIComponent).join('/');
        const response = await fetch(`${subject.url}/v1/models/${path}`);
        expect(await response.json()).toMatchObject({ id: 'whole-only' });
      }
      await expect(client.models.retrieve('no/such')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    });

    it('asks which model was meant where there is none of that name', async () => {
      const wrong = client.chat.completions.create({ model: 'eccho', messages: [{ role: 'user', content: 'x' }] });
      await expect(wrong).rejects.toMatchObject({
        status: 404,
        code: 'model_not_found',
        param: 'model',
        message: expect.stringContaining('Did you mean echo, ') as string,
      });
    });
  });
}
