import { describe, expect, it, onTestFinished } from 'vitest';

import { maxAnswerChars, maxUnreadChars, type FrameToBridge } from '#shared/protocol.ts';

import { startTemporaryBridge } from '../../bridge/temporary-bridge.ts';
import { modelNamed } from '../../shared/model-named.ts';
import { end, otherId, request, requestId, start, startConnected, startRelayRig, text, typesOf } from './relay-rig.ts';
import { patiently, type Line } from './scripted-bridge.ts';

/** As a program calls: from no page at all. */
const { fetch: callAsProgram } = globalThis;

describe('with the bridge itself', () => {
  async function start() {
    const bridge = await startTemporaryBridge();
    onTestFinished(() => bridge.close());
    const rig = startRelayRig(bridge.url);
    await rig.become('connected');
    const ask = async (body: object, signal?: AbortSignal) => {
      const headers = { 'Content-Type': 'application/json', 'User-Agent': 'my-agent/1' };
      const init = { method: 'POST', headers, body: JSON.stringify(body), ...(signal && { signal }) };
      const response = await callAsProgram(`${bridge.url}/api/process`, init);
      const answer: unknown = await response.json();
      return { status: response.status, body: answer };
    };
    return { bridge, rig, ask };
  }

  it('a request goes to a lane, and its answer back to the caller', async () => {
    const { rig, ask } = await start();
    const answer = ask({ prompt: 'hi', model: 'gpt-5' });
    const call = await rig.call();
    expect(call.chat).toEqual({ model: 'gpt-5', messages: [{ role: 'user', content: 'hi' }] });
    expect(rig.activity.running()).toMatchObject([{ model: 'gpt-5', caller: 'my-agent/1' }]);
    call.onParts([text('You '), text('said')]);
    call.onParts([text(': hi')]);
    call.onEnd(end, []);
    expect(await answer).toMatchObject({ status: 200, body: { result: 'You said: hi', usage: { input_tokens: 11 } } });
    expect(rig.activity.running()).toEqual([]);
    expect(rig.activity.finished()).toMatchObject([{ model: 'gpt-5', tokens: 18, failure: null }]);
    expect(rig.outcomes).toEqual([null]);
  });

  it('a call stopped in the popup ends at its lane, and its caller learns who stopped it', async () => {
    const { rig, ask } = await start();
    const answer = ask({ prompt: 'hi' });
    const call = await rig.call();
    const [running] = rig.activity.running();
    rig.relay.stop(running?.requestId ?? '');
    expect(call.isCancelled).toBe(true);
    expect(await answer).toMatchObject({
      body: { code: 'cancelled', error: expect.stringContaining('popup') as string },
    });
    expect(rig.activity.finished()).toMatchObject([{ failure: { code: 'cancelled' } }]);
    expect(rig.outcomes).toEqual([]);
  });

  it('a caller that hangs up ends the call at its lane', async () => {
    const { rig, ask } = await start();
    const hangUp = new AbortController();
    const answer = ask({ prompt: 'hi' }, hangUp.signal).catch(() => 'hung up');
    const call = await rig.call();
    hangUp.abort();
    expect(await answer).toBe('hung up');
    await expect.poll(() => call.isCancelled, patiently).toBe(true);
    expect(rig.activity.finished()).toMatchObject([{ failure: { code: 'cancelled' } }]);
  });

  it('a pause told to the bridge turns callers away there', async () => {
    const { rig, ask } = await start();
    rig.settings.paused = true;
    rig.relay.tellStatus();
    await expect.poll(() => ask({ prompt: 'hi' }), patiently).toMatchObject({ status: 503, body: { code: 'paused' } });
    expect(rig.calls.filter(({ isCancelled }) => !isCancelled)).toEqual([]);
  });
});

describe('the hello', () => {
  it('says who connects, how things are, and which requests are still held', async () => {
    const { line } = await start();
    expect(line.hello).toMatchObject({
      browser: 'Chrome 156',
      version: '1.2.3',
      lanes: 3,
      paused: false,
      account: { session: { state: 'signed_in' } },
      requests: [],
    });
  });

  it('is followed by how things are after the welcome, for they may have changed between', async () => {
    const { rig, line } = await start();
    rig.settings.lanes = 7;
    line.welcome();
    expect(await line.frame('status')).toMatchObject({ lanes: 7 });
  });
});

