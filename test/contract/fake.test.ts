import { describe, expect, it, onTestFinished } from 'vitest';

import { encodeFrame } from '#shared/protocol.ts';

import type { Bridge } from '../../bridge/bridge.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { ask, until } from '../browser/rig.ts';
import { startFakeExtension, type FakeExtension } from './fake-extension.ts';
import { describeChatCompletions } from './chat-completions-contract.ts';
import { describeClients } from './clients-contract.ts';
import { describeCompletions } from './completions-contract.ts';
import { describeModels } from './models-contract.ts';
import { describeProcessContract, type Subject } from './process-contract.ts';
import { describeToolsAndJson } from './tools-and-json-contract.ts';
import { describeSlowCallers } from './slow-caller-contract.ts';

async function startSubject(): Promise<Subject> {
  const bridge = await startTemporaryBridge();
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  return {
    url: bridge.url,
    lanes: 3,
    calls: extension.calls,
    nextCall: extension.nextCall,
    async close() {
      extension.close();
      await bridge.close();
    },
  };
}

describeProcessContract('a fake extension', startSubject);
describeChatCompletions('a fake extension', startSubject);
describeToolsAndJson('a fake extension', startSubject);
describeCompletions('a fake extension', startSubject);
describeModels('a fake extension', startSubject);
describeClients('a fake extension', startSubject);
describeSlowCallers('a fake extension', startSubject);

