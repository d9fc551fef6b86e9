import { expect, it } from 'vitest';

import { shape } from '../../../../bridge/dialects/openai/chat-completions/shape.ts';
import { wholeAnswer } from '../../chat/whole-answer.ts';

const call = { id: 'a', name: 'f', arguments: '{}' };
const told = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
const signed = { ...told, extra_content: { google: { thought_signature: 'sealed' } } };

it('a call of a tool has its signature where Google’s clients look for it, whole and streamed', () => {
  const toolCalls = [call, { ...call, thoughtSignature: 'sealed' }];
  const about = { id: 'x', created: 0, model: 'm' };
  expect(shape.whole(about, [wholeAnswer('', { toolCalls })])).toMatchObject({
    choices: [{ message: { tool_calls: [told, signed] } }],
  });
  const sent: unknown[] = [];
  const tell = shape.teller(0, (choice) => sent.push(choice));
  for (const it of toolCalls) tell({ type: 'tool_call', ...it });
  expect(sent.slice(1)).toMatchObject([
    { delta: { tool_calls: [{ index: 0, ...told }] } },
    { delta: { tool_calls: [{ index: 1, ...signed }] } },
  ]);
  expect(JSON.stringify(sent[1])).not.toContain('extra_content');
});