describe('a request', () => {
  it.each([
    ['without a model has the default one', {}, 'mine', 'mine'],
    ['with a model keeps it', { model: 'gpt-5' }, 'mine', 'gpt-5'],
    ['without a model leaves the choice to Puter where there is no default one', {}, '', undefined],
  ])('%s', async (_, named, defaultModel, model) => {
    const { rig, line } = await startConnected();
    rig.settings.defaultModel = defaultModel;
    line.send(request({ chat: { messages: [], ...named } }));
    expect((await rig.call()).chat).toEqual({ messages: [], ...(model !== undefined && { model }) });
    expect(rig.activity.running()).toMatchObject([{ model: model ?? null, caller: 'curl/8' }]);
  });

  it('that comes twice runs once', async () => {
    const { rig, line } = await startConnected();
    line.send(request());
    line.send(request());
    line.send(request({ requestId: otherId }));
    await expect.poll(() => typesOf(line, otherId), patiently).toEqual(['started']);
    expect(rig.calls).toHaveLength(2);
    expect(typesOf(line)).toEqual(['started']);
  });

  it.each([
    ['paused', { paused: true }, 'paused'],
    ['signed out', { session: 'signed_out' }, 'puter_not_signed_in'],
    ['expired', { session: 'expired' }, 'puter_session_expired'],
  ] as const)('while the extension is %s is refused before a call, with what to do', async (_, change, code) => {
    const { rig, line } = await startConnected();
    Object.assign(rig.settings, change);
    line.send(request());
    const { error } = await line.frame('error');
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/Resume|sign in/i);
    expect(typesOf(line)).toEqual(['error']);
    expect([rig.calls, rig.activity.running(), rig.activity.finished(), rig.outcomes]).toEqual([[], [], [], []]);
  });

  it.each(['verification_required', 'app_blocked', 'unknown'] as const)(
    'is tried while the session is %s: Puter itself decides',
    async (session) => {
      const { rig, line } = await startConnected();
      rig.settings.session = session;
      line.send(request());
      expect((await rig.call()).isCancelled).toBe(false);
    },
  );

  it('that fails at its lane fails with that, and the account is told', async () => {
    const { rig, line } = await startConnected();
    line.send(request());
    const failure = { code: 'upstream_failed', message: 'Puter refused the call.' } as const;
    (await rig.call()).onError(failure);
    expect((await line.frame('error')).error).toEqual(failure);
    expect(rig.outcomes).toEqual([failure]);
    expect(rig.activity.finished()).toMatchObject([{ failure }]);
  });

  it('whose answer is too large is ended at its lane, and fails', async () => {
    const { rig, line } = await startConnected();
    line.send(request());
    const call = await rig.call();
    call.onParts([text('x')]);
    call.onParts([text('x'.repeat(maxAnswerChars))]);
    expect((await line.frame('error')).error.code).toBe('answer_too_large');
    expect(call.isCancelled).toBe(true);
    expect(typesOf(line)).toEqual(['started', 'chunk', 'error']);
  });

  it('whose answer is too large with its last part fails', async () => {
    const { rig, line } = await startConnected();
    line.send(request());
    const call = await rig.call();
    call.onParts([text('x')]);
    call.onEnd(end, [text('x'.repeat(maxAnswerChars))]);
    expect((await line.frame('error')).error.code).toBe('answer_too_large');
    expect(typesOf(line)).toEqual(['started', 'chunk', 'error']);
    expect(rig.activity.finished()).toMatchObject([{ failure: { code: 'answer_too_large' } }]);
  });

  it('tells its last parts with its end, in one frame', async () => {
    const { rig, line } = await startConnected();
    line.send(request());
    (await rig.call()).onEnd(end, [text('all of it')]);
    expect(await line.frame('end')).toEqual({ type: 'end', requestId, seq: 0, parts: [text('all of it')], ...end });
    expect(typesOf(line)).toEqual(['started', 'end']);
  });

  it('that the bridge cancels is ended at its lane once', async () => {
    const { rig, line } = await startConnected();
    line.send(request());
    const call = await rig.call();
    line.send({ type: 'cancel', requestId });
    line.send({ type: 'cancel', requestId });
    line.send({ type: 'cancel', requestId: otherId });
    line.send({ type: 'ping' });
    await line.frame('pong');
    expect(call.isCancelled).toBe(true);
    expect(typesOf(line)).toEqual(['started', 'error']);
  });
});

