/** Stands behind a gateway that forwards: answers as OpenAI does, at once, in the pieces that the fake extension has. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { answer } from './answers.ts';

const about = { id: 'chatcmpl-1', created: 1, model: 'fake' };

const server = createServer((request, response) => void complete(request, response));

async function complete(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let sent = '';
  for await (const piece of request) sent += String(piece);
  const { model = '', stream } = JSON.parse(sent) as { model?: string; stream?: boolean };
  response.setHeader('Content-Type', stream ? 'text/event-stream' : 'application/json');
  let whole = '';
  for await (const turn of answer(model)) {
    if (stream) for (const text of turn) response.write(chunk({ content: text }, null));
    else whole += turn.join('');
  }
  if (stream) return void response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
  const choices = [{ index: 0, message: { role: 'assistant', content: whole }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  response.end(JSON.stringify({ ...about, object: 'chat.completion', choices, usage }));
}

function chunk(delta: object, finishReason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  return `data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', choices })}\n\n`;
}

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
