import { expect, it } from 'vitest';

import type { ChatRequest } from '#shared/chat.ts';

import { refuseForeignParts } from '../../../bridge/chat/parts.ts';

const audio = { type: 'audio', data: 'UklG', format: 'wav' } as const;
const file = { type: 'file', url: 'data:application/pdf;base64,JVBE' } as const;
const image = { type: 'image', url: 'https://example.com/a.png' } as const;
const text = { type: 'text', text: 'x' } as const;

const inputs: Record<string, string[] | null> = { ears: ['text', 'audio'], eyes: ['text', 'pdf'], unlisted: null };
const ask = (content: Extract<ChatRequest['messages'][0], { role: 'user' }>['content'], model?: string) =>
  refuseForeignParts(
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content },
      ],
      ...(model !== undefined && { model }),
    },
    (name) => inputs[name] ?? null,
  );

it('lets parts through that the model takes', () => {
  expect(() => ask([text, audio], 'ears')).not.toThrow();
  expect(() => ask([text, file], 'eyes')).not.toThrow();
});

it('lets texts and images through, whatever is known', () => {
  for (const model of ['ears', 'unlisted', undefined]) expect(() => ask([text, image], model)).not.toThrow();
});

it.each([
  ['ears', file, 'it takes text, audio'],
  ['eyes', audio, 'it takes text, pdf'],
  ['unlisted', audio, 'Puter does not list what it takes'],
  [undefined, file, 'Puter does not list what it takes'],
])('names the part that model %s is not known to take', (model, part, reason) => {
  expect(() => ask([text, part], model)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(reason) as string,
      failure: expect.objectContaining({ code: 'invalid_request', param: 'messages.1.content.1' }) as object,
    }) as Error,
  );
});