it('a call that has ended is neither stopped nor cancelled any more', async () => {
  const { rig, line } = await startConnected();
  line.send(request());
  (await rig.call()).onEnd(end, []);
  line.send(request({ requestId: otherId }));
  (await rig.call(1)).onError({ code: 'upstream_failed', message: 'm' });
  for (const id of [requestId, otherId]) {
    rig.relay.stop(id);
    line.send({ type: 'cancel', requestId: id });
  }
  line.send({ type: 'ping' });
  await line.frame('pong');
  expect([typesOf(line), typesOf(line, otherId)]).toEqual([
    ['started', 'end'],
    ['started', 'error'],
  ]);
  expect(rig.calls.map(({ isCancelled }) => isCancelled)).toEqual([false, false]);
});

describe('when the line is lost', () => {
  async function lose() {
    const started = await startConnected();
    const { bridge, rig, line } = started;
    line.send(request());
    const call = await rig.call();
    call.onParts([text('a')]);
    call.onParts([text('b')]);
    await expect.poll(() => typesOf(line), patiently).toEqual(['started', 'chunk', 'chunk']);
    line.end();
    await rig.become('no_bridge');
    const resume = async (): Promise<Line> => {
      const next = bridge.nextLine();
      rig.relay.retry();
      return next;
    };
    return { ...started, call, resume };
  }

  it('the call goes on, and what the bridge has not is sent again', async () => {
    const { call, resume } = await lose();
    const line = await resume();
    expect(line.hello.requests).toEqual([requestId]);
    line.welcome([{ requestId, nextSeq: 1, room: maxUnreadChars }]);
    await line.frame('chunk');
    call.onEnd(end, []);
    await line.frame('end');
    const answer = line.frames.filter((frame) => 'seq' in frame);
    expect(answer.map((frame) => 'seq' in frame && frame.seq)).toEqual([1, 2]);
    expect(call.isCancelled).toBe(false);
  });

  it('a call that the bridge no longer wants is ended', async () => {
    const { rig, call, resume } = await lose();
    const line = await resume();
    line.welcome();
    await expect.poll(() => call.isCancelled, patiently).toBe(true);
    expect(rig.activity.finished()).toMatchObject([{ failure: { code: 'cancelled' } }]);
  });

  it('a whole answer is handed in by post, with the secret, and then forgotten', async () => {
    const { bridge, call, resume } = await lose();
    call.onEnd(end, []);
    await expect
      .poll(() => bridge.handedIn, patiently)
      .toEqual([
        { secret: 'Bearer the secret', body: { request_id: requestId, chunks: [[text('a')], [text('b')]], end } },
      ]);
    const line = await resume();
    expect(line.hello.requests).toEqual([]);
  });

  it('a whole answer waits for the line where the two are paired: whoever takes a post has proved nothing', async () => {
    const { bridge, rig, call, resume } = await lose();
    rig.settings.pairing = { secret: '0'.repeat(64), isOfAddress: true };
    call.onEnd(end, []);
    rig.settings.pairing = null;
    const line = await resume();
    expect([line.hello.requests, bridge.handedIn]).toEqual([[requestId], []]);
  });

  it('so is a failure', async () => {
    const { bridge, call } = await lose();
    const error = { code: 'upstream_failed', message: 'm' } as const;
    call.onError(error);
    await expect
      .poll(() => bridge.handedIn.map(({ body }) => body), patiently)
      .toEqual([{ request_id: requestId, error }]);
  });

  it('an answer is posted nowhere while the line is there, and kept until the bridge says that it has it', async () => {
    const { bridge, rig, line } = await startConnected();
    line.send(request());
    (await rig.call()).onEnd(end, []);
    await line.frame('end');
    line.end();
    await rig.become('no_bridge');
    const again = bridge.nextLine();
    rig.relay.retry();
    const second = await again;
    expect(second.hello.requests).toEqual([requestId]);
    second.welcome([{ requestId, nextSeq: 1, room: maxUnreadChars }]);
    second.send({ type: 'ack', requestIds: [otherId, requestId] });
    second.send({ type: 'ping' });
    await second.frame('pong');
    second.end();
    await rig.become('no_bridge');
    const third = bridge.nextLine();
    rig.relay.retry();
    expect((await third).hello.requests).toEqual([]);
    expect(bridge.handedIn).toEqual([]);
  });
});

