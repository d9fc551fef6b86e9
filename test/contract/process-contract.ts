import { validate, version } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { process as ask, until } from '../browser/rig.ts';
import { utf8Lines } from '../puter/models.ts';
import { describeRefusals } from './refusals-contract.ts';

/** A call as it reached a model, at the stand-in or in the fake extension. */
export interface Call {
  readonly model: string;
  readonly messages: readonly unknown[];
  readonly args: Readonly<Record<string, unknown>>;
  status: 'running' | 'finished' | 'aborted';
  readonly closed: Promise<string>;
}

/** What the contract is held against: a bridge with three lanes behind it, and what arrives at their models. */
export interface Subject {
  url: string;
  calls: readonly Call[];
  nextCall(): Promise<Call>;
  close(): unknown;
}

/** The HTTP contract of `/api/process` and its neighbours, whichever extension answers. */
export function describeProcessContract(name: string, start: () => Promise<Subject>): void {
  describe(`/api/process through ${name}`, () => {
    let subject: Subject;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject?.close());

    const get = async (path: string) => {
      const response = await fetch(`${subject.url}${path}`);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };

    it('answers with exactly what it promises', async () => {
      const { status, body } = await ask(subject.url, { prompt: 'Hello', model: 'echo' });
      expect(status).toBe(200);
      expect(body).toEqual({
        status: 'success',
        result: 'You said: Hello',
        request_id: expect.any(String) as string,
        model: 'echo',
        usage: { input_tokens: expect.any(Number) as number, output_tokens: expect.any(Number) as number },
        duration_ms: expect.any(Number) as number,
      });
      expect([validate(body['request_id']), version(String(body['request_id']))]).toEqual([true, 7]);
    });

    it('leaves the choice to Puter where nobody names a model', async () => {
      const { body } = await ask(subject.url, { prompt: 'Choose' });
      expect(body).toMatchObject({ status: 'success', model: 'default', result: 'You said: Choose' });
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

    it('answers at once with wait:false, and gives the same answer to whoever fetches it', async () => {
      const call = subject.nextCall();
      const { status, body } = await ask(subject.url, {
        prompt: 'Later',
        model: 'slow-stream',
        wait: false,
        timeout_ms: 400,
      });
      expect([status, body]).toEqual([202, { status: 'pending', request_id: expect.any(String) as string }]);
      const path = `/api/result/${String(body['request_id'])}`;
      expect(await get(path)).toEqual({ status: 202, body });
      await call;
      await until(async () => (await get(path)).status !== 202);
      expect(await get(path)).toMatchObject({
        status: 504,
        body: { code: 'timed_out', request_id: body['request_id'] },
      });

      const echo = await ask(subject.url, { prompt: 'Kept', wait: false });
      const kept = `/api/result/${String(echo.body['request_id'])}`;
      await until(async () => (await get(kept)).status === 200);
      expect((await get(kept)).body).toMatchObject({ status: 'success', result: 'You said: Kept' });
    });

    it('knows no result of a request that never was', async () => {
      expect(await get('/api/result/01a20cb5-c638-7769-9706-81dde176b1ab')).toMatchObject({
        status: 404,
        body: { status: 'error', code: 'not_found' },
      });
    });

    it('gives up after timeout_ms, and cancels the call', async () => {
      const call = subject.nextCall();
      const { status, body } = await ask(subject.url, { prompt: 'x', model: 'hang', timeout_ms: 300 });
      expect([status, body['code']]).toEqual([504, 'timed_out']);
      expect(await (await call).closed).toBe('aborted');
    });

    it('cancels the call within 1 s of the caller’s hang-up', async () => {
      const call = subject.nextCall();
      const stop = new AbortController();
      const answer = ask(subject.url, { prompt: 'x', model: 'hang' }, stop.signal);
      const running = await call;
      const start = performance.now();
      stop.abort();
      await expect(answer).rejects.toThrow('aborted');
      expect(await running.closed).toBe('aborted');
      expect(performance.now() - start).toBeLessThan(1000);
    });

    it('runs three of ten calls at once and answers all ten, each with its own', async () => {
      const most: number[] = [];
      const watch = setInterval(() => most.push(subject.calls.filter(({ status }) => status === 'running').length), 1);
      const prompts = Array.from({ length: 10 }, (_, n) => `Number ${n}`);
      const answers = await Promise.all(prompts.map((prompt) => ask(subject.url, { prompt, model: 'utf8' })));
      const echoes = await Promise.all(prompts.map((prompt) => ask(subject.url, { prompt })));
      clearInterval(watch);
      expect(answers.map(({ status }) => status)).toEqual(prompts.map(() => 200));
      expect(echoes.map(({ body }) => body['result'])).toEqual(prompts.map((prompt) => `You said: ${prompt}`));
      expect(Math.max(...most)).toBe(3);
    });

    it('shows busy lanes and the queue while calls run', async () => {
      const stop = new AbortController();
      const running = Array.from({ length: 4 }, () => ask(subject.url, { prompt: 'x', model: 'hang' }, stop.signal));
      await until(async () => JSON.stringify((await get('/api/status')).body['queue']) === '{"queued":1,"running":3}');
      const { body } = await get('/api/status');
      expect(body).toEqual({
        bridge: { version: expect.any(String) as string, uptime_ms: expect.any(Number) as number },
        extensions: [
          {
            browser: expect.any(String) as string,
            version: expect.any(String) as string,
            since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
            lanes: { busy: 3, free: 0 },
            puter: { signed_in: true, username: expect.any(String) as string, reachable: true },
          },
        ],
        puter: { signed_in: true, username: expect.any(String) as string, reachable: true },
        queue: { queued: 1, running: 3 },
      });
      stop.abort();
      await Promise.allSettled(running);
      await until(async () => JSON.stringify((await get('/api/status')).body['queue']) === '{"queued":0,"running":0}');
    });

    it('carries every character, also where packets end inside one', async () => {
      const { body } = await ask(subject.url, { prompt: 'x', model: 'utf8' });
      expect(body['result']).toBe(utf8Lines.map((line) => (line.type === 'text' ? line.text : '')).join(''));
    });

    it('carries a large answer and a large prompt whole', async () => {
      const { body } = await ask(subject.url, { prompt: 'x', model: 'big' });
      expect(String(body['result']).length).toBe(1024 * 1024);
      const prompt = 'ß€🦊'.repeat(200_000);
      expect((await ask(subject.url, { prompt })).body['result']).toBe(`You said: ${prompt}`);
    });

    it('carries 2,000 chunks in order', async () => {
      const { body } = await ask(subject.url, { prompt: 'x', model: 'long-stream' });
      const numbers = String(body['result']).match(/\d+/g)?.map(Number) ?? [];
      expect(numbers.length).toBe(2000);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    });

    it.each(['anthropic', 'whole-only', 'reasoning'])(
      'reads the shape of %s, and keeps reasoning apart',
      async (model) => {
        const { status, body } = await ask(subject.url, { prompt: 'hi', model });
        expect([status, body['result']]).toEqual([200, model === 'reasoning' ? '42' : 'You said: hi']);
      },
    );

    it('says null where Puter counted no tokens', async () => {
      expect((await ask(subject.url, { prompt: 'hi', model: 'fake' })).body).toMatchObject({
        status: 'success',
        usage: null,
      });
    });

    it.each(['fail-mid', 'drop', 'no-usage'])('never passes a broken answer off as a short one (%s)', async (model) => {
      const { status, body } = await ask(subject.url, { prompt: 'hi', model });
      expect([status, body['code']]).toEqual([502, 'upstream_failed']);
      expect(body).not.toHaveProperty('result');
    });

    it.each(['insufficient_funds', 'permission_denied', 'upstream_failed', 'internal_error'])(
      'hands Puter’s own %s on',
      async (code) => {
        const { status, body } = await ask(subject.url, { prompt: 'hi', model: `fail:${code}` });
        expect([status, body['code']]).toEqual([502, 'upstream_failed']);
        expect(body['upstream']).toMatchObject({ code, message: expect.stringMatching(/./) as string });
      },
    );

    it('names the nearest models where there is none of that name', async () => {
      const { status, body } = await ask(subject.url, { prompt: 'hi', model: 'eccho' });
      expect([status, body['code'], body['param']]).toEqual([404, 'model_not_found', 'model']);
      expect(body['suggestions']).toContain('echo');
    });

    describeRefusals(() => subject);
  });
}
