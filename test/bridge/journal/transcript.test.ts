import { describe, expect, it } from 'vitest';

import type { ChatRequest } from '#shared/chat.ts';

import { readTranscript, toTranscript } from '../../../bridge/journal/transcript.ts';

const media = `${'QUJD'.repeat(100)}==`;

describe('what was asked', () => {
  it('is kept in words', () => {
    const request: ChatRequest = {
      model: 'm',
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'weather', arguments: '{"city":"Bern"}' }] },
        { role: 'tool', toolCallId: '1', content: 'rain' },
      ],
      temperature: 1,
    };
    expect(toTranscript(request)).toEqual({
      model: 'm',
      messages: [
        { role: 'system', text: 'Be short.' },
        { role: 'user', text: 'Weather?' },
        { role: 'assistant', text: '[calls weather {"city":"Bern"}]' },
        { role: 'tool', text: 'rain' },
      ],
    });
  });

  it('is kept without images, recordings and files, wherever they stand', () => {
    const uri = `data:image/svg+xml;base64,${media}`;
    const transcript = toTranscript({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: `Look: ![x](${uri}) and ${uri}.` },
            { type: 'image', url: uri },
            { type: 'image', url: 'https://images.example/a.png' },
            { type: 'audio', data: media, format: 'wav' },
            { type: 'file', url: `data:application/pdf;base64,${media}`, name: 'a.pdf' },
          ],
        },
      ],
    });
    expect(transcript).toEqual({
      model: null,
      messages: [
        {
          role: 'user',
          text: 'Look: ![x]([data]) and [data].\n[image]\n[image https://images.example/a.png]\n[audio]\n[file a.pdf]',
        },
      ],
    });
  });

  it('is read as it was kept, and not where it was damaged', () => {
    const transcript = toTranscript({ messages: [{ role: 'user', content: 'x' }] });
    expect(readTranscript(JSON.stringify(transcript))).toEqual(transcript);
    for (const stored of [null, '', '{"model":', '{"model":null}', 'null']) expect(readTranscript(stored)).toBeNull();
  });
});
