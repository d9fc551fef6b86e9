import { isDeepStrictEqual } from 'node:util';

import { validate, version } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ask, until } from '../browser/rig.ts';
import { utf8Lines } from '../puter/models.ts';
import { describeFailures } from './failures-contract.ts';
import { describePages } from './pages-contract.ts';
import { describeRefusals } from './refusals-contract.ts';

/** A call as it reached a model, at the stand-in or in the fake extension. */
export interface Call {
  readonly model: string;
  readonly messages: readonly unknown[];
  readonly args: Readonly<Record<string, unknown>>;
  status: 'running' | 'finished' | 'aborted';
  readonly closed: Promise<string>;
}

/** What the contract is held against: a bridge with one extension behind it, and what arrives at its models. */
export interface Subject {
  url: string;
  lanes: number;
  calls: readonly Call[];
  nextCall(): Promise<Call>;
  close(): unknown;
}

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export async function get(subject: Subject, path: string): Promise<Answer> {
  const response = await fetch(`${subject.url}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Keeps every lane busy, and one call more waiting, until the returned function hangs up on all of them. */
export async function fillLanes(subject: Subject): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const hang = { prompt: 'x', model: 'hang' };
  const calls = Array.from({ length: subject.lanes + 1 }, () => ask(subject.url, hang, stop.signal));
  await untilQueueIs(subject, { queued: 1, running: subject.lanes });
  return async () => {
    stop.abort();
    await Promise.allSettled(calls);
    // The call that waited may get a lane in the moment the others are let go; by now that is over too.
    await untilQueueIs(subject, { queued: 0, running: 0 });
  };
}

export const untilQueueIs = (subject: Subject, queue: { queued: number; running: number }): Promise<void> =>
  until(async () => isDeepStrictEqual((await get(subject, '/api/status')).body['queue'], queue));

/** The HTTP contract of `/api/process` and its neighbours, whichever extension answers. */
export function describeProcessContract(name: string, start: () => Promise<Subject>): void {
  describe(`/api/process through ${name}`, () => {
    let subject: Subject;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject?.close());

    it('answers with exactly what it promises', async () => {
      const { status, body } = await ask(subject.url, { prompt: 'Hello', model: 'echo' });
      expect(status).toBe(200);
      expect(body).toEqual({
        status: 'success',
        result: 'You said: Hello',
        request_id: expect.any(String) as string,
        model: 'echo',
        usage: { input_tokens: 11, output_tokens: 7 },
        duration_ms: expect.any(Number) as number,
      });
      expect([validate(body['request_id']), version(String(body['request_id']))]).toEqual([true, 7]);
      expect(body['duration_ms']).toSatisfy((ms) => Number.isInteger(ms) && Number(ms) >= 0);
    });

    it('leaves the choice to Puter where nobody names a model', async () => {
      const call = subject.nextCall();
      const { body } = await ask(subject.url, { prompt: 'Choose' });
      expect(body).toMatchObject({ status: 'success', model: 'default', result: 'You said: Choose' });
      const { messages, args } = await call;
      expect(messages).toEqual([{ role: 'user', content: 'Choose' }]);
      expect([args['model'], args['temperature'], args['max_tokens']]).toEqual([undefined, undefined, undefined]);
    });

    it('hands system, temperature and max_tokens on to the model', async () => {
      const call = subject.nextCall();
      await ask(subject.url, { prompt: 'p', model: 'echo', system: 's', temperature: 0, max_tokens: 7 });
      const { messages, args } = await call;
      expect(messages).toEqual([
        { role: 'system', content: 's' },
        { role: 'user', content: 'p' },
      ]);
      expect(args).toMatchObject({ temperature: 0, max_tokens: 7 });
    });

    it('ignores fields that it does not know', async () => {
      expect((await ask(subject.url, { prompt: 'p', colour: 'blue', __proto__: 1 })).status).toBe(200);
    });

    it('answers at once with wait:false, and gives the answer to whoever fetches it', async () => {
      const release = await fillLanes(subject);
      const { status, body } = await ask(subject.url, { prompt: 'Later', model: 'echo', wait: false });
      expect([status, body]).toEqual([202, { status: 'pending', request_id: expect.any(String) as string }]);
      const path = `/api/result/${String(body['request_id'])}`;
      expect(await get(subject, path)).toEqual({ status: 202, body });
      await release();
      await until(async () => (await get(subject, path)).status !== 202);
      const fetched = await get(subject, path);
      expect(fetched).toEqual({
        status: 200,
        body: {
          status: 'success',
          result: 'You said: Later',
          request_id: body['request_id'],
          model: 'echo',
          usage: { input_tokens: 11, output_tokens: 7 },
          duration_ms: expect.any(Number) as number,
        },
      });
      expect(await get(subject, path)).toEqual(fetched);
    });

    it('keeps a failure for whoever fetches it, too', async () => {
      const call = subject.nextCall();
      const { body } = await ask(subject.url, { prompt: 'x', model: 'hang', wait: false, timeout_ms: 200 });
      const path = `/api/result/${String(body['request_id'])}`;
      expect(await (await call).closed).toBe('aborted');
      expect(await get(subject, path)).toEqual({
        status: 504,
        body: {
          status: 'error',
          error: expect.stringContaining('timeout_ms') as string,
          code: 'timed_out',
          request_id: body['request_id'],
        },
      });
    });

    it('also keeps what the caller waited for', async () => {
      const { body } = await ask(subject.url, { prompt: 'Kept' });
      expect(await get(subject, `/api/result/${String(body['request_id'])}`)).toEqual({ status: 200, body });
    });

    it.each(['01a20cb5-c638-7769-9706-81dde176b1ab', 'nobody', '%00', '%E0%A4%A', '__proto__'])(
      'knows no result of %s, a request that never was',
      async (id) => {
        expect(await get(subject, `/api/result/${id}`)).toEqual({
          status: 404,
          body: { status: 'error', error: expect.any(String) as string, code: 'not_found', request_id: null },
        });
      },
    );

    it('runs as many of ten calls at once as there are lanes, and answers all ten, each with its own', async () => {
      const most: number[] = [];
      const watch = setInterval(() => most.push(subject.calls.filter(({ status }) => status === 'running').length), 1);
      const prompts = Array.from({ length: 10 }, (_, n) => `Number ${n}`);
      const answers = await Promise.all(prompts.map((prompt) => ask(subject.url, { prompt, model: 'utf8' })));
      const echoes = await Promise.all(prompts.map((prompt) => ask(subject.url, { prompt })));
      clearInterval(watch);
      expect(answers.map(({ status }) => status)).toEqual(prompts.map(() => 200));
      expect(echoes.map(({ body }) => body['result'])).toEqual(prompts.map((prompt) => `You said: ${prompt}`));
      expect(Math.max(...most)).toBe(subject.lanes);
    });

    it('carries every character, also where packets end inside one', async () => {
      const { body } = await ask(subject.url, { prompt: 'x', model: 'utf8' });
      expect(body['result']).toBe(utf8Lines.map((line) => (line.type === 'text' ? line.text : '')).join(''));
    });

    it('carries a large answer and a large prompt whole', async () => {
      const { body } = await ask(subject.url, { prompt: 'x', model: 'big' });
      // Compared here: a difference of a megabyte is not for printing.
      expect(body['result'] === '0123456789abcdef'.repeat(65_536)).toBe(true);
      const prompt = 'ß€🦊'.repeat(200_000);
      expect((await ask(subject.url, { prompt })).body['result']).toBe(`You said: ${prompt}`);
    });

    it('carries 2,000 chunks in order', async () => {
      const { body } = await ask(subject.url, { prompt: 'x', model: 'long-stream' });
      expect(body['result']).toBe(Array.from({ length: 2000 }, (_, n) => `${n + 1} `).join(''));
    });

    it.each(['anthropic', 'whole-only', 'reasoning'])(
      'reads the shape of %s, and keeps reasoning apart',
      async (model) => {
        const { status, body } = await ask(subject.url, { prompt: 'hi', model });
        expect(status).toBe(200);
        expect(body).toMatchObject({
          result: model === 'reasoning' ? '42' : 'You said: hi',
          model,
          usage: { input_tokens: 11, output_tokens: 7 },
        });
      },
    );

    it('counts the tokens itself where Puter did not, and says so', async () => {
      const { body } = await ask(subject.url, { prompt: 'one two three', model: 'fake' });
      // Three words and what a message costs; the answer is a hundred letters of Latin.
      expect(body).toMatchObject({ status: 'success', usage: { input_tokens: 7, estimated: true } });
      expect((body['usage'] as { output_tokens: number }).output_tokens).toSatisfy((n) => n > 10 && n < 60);
    });

    describeFailures(() => subject);
    describeRefusals(() => subject);
    describePages(() => subject);
  });
}