describe('a bridge', () => {
  async function start(config = {}): Promise<Bridge> {
    const bridge = await startTemporaryBridge({ connectGraceMs: 50, lostGraceMs: 200, ...config });
    onTestFinished(() => bridge.close());
    return bridge;
  }
  async function connect(
    bridge: Bridge,
    options: Omit<Parameters<typeof startFakeExtension>[0], 'bridgeUrl'> = {},
  ): Promise<FakeExtension> {
    const extension = await startFakeExtension({ bridgeUrl: bridge.url, ...options });
    onTestFinished(() => extension.close());
    return extension;
  }
  /** One call that hangs until it is stopped, and one request that waits behind it. */
  async function fillOneLane(bridge: Bridge, extension: FakeExtension) {
    const call = extension.nextCall();
    const stop = new AbortController();
    const running = ask(bridge.url, { prompt: 'x', model: 'hang' }, stop.signal);
    await call;
    const waiting = ask(bridge.url, { prompt: 'x' });
    await until(() => bridge.status.read().queue.queued === 1);
    return { running, waiting, stop };
  }
  const whole = (...texts: string[]) => ({
    chunks: texts.map((text) => [{ type: 'text', text }]),
    end: { finishReason: 'stop', model: null, usage: null },
  });
  const deliver = (bridge: Bridge, secret: string, body: object) =>
    fetch(`${bridge.url}/api/result`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${secret}` },
      body: JSON.stringify(body),
    });

  it('says after a grace that no extension is connected', async () => {
    const bridge = await start();
    expect(await ask(bridge.url, { prompt: 'x' })).toMatchObject({
      status: 503,
      body: { code: 'extension_not_connected' },
    });
  });

  it('gives the request to an extension that connects within the grace', async () => {
    const bridge = await start({ connectGraceMs: 5000 });
    const answer = ask(bridge.url, { prompt: 'x' });
    await until(() => bridge.status.read().queue.queued === 1);
    await connect(bridge);
    expect((await answer).status).toBe(200);
  });

  it('says at once that nobody is signed in', async () => {
    const bridge = await start({ connectGraceMs: 60_000 });
    await connect(bridge, { signedIn: false });
    expect(await ask(bridge.url, { prompt: 'x' })).toMatchObject({
      status: 503,
      body: { code: 'puter_not_signed_in' },
    });
  });

  it('says so to a caller who already waits when the person signs out', async () => {
    const bridge = await start();
    const extension = await connect(bridge, { lanes: 1 });
    const { running, waiting, stop } = await fillOneLane(bridge, extension);
    extension.tell({ session: 'signed_out' });
    expect(await waiting).toMatchObject({ status: 503, body: { code: 'puter_not_signed_in' } });
    expect(extension.calls.map(({ status }) => status)).toEqual(['running']);
    stop.abort();
    await expect(running).rejects.toThrow('aborted');
  });

  it.each(['token_missing', 'token_auth_failed', 'reauth_required'] as const)(
    'takes Puter’s %s as a session that is over',
    async (code) => {
      const bridge = await start();
      await connect(bridge);
      expect(await ask(bridge.url, { prompt: 'x', model: `fail:${code}` })).toMatchObject({
        status: 503,
        body: { code: 'puter_session_expired', upstream: { code } },
      });
    },
  );

  it('turns requests away while the person has paused, lets what runs go on, and takes them again after', async () => {
    const bridge = await start({ connectGraceMs: 60_000 });
    const extension = await connect(bridge, { lanes: 1 });
    const { running, waiting, stop } = await fillOneLane(bridge, extension);
    extension.tell({ paused: true });
    const turnedAway = { status: 503, body: { code: 'paused', error: expect.stringContaining('Resume') as string } };
    expect(await waiting).toMatchObject(turnedAway);
    expect(await ask(bridge.url, { prompt: 'x' })).toMatchObject(turnedAway);
    expect(extension.calls.map(({ status }) => status)).toEqual(['running']);
    expect(bridge.status.read()).toMatchObject({ light: { color: 'red' }, hops: { bridge: { state: 'paused' } } });
    stop.abort();
    await expect(running).rejects.toThrow('aborted');
    extension.tell({ paused: false });
    await until(() => bridge.status.read().light.color === 'green');
    expect((await ask(bridge.url, { prompt: 'x' })).status).toBe(200);
  });

  it('says that the session ended until the person signs in again', async () => {
    const bridge = await start({ connectGraceMs: 60_000 });
    const extension = await connect(bridge);
    extension.tell({ session: 'expired' });
    await until(() => bridge.status.read().hops.session.state === 'expired');
    expect(await ask(bridge.url, { prompt: 'x' })).toMatchObject({
      status: 503,
      body: { code: 'puter_session_expired', error: expect.stringContaining('sign in again') as string },
    });
    extension.tell({ session: 'signed_in' });
    await until(() => bridge.status.read().light.color === 'green');
    expect((await ask(bridge.url, { prompt: 'x' })).status).toBe(200);
  });

  it('uses the extension that is signed in where others are not, or paused', async () => {
    const bridge = await start();
    await connect(bridge, { signedIn: false });
    const paused = await connect(bridge, { lanes: 9 });
    paused.tell({ paused: true });
    await until(() => bridge.status.read().extensions.some((extension) => extension.paused));
    const good = await connect(bridge);
    expect((await ask(bridge.url, { prompt: 'x' })).status).toBe(200);
    expect([good.calls.length, paused.calls.length]).toEqual([1, 0]);
    expect(bridge.status.read().light.color).toBe('green');
  });

  it('carries an answer over a dropped connection once and whole', async () => {
    const bridge = await start({ lostGraceMs: 10_000 });
    const extension = await connect(bridge);
    const oldSecret = extension.welcome.secret;
    extension.dropAfter(500);
    const answer = ask(bridge.url, { prompt: 'x', model: 'long-stream' });
    await until(() => bridge.status.read().extensions.length === 0);
    await extension.reconnect();
    const { status, body } = await answer;
    expect([status, body['result']]).toEqual([200, Array.from({ length: 2000 }, (_, n) => `${n + 1} `).join('')]);
    // The cut was in the middle, and what had arrived before it did not have to come again.
    const nextSeq = extension.welcome.resume[0]?.nextSeq;
    expect(nextSeq).toBeGreaterThanOrEqual(500);
    expect(nextSeq).toBeLessThan(2000);
    expect(extension.calls.length).toBe(1);
    expect((await deliver(bridge, oldSecret, { request_id: body['request_id'], ...whole('x') })).status).toBe(403);
  });

  describe('whose extension lost its socket in the middle of an answer', () => {
    async function lose() {
      const bridge = await start({ lostGraceMs: 10_000 });
      const holder = await connect(bridge);
      holder.dropAfter(1);
      const { body } = await ask(bridge.url, { prompt: 'x', model: 'hang-mid', wait: false });
      await until(() => bridge.status.read().extensions.length === 0);
      const id = String(body['request_id']);
      return { bridge, secret: holder.welcome.secret, id, fetched: () => fetch(`${bridge.url}/api/result/${id}`) };
    }

    it('takes the whole answer by POST, once', async () => {
      const { bridge, secret, id, fetched } = await lose();
      const answer = { request_id: id, ...whole('partial ', 'no more') };
      for (const wrong of [{ chunks: undefined }, { end: undefined }, { chunks: [5] }, { request_id: 5 }])
        expect((await deliver(bridge, secret, { ...answer, ...wrong })).status).toBe(400);
      expect((await fetched()).status).toBe(202);
      const taken = await deliver(bridge, secret, answer);
      expect([taken.status, await taken.json()]).toEqual([200, { status: 'success', request_id: id }]);
      // “partial ” had arrived by the socket, and is not there twice.
      const result = async () => (await fetched()).json() as Promise<object>;
      await expect.poll(result, { timeout: 10_000 }).toMatchObject({ status: 'success', result: 'partial no more' });
      const again = await deliver(bridge, secret, { ...answer, ...whole('Again') });
      expect([again.status, await again.json()]).toMatchObject([409, { code: 'already_answered' }]);
    });

    it('takes tool calls and reasoning with it, each once', async () => {
      const bridge = await start({ lostGraceMs: 10_000 });
      const holder = await connect(bridge);
      holder.dropAfter(1);
      const call = holder.nextCall();
      const asked = fetch(`${bridge.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ model: 'hang-mid', messages: [{ role: 'user', content: 'x' }] }),
      });
      await call;
      await until(() => bridge.status.read().extensions.length === 0);
      const chunks = [
        [{ type: 'text', text: 'partial ' }],
        [
          { type: 'reasoning', text: 'Hmm' },
          { type: 'tool_call', id: 'call_a', name: 'get_time', arguments: '{"tz":"CET"}' },
        ],
      ];
      const end = { finishReason: 'tool_calls', model: null, usage: null };
      const request_id = holder.heldRequests()[0];
      expect((await deliver(bridge, holder.welcome.secret, { request_id, chunks, end })).status).toBe(200);
      expect(await (await asked).json()).toMatchObject({
        choices: [
          {
            message: {
              content: 'partial ',
              reasoning_content: 'Hmm',
              tool_calls: [{ id: 'call_a', function: { name: 'get_time', arguments: '{"tz":"CET"}' } }],
            },
            finish_reason: 'tool_calls',
          },
        ],
      });
    });

    it('takes tokens and model with it', async () => {
      const { bridge, secret, id, fetched } = await lose();
      const end = { finishReason: 'stop', model: 'named', usage: { inputTokens: 1, outputTokens: 2 } };
      await deliver(bridge, secret, { request_id: id, ...whole('partial '), end });
      expect(await (await fetched()).json()).toMatchObject({
        model: 'named',
        usage: { input_tokens: 1, output_tokens: 2 },
      });
    });

    it('takes a failure by POST', async () => {
      const { bridge, secret, id, fetched } = await lose();
      const error = { code: 'upstream_failed', message: 'Puter refused.' };
      expect((await deliver(bridge, secret, { request_id: id, error })).status).toBe(200);
      const failed = await fetched();
      expect([failed.status, await failed.json()]).toEqual([
        502,
        { status: 'error', error: 'Puter refused.', code: 'upstream_failed', request_id: id },
      ]);
    });

    it('knows no such call of anybody else, and no call of another name', async () => {
      const { bridge, secret, id, fetched } = await lose();
      const stranger = await connect(bridge);
      const stolen = await deliver(bridge, stranger.welcome.secret, { request_id: id, ...whole('stolen') });
      expect([stolen.status, await stolen.json()]).toMatchObject([404, { code: 'not_found' }]);
      expect((await deliver(bridge, secret, { request_id: 'nobody', ...whole('x') })).status).toBe(404);
      expect((await deliver(bridge, 'guess', { request_id: id, ...whole('x') })).status).toBe(403);
      expect((await fetched()).status).toBe(202);
    });
  });

  it('says that the outcome is unknown where the extension does not come back', async () => {
    const bridge = await start();
    const extension = await connect(bridge);
    const call = extension.nextCall();
    const answer = ask(bridge.url, { prompt: 'x', model: 'hang' });
    await call;
    extension.drop();
    expect(await answer).toMatchObject({ status: 502, body: { code: 'extension_disconnected' } });
  });

  it('fails what is open when it shuts down', async () => {
    const bridge = await startTemporaryBridge();
    const extension = await connect(bridge);
    const call = extension.nextCall();
    const answer = ask(bridge.url, { prompt: 'x', model: 'hang' });
    const running = await call;
    await bridge.close();
    expect(await answer).toMatchObject({ status: 502, body: { code: 'bridge_shutdown' } });
    expect(await running.closed).toBe('aborted');
  });

  it('survives garbage of one extension without harm to another', async () => {
    const bridge = await start();
    const good = await connect(bridge);
    const call = good.nextCall();
    const stop = new AbortController();
    const answer = ask(bridge.url, { prompt: 'x', model: 'hang' }, stop.signal);
    const running = await call;
    const notUtf8 = Buffer.from([0, 255, 1]);
    for (const garbage of [
      'hello',
      '',
      'null',
      '[]',
      '{"type":"end"}',
      '{"type":"hello"}',
      '{"__proto__":1}',
      notUtf8,
    ]) {
      const bad = await connect(bridge);
      bad.sendRaw(garbage);
      await until(() => bridge.status.read().extensions.length === 1);
    }
    expect(running.status).toBe('running');
    expect((await ask(bridge.url, { prompt: 'x' })).status).toBe(200);
    stop.abort();
    await expect(answer).rejects.toThrow('aborted');
  });

  it('lets no extension answer, fail or break the call of another', async () => {
    const bridge = await start();
    const good = await connect(bridge);
    const { body } = await ask(bridge.url, { prompt: 'x', model: 'utf8', wait: false });
    const bad = await connect(bridge);
    const requestId = String(body['request_id']);
    const end = { type: 'end', seq: 0, finishReason: 'stop', model: null, usage: null } as const;
    for (const id of [requestId, crypto.randomUUID()]) {
      const parts = [{ type: 'text', text: 'stolen' }] as const;
      bad.sendRaw(encodeFrame({ type: 'chunk', requestId: id, seq: 0, parts: [...parts] }));
      bad.sendRaw(encodeFrame({ ...end, requestId: id }));
      bad.sendRaw(encodeFrame({ type: 'error', requestId: id, error: { code: 'upstream_failed', message: 'x' } }));
    }
    const fetched = async () => (await fetch(`${bridge.url}/api/result/${requestId}`)).json();
    await expect
      .poll(fetched)
      .toMatchObject({ status: 'success', result: 'Grüße aus Zürich — 日本語のテキスト 🦊👩‍🚀 fin' });
    expect(good.calls.length).toBe(1);
    expect(bridge.status.read().extensions.length).toBe(2);
  });

  it('shows on its page as text what an extension says of itself', async () => {
    const bridge = await start();
    await connect(bridge, { browser: '<script>alert(1)</script>', username: `"><img src=x onerror='alert(1)'>` });
    const page = await (await fetch(bridge.url)).text();
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain('&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;');
    expect(page).not.toMatch(/<script>|<img/);
  });
});
