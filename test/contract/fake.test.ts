import { describe, expect, it, onTestFinished } from 'vitest';

import { startBridge, type Bridge } from '../../bridge/bridge.ts';
import { defaults } from '../../bridge/config.ts';
import { process as ask, until } from '../browser/rig.ts';
import { startFakeExtension } from './fake-extension.ts';
import { describeProcessContract } from './process-contract.ts';

const openBridge = (config = {}): Promise<Bridge> =>
  startBridge({ ...defaults, port: 0, ...config }, { onUnexpected: (error) => expect.fail(String(error)) });

describeProcessContract('a fake extension', async () => {
  const bridge = await openBridge();
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  return {
    url: bridge.url,
    calls: extension.calls,
    nextCall: extension.nextCall,
    async close() {
      extension.close();
      await bridge.close();
    },
  };
});

describe('a bridge', () => {
  async function start(config = {}): Promise<Bridge> {
    const bridge = await openBridge({ connectGraceMs: 50, lostGraceMs: 200, ...config });
    onTestFinished(() => bridge.close());
    return bridge;
  }
  async function connect(bridge: Bridge, options = {}) {
    const extension = await startFakeExtension({ bridgeUrl: bridge.url, ...options });
    onTestFinished(() => extension.close());
    return extension;
  }
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

  it('uses the extension that is signed in where another is not', async () => {
    const bridge = await start();
    await connect(bridge, { signedIn: false });
    const good = await connect(bridge);
    expect((await ask(bridge.url, { prompt: 'x' })).status).toBe(200);
    expect(good.calls.length).toBe(1);
  });

  it('carries an answer over a dropped connection once and whole', async () => {
    const bridge = await start({ lostGraceMs: 10_000 });
    const extension = await connect(bridge);
    const call = extension.nextCall();
    const answer = ask(bridge.url, { prompt: 'x', model: 'long-stream' });
    await call;
    extension.drop();
    await until(() => bridge.status.read().extensions.length === 0);
    await extension.reconnect();
    const { status, body } = await answer;
    expect([status, String(body['result']).match(/\d+/g)?.length]).toEqual([200, 2000]);
    expect(extension.calls.length).toBe(1);
  });

  it('takes an answer by POST while the socket is down, once', async () => {
    const bridge = await start({ lostGraceMs: 10_000 });
    const extension = await connect(bridge);
    const other = await connect(bridge);
    const call = extension.nextCall();
    const pending = await ask(bridge.url, { prompt: 'x', model: 'hang', wait: false });
    const requestId = String(pending.body['request_id']);
    await Promise.race([call, other.nextCall()]);
    const holder = extension.calls.length === 1 ? extension : other;
    const stranger = holder === extension ? other : extension;
    holder.drop();
    await until(() => bridge.status.read().extensions.length === 1);
    expect((await deliver(bridge, stranger.secret, { request_id: requestId, result: 'stolen' })).status).toBe(404);
    expect((await deliver(bridge, holder.secret, { request_id: requestId })).status).toBe(400);
    expect((await deliver(bridge, holder.secret, { request_id: requestId, result: 'By post' })).status).toBe(200);
    expect((await deliver(bridge, holder.secret, { request_id: requestId, result: 'Again' })).status).toBe(409);
    expect((await deliver(bridge, holder.secret, { request_id: 'nobody', result: 'x' })).status).toBe(404);
    const fetched = await fetch(`${bridge.url}/api/result/${requestId}`);
    expect(await fetched.json()).toMatchObject({ status: 'success', result: 'By post' });
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
    const bridge = await openBridge();
    const extension = await connect(bridge);
    const call = extension.nextCall();
    const answer = ask(bridge.url, { prompt: 'x', model: 'hang' });
    const running = await call;
    await bridge.close();
    expect(await answer).toMatchObject({ status: 503, body: { code: 'shutting_down' } });
    expect(await running.closed).toBe('aborted');
  });

  it('survives garbage of one extension without harm to another', async () => {
    const bridge = await start();
    const good = await connect(bridge);
    const call = good.nextCall();
    const answer = ask(bridge.url, { prompt: 'x', model: 'slow-stream', timeout_ms: 2000 });
    await call;
    for (const garbage of ['hello', 'null', '[]', '{"type":"end"}', '{"__proto__":1}', Buffer.from([0, 255, 1])]) {
      const bad = await connect(bridge);
      bad.sendRaw(garbage);
      await until(() => bridge.status.read().extensions.length === 1);
    }
    expect((await ask(bridge.url, { prompt: 'x' })).status).toBe(200);
    expect((await answer).status).toBe(504);
  });
});