describe('a request is held', () => {
  it('from its start until the bridge says that it has the answer', async () => {
    const { rig, line } = await startConnected();
    for (const id of [requestId, otherId]) line.send(request({ requestId: id }));
    (await rig.call(1)).onEnd(end, []);
    await line.frame('end');
    expect([rig.relay.held(), rig.held]).toEqual([2, []]);
    line.send({ type: 'ack', requestIds: [otherId] });
    await expect.poll(() => rig.held, patiently).toEqual([1]);
  });

  it('until the bridge does not want it any more', async () => {
    const { bridge, rig, line } = await startConnected();
    line.send(request());
    await rig.call();
    line.end();
    await rig.become('no_bridge');
    expect([rig.relay.held(), rig.held]).toEqual([1, []]);
    rig.relay.retry();
    (await bridge.nextLine()).welcome();
    await expect.poll(() => rig.held, patiently).toEqual([0]);
  });
});

describe('what Puter offers', () => {
  it('is told with every welcome once it is known, and when it changed', async () => {
    const { rig, line } = await start();
    line.welcome();
    await rig.become('connected');
    rig.settings.models = [modelNamed('m')];
    expect(line.frames.filter(({ type }: FrameToBridge) => type === 'models')).toEqual([]);
    rig.relay.tellModels();
    expect(await line.frame('models')).toEqual({ type: 'models', models: rig.settings.models });
  });
});

describe('a sign-in in a tab', () => {
  const state = '0190a8f0-0000-4000-8000-0000000000aa';

  it('is announced while the bridge is connected, and not otherwise', async () => {
    const { rig, line } = await start();
    expect(rig.relay.announceSignIn(state)).toBe(false);
    line.welcome();
    await rig.become('connected');
    expect(rig.relay.announceSignIn(state)).toBe(true);
    expect(await line.frame('sign_in')).toEqual({ type: 'sign_in', state });
    line.end();
    await rig.become('no_bridge');
    expect(rig.relay.announceSignIn(state)).toBe(false);
    expect(line.frames.filter(({ type }: FrameToBridge) => type === 'sign_in')).toHaveLength(1);
  });

  it('is announced with every welcome while it is under way: a bridge forgets it with the line', async () => {
    const { rig, line } = await start();
    rig.settings.signIn = state;
    line.welcome();
    expect(await line.frame('sign_in')).toEqual({ type: 'sign_in', state });
  });

  it('hands its token on', async () => {
    const { rig, line } = await startConnected();
    line.send({ type: 'token', state, token: 'the token' });
    await expect.poll(() => rig.tokens, patiently).toEqual([{ type: 'token', state, token: 'the token' }]);
  });
});

it('what only the bridge knows is handed on', async () => {
  const { rig, line } = await startConnected();
  const told = { queued: 4, watched: true, durability: 'degraded' } as const;
  line.send({ type: 'status', ...told });
  await expect.poll(() => rig.bridgeStatus, patiently).toEqual([told]);
});

it('closed, a relay ends its calls and its line, and hands nothing in', async () => {
  const { bridge, rig, line } = await startConnected();
  line.send(request());
  const call = await rig.call();
  rig.relay.close();
  expect(call.isCancelled).toBe(true);
  await expect.poll(() => line.closed?.code, patiently).toBe(1000);
  expect(rig.activity.running()).toEqual([]);
  expect([bridge.handedIn, rig.outcomes]).toEqual([[], []]);
});
