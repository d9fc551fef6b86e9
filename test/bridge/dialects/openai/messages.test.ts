import { describe, expect, it } from 'vitest';

import { readQuestion, requestSchema } from '../../../../bridge/dialects/openai/chat-completions/request.ts';
import { parseBody } from '../../../../bridge/http/body.ts';

/** A message of the assistant, as it is read. */
const read = (message: object) =>
  readQuestion(parseBody(requestSchema, { messages: [{ role: 'assistant', ...message }] })).requests[0]?.messages[0];

describe('the thoughts of a message', () => {
  it.each(['reasoning_content', 'reasoning'])('are read from “%s”', (field) => {
    expect(read({ content: 'Hi', [field]: 'Hmm' })).toEqual({ role: 'assistant', content: 'Hi', reasoning: 'Hmm' });
  });

  it.each([null, '', { text: 'Hmm' }, ['Hmm'], '\ud800'])('are none that is known in %j, and cost nothing', (given) => {
    expect(read({ content: 'Hi', reasoning_content: given })).toEqual({ role: 'assistant', content: 'Hi' });
  });
});

describe('the signature of a call', () => {
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
  const callsOf = (given: object) => {
    const message = read({ tool_calls: [{ ...call, ...given }] });
    return message?.role === 'assistant' ? message.toolCalls : expect.fail('Not of the assistant.');
  };
  const plain = { id: 'a', name: 'f', arguments: '{}' };

  it('is read where Google’s clients put it', () => {
    const extra = { google: { thought_signature: 'sealed', other: 1 } };
    expect(callsOf({ extra_content: extra })).toEqual([{ ...plain, thoughtSignature: 'sealed' }]);
  });

  it.each([null, 'x', {}, { google: null }, { google: { thought_signature: 5 } }])(
    'is none that is known in %j, and costs nothing',
    (given) => expect(callsOf({ extra_content: given })).toEqual([plain]),
  );
});
