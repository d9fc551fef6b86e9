import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { ask, chat, keyed, process, start } from '../bridge/chat/chats-rig.ts';
import { until } from '../browser/rig.ts';

describe('a request with an Idempotency-Key', () => {
  it('N1 has the same answer again, without another call', async () => {
    const { post, extension } = await start();
    const body = { prompt: 'once', model: 'echo' };
    const first = await post(process, body, keyed('k'));
    const again = await post(process, body, keyed('"k"'));
    expect(await again.json()).toEqual(await first.json());
    expect([first, again].map((it) => it.headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect(extension.calls).toHaveLength(1);
  });

  it('N1 N3 has the same chat again, to the letter, also later', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { post, extension } = await start();
    const first = await (await post(chat, ask('once'), keyed('k'))).json();
    vi.setSystemTime(Date.now() + 5000);
    expect(await (await post(chat, ask('once'), keyed('k'))).json()).toEqual(first);
    expect(extension.calls).toHaveLength(1);
  });

  it('N2 is refused with another body', async () => {
    const { post, extension } = await start();
    await post(process, { prompt: 'one' }, keyed('k'));
    const other = await post(process, { prompt: 'two' }, keyed('k'));
    expect([other.status, await other.json()]).toMatchObject([422, { code: 'idempotency_key_reused' }]);
    expect(extension.calls).toHaveLength(1);
  });

  it.each([
    [1, 3],
    [3, 1],
    [2, 3],
  ])('N2 is refused where its n was %i and now is %i', async (before, now) => {
    const { post, extension } = await start();
    await post(chat, { ...ask('x'), n: before }, keyed('k'));
    const others = [{ n: now }, { n: now, stream: true }].map((how) => post(chat, { ...ask('x'), ...how }, keyed('k')));
    for (const other of await Promise.all(others))
      expect([other.status, await other.json()]).toMatchObject([422, { error: { code: 'idempotency_key_reused' } }]);
    expect(extension.calls).toHaveLength(before);
  });

  it('N2 is refused with another number of texts to complete', async () => {
    const { post, extension } = await start();
    await post('/v1/completions', { model: 'echo', prompt: 'a' }, keyed('k'));
    expect((await post('/v1/completions', { model: 'echo', prompt: ['a', 'b'] }, keyed('k'))).status).toBe(422);
    expect(extension.calls).toHaveLength(1);
  });

  it('N1 is the same where one choice is asked for in words', async () => {
    const { post, extension } = await start();
    const first = await (await post(chat, ask('x'), keyed('k'))).json();
    for (const n of [1, null]) expect(await (await post(chat, { ...ask('x'), n }, keyed('k'))).json()).toEqual(first);
    expect(extension.calls).toHaveLength(1);
  });

  it('N3 is refused for a moment while it runs, unless the client repeats it by itself', async () => {
    const { post, extension } = await start();
    const call = extension.nextCall();
    const body = ask('x', 'slow-stream');
    const first = post(chat, { ...body, stop: ['tick 3'] }, keyed('k'));
    await call;
    const second = await post(chat, { ...body, stop: ['tick 3'] }, keyed('k'));
    expect(second.status).toBe(409);
    expect(second.headers.get('x-should-retry')).toBe('true');
    expect(second.headers.get('retry-after')).toBe('2');
    const third = post(chat, { ...body, stop: ['tick 3'] }, { ...keyed('k'), 'x-stainless-retry-count': '1' });
    const [one, three] = await Promise.all([first, third].map(async (it) => (await it).json()));
    expect(three).toEqual(one);
    expect(extension.calls).toHaveLength(1);
  });

  it('R1 is one call where it comes twice at once, also where its schema is still to be read', async () => {
    const { post, extension } = await start();
    const format = { type: 'json_schema', json_schema: { name: 'place', schema: { type: 'object' } } };
    const body = { ...ask('x', 'json'), response_format: format };
    const answers = await Promise.all([1, 2, 3].map(() => post(chat, body, keyed('k'))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(2);
    expect(extension.calls).toHaveLength(1);
  });

  it('N4 is another caller’s own', async () => {
    const { post, extension } = await start();
    await post(process, { prompt: 'one' }, keyed('k'));
    const other = await post(process, { prompt: 'two' }, { ...keyed('k'), 'User-Agent': 'other' });
    expect(other.status).toBe(200);
    expect(extension.calls).toHaveLength(2);
  });

  it('N5 runs anew once what kept it from starting is mended', async () => {
    const { post, extension } = await start();
    extension.tell({ session: 'signed_out' });
    await until(async () => (await post(process, { prompt: 'x' })).status === 503);
    const body = { prompt: 'one' };
    const refused = await post(process, body, keyed('k'));
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'puter_not_signed_in' }]);
    extension.tell({ session: 'signed_in' });
    await until(async () => (await post(process, { prompt: 'x' })).status === 200);
    const before = extension.calls.length;
    const again = await post(process, body, keyed('k'));
    expect([again.status, await again.json()]).toMatchObject([200, { result: 'You said: one' }]);
    expect(extension.calls.length).toBe(before + 1);
  });

  it('N5 runs anew where it never started, and repeats a failure where it may have', async () => {
    const { post, extension } = await start();
    extension.tell({ paused: true });
    await until(async () => (await post(process, { prompt: 'x' })).status === 503);
    const paused = await post(process, { prompt: 'one', model: 'fail:upstream_failed' }, keyed('k'));
    expect(paused.status).toBe(503);
    extension.tell({ paused: false });
    await until(async () => (await post(process, { prompt: 'x' })).status === 200);
    const before = extension.calls.length;
    const failed = await post(process, { prompt: 'one', model: 'fail:upstream_failed' }, keyed('k2'));
    const again = await post(process, { prompt: 'one', model: 'fail:upstream_failed' }, keyed('k2'));
    expect([failed.status, again.status]).toEqual([502, 502]);
    expect(extension.calls.length).toBe(before + 1);
  });

  it.each(['insufficient_funds', 'token_auth_failed', 'upstream_rate_limited'])(
    'N5 runs anew where Puter refused it before a model was asked (%s)',
    async (code) => {
      const { post, extension } = await start();
      for (const calls of [1, 2]) {
        const refused = await post(chat, ask('x', `fail:${code}`), keyed('k'));
        expect(refused.ok).toBe(false);
        expect(extension.calls).toHaveLength(calls);
      }
    },
  );

  it('N8 streams its answer again', async () => {
    const { post, extension } = await start();
    const whole = await (await post(chat, ask('two words'), keyed('k'))).json();
    const text = await (await post(chat, { ...ask('two words'), stream: true }, keyed('k'))).text();
    expect(text).toContain('"content":"You said: two words"');
    expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
    expect(whole).toMatchObject({ choices: [{ message: { content: 'You said: two words' } }] });
    expect(extension.calls).toHaveLength(1);
  });

  it('is several chats where several choices are asked for, each its own', async () => {
    const { post, extension } = await start();
    const body = { ...ask('x'), n: 2 };
    const answers = [await post(chat, body, keyed('k')), await post(chat, body, keyed('k'))];
    for (const answer of answers) expect(((await answer.json()) as { choices: [] }).choices).toHaveLength(2);
    expect(extension.calls).toHaveLength(2);
  });
});

describe('an Idempotency-Key', () => {
  it.each(['', 'x'.repeat(256), 'ü', 'a b'])('H34 must be one that can be: %j', async (key) => {
    const { post, extension } = await start();
    const answer = await post(
      process,
      { prompt: 'x' },
      { 'Idempotency-Key': encodeURIComponent(key) === key ? key : Buffer.from(key).toString('latin1') },
    );
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'invalid_idempotency_key' }]);
    expect(extension.calls).toHaveLength(0);
  });
});
