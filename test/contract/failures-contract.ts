import { describe, expect, it } from 'vitest';

import { ask } from '../browser/rig.ts';
import { refusalCodes, refuseModel } from '../puter/refusals.ts';
import { fillLanes, untilQueueIs, type Subject } from './process-contract.ts';

/** Calls that began and come to nothing: given up, hung up on, or refused by Puter. */
export function describeFailures(subject: () => Subject): void {
  describe('fails', () => {
    it.each(['hang', 'hang-mid'])('after timeout_ms, and cancels the call (%s)', async (model) => {
      const call = subject().nextCall();
      const { status, body } = await ask(subject().url, { prompt: 'x', model, timeout_ms: 300 });
      expect(status).toBe(504);
      expect(body).toEqual({
        status: 'error',
        error: expect.stringContaining('timeout_ms') as string,
        code: 'timed_out',
        request_id: expect.any(String) as string,
      });
      expect(await (await call).closed).toBe('aborted');
    });

    it('after timeout_ms also where no lane was free, without calling the model', async () => {
      const release = await fillLanes(subject());
      expect(await ask(subject().url, { prompt: 'Never sent', timeout_ms: 1 })).toMatchObject({
        status: 503,
        body: { code: 'queue_timeout' },
      });
      await release();
      // Not by counting: the fourth of those that fill the lanes may get one in the moment they are let go.
      expect(subject().calls.filter(({ messages }) => JSON.stringify(messages).includes('Never sent'))).toEqual([]);
    });

    it('within 1 s of the caller’s hang-up, and cancels the call', async () => {
      const call = subject().nextCall();
      const stop = new AbortController();
      const answer = ask(subject().url, { prompt: 'x', model: 'hang' }, stop.signal);
      const running = await call;
      const start = performance.now();
      stop.abort();
      await expect(answer).rejects.toThrow('aborted');
      expect(await running.closed).toBe('aborted');
      expect(performance.now() - start).toBeLessThan(1000);
      await untilQueueIs(subject(), { queued: 0, running: 0 });
    });

    it.each(['fail-mid', 'drop', 'drop-in-line', 'no-usage'])(
      'where the answer broke off, and shows no part of it (%s)',
      async (model) => {
        const { status, body } = await ask(subject().url, { prompt: 'hi', model });
        expect(status).toBe(502);
        expect(body).toEqual({
          status: 'error',
          error: expect.stringMatching(/^(?!.*partial).*(broke the answer off|before the answer was whole)/) as string,
          code: 'upstream_failed',
          request_id: expect.any(String) as string,
          ...(model === 'fail-mid' && { upstream: { message: 'terminated' } }),
        });
      },
    );

    // Of the others, 401 ends the session, and puter.js repeats 429 for most of a second.
    const refusals = refusalCodes
      .map((code) => ({ code, refusal: refuseModel(code, `fail:${code}`) }))
      .filter(({ refusal }) => refusal.status !== 401 && refusal.status !== 429);
    it.each(refusals)('in Puter’s own words where it refuses with $code', async ({ code, refusal }) => {
      const { status, body } = await ask(subject().url, { prompt: 'hi', model: `fail:${code}` });
      expect(status).toBe(502);
      expect(body).toMatchObject({
        status: 'error',
        error: expect.stringContaining(refusal.body.message) as string,
        code: 'upstream_failed',
        request_id: expect.any(String) as string,
        // The row's name is the finer of its two codes.
        upstream: { message: refusal.body.message, code },
      });
      expect(body).not.toHaveProperty('result');
    });

    it('with the nearest names where there is no such model', async () => {
      const { status, body } = await ask(subject().url, { prompt: 'hi', model: 'eccho' });
      expect(status).toBe(404);
      expect(body).toMatchObject({
        status: 'error',
        code: 'model_not_found',
        param: 'model',
        error: expect.stringMatching(/^Puter has no model of that name\. Did you mean echo, .*\?$/) as string,
        request_id: expect.any(String) as string,
        upstream: { message: 'Model not found: eccho', code: 'bad_request' },
      });
      const suggestions = body['suggestions'] as string[];
      expect(suggestions[0]).toBe('echo');
      expect(suggestions.length).toBeLessThanOrEqual(3);
    });

    it('with no names where none is near', async () => {
      const { status, body } = await ask(subject().url, { prompt: 'hi', model: 'q'.repeat(30) });
      expect([status, body['code'], body['suggestions']]).toEqual([404, 'model_not_found', []]);
    });

    it('and leaves every lane free for the next', async () => {
      const next = Array.from({ length: subject().lanes }, () => ask(subject().url, { prompt: 'Next' }));
      expect((await Promise.all(next)).map(({ body }) => body['result'])).toEqual(next.map(() => 'You said: Next'));
    });
  });
}
