import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BridgeStatus } from '#shared/status.ts';

import { ask, until } from '../browser/rig.ts';
import { get, untilQueueIs, type Subject } from './process-contract.ts';

/** A caller that does not read what it asked for costs the bridge no memory: the answer waits in the extension. */
export function describeSlowCallers(name: string, start: () => Promise<Subject>): void {
  describe(`a stream that its caller does not read, through ${name}`, () => {
    let subject: Subject;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject?.close());

    /** Asks for more than all buffers between Puter and caller hold together, and reads nothing of it. */
    async function openUnread(): Promise<IncomingMessage> {
      const reached = subject.nextCall();
      const outgoing = request(`${subject.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
      });
      outgoing.end(JSON.stringify({ model: 'huge', messages: [{ role: 'user', content: 'x' }], stream: true }));
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      expect(await (await reached).closed).toBe('finished');
      return response;
    }
    const statusNow = async () => (await get(subject, '/api/status')).body as unknown as BridgeStatus;

    it('waits without hindering others, and is whole once it is read', async () => {
      const response = await openUnread();
      // The model is done, and time enough for all of it to pass goes by; yet its end is not here.
      const { body } = await ask(subject.url, { prompt: 'x', model: 'long-stream' });
      expect(body['result']).toMatch(/ 2000 $/);
      expect((await statusNow()).queue).toEqual({ queued: 0, running: 1 });

      const events = (await text(response)).split('\n\n').filter((event) => event.startsWith('data: '));
      expect(events.pop()).toBe('data: [DONE]');
      const pieces = events.map((event) => JSON.parse(event.slice(6)) as Piece);
      const answer = pieces.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
      // Compared here: a difference of megabytes is not for printing.
      expect(answer === '0123456789abcdef'.repeat(2 ** 20)).toBe(true);
      await untilQueueIs(subject, { queued: 0, running: 0 });
    });

    it('gives its lane back at once when the caller hangs up', async () => {
      const response = await openUnread();
      expect((await statusNow()).queue).toEqual({ queued: 0, running: 1 });
      response.destroy();
      // Sooner than the bridge gives a lane up that does not answer.
      await until(async () => (await statusNow()).extensions[0]?.lanes.busy === 0, 5000);
      expect((await statusNow()).queue).toEqual({ queued: 0, running: 0 });
    });
  });
}

interface Piece {
  choices: { delta: { content?: string } }[];
}
