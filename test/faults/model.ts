import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

import { createRandom } from './random.ts';

/** One call, as the money is spent. */
export interface ModelCall {
  requestId: string;
  /** The extension that asks. */
  extension: string;
  prompt: string;
  state: 'running' | 'finished' | 'aborted';
  /** When it began, and when it became what it is, in milliseconds. */
  startedAt: number;
  since: number;
}

/** What stands where Puter would: it counts its calls, and answers each prompt with a text that follows from it. */
export interface CountingModel {
  url: string;
  calls: ModelCall[];
  close(): Promise<void>;
}

/** How a call asks it. Each line of the answer is a piece of the text as JSON, the last one is `true`. */
export interface ModelQuestion {
  requestId: string;
  extension: string;
  prompt: string;
}

const words = ['river', 'Fluß', '河', '🦦', 'stone', '"quoted"', '\\', 'line\n', 'data: [DONE]', '{"t":1}', 'end.'];

/** What the model says to `prompt`, in pieces. */
export function answerTo(prompt: string): string[] {
  const random = createRandom(Buffer.from(prompt).reduce((sum, byte) => Math.imul(sum, 31) + byte, 7));
  const pieces = Array.from({ length: 4 + Math.floor(random() * 10) }, () =>
    Array.from({ length: 1 + Math.floor(random() * 12) }, () => words[Math.floor(random() * words.length)]).join(' '),
  );
  return [`«${prompt}» `, ...pieces];
}

export async function startCountingModel(options: {
  /** Between two pieces. */
  pauseMs: () => number;
  /** Half of it is out; all but the last piece is. */
  onHalf?: (call: ModelCall) => void;
  onLast?: (call: ModelCall) => void;
}): Promise<CountingModel> {
  const { pauseMs, onHalf, onLast } = options;
  const calls: ModelCall[] = [];

  async function answer(call: ModelCall, response: ServerResponse): Promise<void> {
    const pieces = answerTo(call.prompt);
    for (const [index, piece] of pieces.entries()) {
      if (call.state !== 'running') return;
      if (index === Math.floor(pieces.length / 2)) onHalf?.(call);
      if (index === pieces.length - 1) onLast?.(call);
      response.write(`${JSON.stringify(piece)}\n`);
      await delay(pauseMs());
    }
    if (call.state === 'running') settle(call, 'finished');
    response.end('true\n');
  }

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const question = (await json(request)) as ModelQuestion;
    const now = performance.now();
    const call: ModelCall = { ...question, state: 'running', startedAt: now, since: now };
    calls.push(call);
    response.on('close', () => call.state === 'running' && settle(call, 'aborted'));
    await answer(call, response);
  }

  // An extension that is killed while it asks, has not asked.
  const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function settle(call: ModelCall, state: 'finished' | 'aborted'): void {
  call.state = state;
  call.since = performance.now();
}
