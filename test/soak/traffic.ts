import { setTimeout as delay } from 'node:timers/promises';

import { read, send, type Heard } from '../faults/caller.ts';
import { answerTo } from '../faults/model.ts';
import { pick } from '../faults/random.ts';

/** What callers do: most wait for their answer, and the others do all that callers also do. */
const kinds = [
  'whole',
  'whole',
  'stream',
  'stream',
  'chat',
  'keyed',
  'hang up',
  'hang up',
  'timeout',
  'cancel',
] as const;

export interface Traffic {
  /** One request of a random kind, to its end; the name of how it ended. */
  next(): Promise<string>;
}

export function createTraffic(options: { port: () => number; random: () => number; signal: AbortSignal }): Traffic {
  const { port, random, signal } = options;
  let count = 0;

  async function ask(path: string, body: object, headers: readonly string[] = [], giveUpMs = 60_000): Promise<Heard> {
    const giveUp = AbortSignal.any([signal, AbortSignal.timeout(giveUpMs)]);
    return send({ port: port(), path, headers, body, signal: giveUp });
  }

  /** Sent, fetched by nobody, and ended by its id. */
  async function cancel(prompt: string): Promise<Heard> {
    const heard = await ask('/api/process', { prompt, wait: false });
    if (heard.type !== 'answer') return heard;
    const { request_id: id } = JSON.parse(heard.body) as { request_id: string };
    await delay(random() * 400);
    // Another method goes over the same wire.
    const path = `/api/requests/${id}`;
    return send({ port: port(), method: 'DELETE', path, signal });
  }

  function run(kind: (typeof kinds)[number], prompt: string): Promise<Heard> {
    const messages = [{ role: 'user', content: prompt }];
    switch (kind) {
      case 'whole':
        return ask('/api/process', { prompt });
      case 'stream':
        return ask('/v1/chat/completions', { model: 'm', messages, stream: true });
      case 'chat':
        return ask('/v1/chat/completions', { model: 'm', messages });
      case 'keyed':
        return ask('/api/process', { prompt }, [`Idempotency-Key: ${prompt.replace(/ .*/, '')}`]);
      case 'hang up':
        return ask(
          '/v1/chat/completions',
          { model: 'm', messages, stream: random() < 0.5 },
          [],
          Math.ceil(random() * 500),
        );
      case 'timeout':
        return ask('/api/process', { prompt, timeout_ms: 1 + Math.floor(random() * 300) });
      case 'cancel':
        return cancel(prompt);
    }
  }

  return {
    async next() {
      const kind = pick(random, kinds);
      const prompt = `r${(count += 1)} says?`;
      const heard = await run(kind, prompt);
      if (heard.type !== 'answer') return heard.type;
      if (kind === 'cancel') return 'cancelled';
      const reading = read(heard);
      if (reading.type !== 'text') return reading.type === 'error' ? `error ${reading.code}` : 'short';
      return reading.text === answerTo(prompt).join('') ? 'answered' : 'another answer';
    },
  };
}
