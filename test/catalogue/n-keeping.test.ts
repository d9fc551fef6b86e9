import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { temporaryStateDir } from './bridge-process.ts';
import { json, refusalOf, useBridge } from './bridge-rig.ts';

/** How long and how much is kept, and what is left where nothing is. */

const keyed = ['Idempotency-Key: k'];
const idOf = ({ body }: { body: string }): string => (JSON.parse(body) as { request_id: string }).request_id;

describe('what is over its time', () => {
  const rig = useBridge({ keepMs: 20 });

  it('N7 N14 is gone, and its key runs anew', async () => {
    const first = await rig.r0(keyed);
    await expect.poll(async () => (await rig.send(`GET /api/result/${idOf(first)}`)).status).toBe(404);
    // Another body than before is no matter any more.
    const again = await rig.r0(keyed, json({ prompt: 'other' }));
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, undefined]);
    expect(idOf(again)).not.toBe(idOf(first));
    rig.expectCalls(2);
  });

  it('N14 is never what still runs', async () => {
    const call = rig.extension.nextCall();
    const running = idOf(await rig.r0([], json({ prompt: 'x', model: 'hang', wait: false })));
    await call;
    for (let count = 0; count < 3; count += 1) {
      const over = idOf(await rig.r0());
      await expect.poll(async () => (await rig.send(`GET /api/result/${over}`)).status).toBe(404);
    }
    expect((await rig.send(`GET /api/result/${running}`)).status).toBe(202);
    await rig.send(`DELETE /api/requests/${running}`);
    rig.expectCalls(4);
  });
});

describe('what is too much', () => {
  const rig = useBridge({ keepBytes: 5000 });

  it('N14 goes, the oldest first, and never what still runs', async () => {
    const call = rig.extension.nextCall();
    const running = idOf(await rig.r0([], json({ prompt: 'x', model: 'hang', wait: false })));
    await call;
    const ids: string[] = [];
    await rig.r0(keyed);
    for (let count = 0; count < 12; count += 1) ids.push(idOf(await rig.r0()));
    const statuses = await Promise.all(ids.map(async (id) => (await rig.send(`GET /api/result/${id}`)).status));
    const gone = statuses.indexOf(200);
    expect(gone).toBeGreaterThan(2);
    expect(gone).toBeLessThan(11);
    expect(statuses).toEqual(statuses.map((_, at) => (at < gone ? 404 : 200)));
    expect((await rig.send(`GET /api/result/${running}`)).status).toBe(202);
    // Its words went with the oldest, and it makes no second call all the same.
    expect(refusalOf(await rig.r0(keyed))).toEqual({ status: 410, code: 'result_not_stored' });
    await rig.send(`DELETE /api/requests/${running}`);
    rig.expectCalls(14);
  });
});

describe('an id', () => {
  const rig = useBridge();

  it('N16 is told of nobody who guesses it from another', async () => {
    const [id, next] = [idOf(await rig.r0()), idOf(await rig.r0())];
    const step = (by: bigint) => (BigInt(`0x${id.replaceAll('-', '')}`) + by).toString(16).padStart(32, '0');
    const near = [1n, -1n, 1n << 32n, -(1n << 32n)]
      .map(step)
      .map((hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
    expect(near).not.toContain(next);
    const guesses = [...near, id.slice(0, -1), `${id}0`, id.toUpperCase(), `${id.slice(0, 8)}%25`, '_'.repeat(36), '*'];
    for (const guess of guesses) {
      for (const path of ['/api/result', '/api/requests'])
        expect([guess, (await rig.send(`GET ${path}/${guess}`)).status]).toEqual([guess, 404]);
      expect((await rig.send(`DELETE /api/requests/${guess}`)).status).toBe(404);
    }
    expect((await rig.send(`GET /api/result/${id}`)).status).toBe(200);
    rig.expectCalls(2);
  });
});

describe('a bridge that keeps no answers', () => {
  const rig = useBridge({ keepMs: 0 });

  it('N15 answers, and says of a key that it had its answer', async () => {
    const first = await rig.r0(keyed);
    expect([first.status, JSON.parse(first.body)]).toMatchObject([200, { result: 'You said: hi' }]);
    const again = await rig.r0(keyed);
    expect(refusalOf(again)).toEqual({ status: 410, code: 'result_not_stored' });
    expect(again.headers.get('x-should-retry')).toBe('false');
    const other = await rig.r0(keyed, json({ prompt: 'other' }));
    expect(refusalOf(other)).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    const fetched = await rig.send(`GET /api/result/${idOf(first)}`);
    expect(refusalOf(fetched)).toEqual({ status: 410, code: 'result_not_stored' });
    rig.expectCalls(1);
  });

  it('N15 says the same to OpenAI’s clients', async () => {
    const body = json({ model: 'echo', messages: [{ role: 'user', content: 'hi' }] });
    const ask = () =>
      rig.send(
        'POST /v1/chat/completions',
        ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Idempotency-Key: v1'],
        body,
      );
    expect((await ask()).status).toBe(200);
    expect(refusalOf(await ask())).toEqual({ status: 410, code: 'result_not_stored' });
    rig.expectCalls(1);
  });

  it('N15 takes nothing whose answer could only be fetched', async () => {
    const refused = await rig.r0([], json({ prompt: 'x', wait: false }));
    expect(refusalOf(refused)).toEqual({ status: 400, code: 'invalid_value', param: 'wait' });
  });

  it('N15 has no word of an answer on disk, also where its caller left', async () => {
    const stateDir = await temporaryStateDir();
    const bridge = await startTemporaryBridge({ stateDir, keepMs: 0 });
    const extension = await startFakeExtension({ bridgeUrl: bridge.url });
    onTestFinished(() => extension.close());
    const ask = (signal: AbortSignal | null, key: string) =>
      fetch(`${bridge.url}/api/process`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
        body: json({ prompt: 'a word that is nowhere else', model: 'echo' }),
        signal,
      });
    await ask(null, 'k');
    const stop = new AbortController();
    const call = extension.nextCall();
    const left = ask(stop.signal, 'left').catch(() => null);
    await call;
    stop.abort();
    await left;
    await expect.poll(async () => (await ask(null, 'left')).status).toBe(410);
    const look = () =>
      readdirSync(stateDir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
    const open = look().join('');
    await bridge.close();
    for (const text of [open, look().join('')]) {
      expect(text).toContain('success');
      expect(text).not.toContain('nowhere else');
    }
  });
});
