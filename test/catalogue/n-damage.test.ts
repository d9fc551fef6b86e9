import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import type { BridgeStatus } from '#shared/status.ts';

import type { Config } from '../../bridge/config.ts';
import { defaultLimits } from '../../bridge/limits.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { startProcess, temporaryStateDir } from './bridge-process.ts';

/** What the bridge makes of a disk that fails, and of files that were damaged. */

interface Answer {
  status: number;
  body: { result: string; request_id: string; code?: string };
}

const read = async (response: Promise<Response>): Promise<Answer> => {
  const it = await response;
  return { status: it.status, body: (await it.json()) as Answer['body'] };
};
const statusOf = async (url: string) => (await (await fetch(`${url}/api/status`)).json()) as BridgeStatus;
const fetchResult = (url: string, id: string) => read(fetch(`${url}/api/result/${id}`));
const ask = (url: string, prompt: string, key?: string) =>
  read(
    fetch(`${url}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(key !== undefined && { 'Idempotency-Key': key }) },
      body: JSON.stringify({ prompt, model: 'echo' }),
    }),
  );

async function open(change: Partial<Config> = {}) {
  const unexpected: unknown[] = [];
  const stateDir = change.stateDir ?? (await temporaryStateDir());
  const bridge = await startTemporaryBridge({ stateDir, ...change }, (error) => unexpected.push(error));
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  const close = async () => {
    extension.close();
    await bridge.close();
  };
  return { ...bridge, stateDir, unexpected, extension, close };
}

/** More than there is room for. */
const long = 'x'.repeat(300_000);

it('N13 goes on where the disk is full, and status and page say it', async () => {
  const bridge = await open({ keepBytes: 10_000, limits: { ...defaultLimits, maxJournalBytes: 100_000 } });
  onTestFinished(bridge.close);
  expect(await statusOf(bridge.url)).toMatchObject({ durability: 'full', notices: [] });
  const before = await ask(bridge.url, 'before', 'one');
  // Who wants a list of them has them put into the database.
  expect((await fetch(`${bridge.url}/api/requests`)).status).toBe(200);
  const during = await ask(bridge.url, long, 'two');
  expect(during.body.result).toContain(long);
  const { durability, notices } = await statusOf(bridge.url);
  expect([durability, notices]).toEqual(['degraded', [expect.stringContaining('(database or disk is full)')]]);
  expect(await (await fetch(bridge.url)).text()).toContain('(database or disk is full)');
  expect(bridge.unexpected).toHaveLength(1);
  // What is new is answered, and no key makes a second call, whenever it was sent.
  expect(await ask(bridge.url, 'after', 'three')).toMatchObject({ status: 200, body: { result: 'You said: after' } });
  const again = [await ask(bridge.url, 'before', 'one'), await ask(bridge.url, long, 'two')];
  // The second is more than this bridge keeps.
  expect(again.map(({ status }) => status)).toEqual([200, 410]);
  expect((await ask(bridge.url, 'after', 'three')).status).toBe(200);
  expect(bridge.extension.calls).toHaveLength(3);
  expect((await fetchResult(bridge.url, before.body.request_id)).body.result).toBe('You said: before');
});

it('N13 tells whoever follows the status, at the moment that it happens', async () => {
  const bridge = await open({ keepBytes: 10_000, limits: { ...defaultLimits, maxJournalBytes: 100_000 } });
  onTestFinished(bridge.close);
  const told: string[] = [];
  bridge.status.watch(({ durability }) => told.push(durability));
  await ask(bridge.url, long);
  await expect.poll(() => told.at(-1)).toBe('degraded');
});

it('N13 goes on where the system refuses to write, and the terminal says it', async () => {
  // No file may grow beyond some hundred kilobytes: writes fail with EFBIG, for root, too.
  const bridge = await startProcess({ before: 'ulimit -f 400' });
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(() => extension.close());
  const answers = [await ask(bridge.url, long), await ask(bridge.url, `${long}${long}`, 'k')];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(await statusOf(bridge.url)).toMatchObject({ durability: 'degraded' });
  await expect.poll(() => bridge.stdout()).toContain('! Nothing can be kept on disk (EFBIG: file too large)');
  expect((await ask(bridge.url, `${long}${long}`, 'k')).status).toBe(200);
  expect(extension.calls).toHaveLength(2);
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended).toEqual([0, null]);
});

it('N13 starts where nothing at all can be written', async () => {
  const bridge = await startProcess({ before: 'ulimit -f 0' });
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(() => extension.close());
  expect((await ask(bridge.url, 'hi')).body.result).toBe('You said: hi');
  expect(await statusOf(bridge.url)).toMatchObject({ durability: 'degraded' });
});

/** A closed bridge's folder, with these answers in it. */
async function kept(...prompts: string[]): Promise<{ stateDir: string; ids: string[]; file: string }> {
  const bridge = await open();
  const ids: string[] = [];
  for (const prompt of prompts) ids.push((await ask(bridge.url, prompt, prompt)).body.request_id);
  await bridge.close();
  return { stateDir: bridge.stateDir, ids, file: join(bridge.stateDir, 'journal.db') };
}

it('N13 knows what was kept, and calls nobody for it anew, where nothing at all can be written', async () => {
  const { stateDir, ids } = await kept('hello');
  const bridge = await startProcess({ stateDir, before: 'ulimit -f 0' });
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(() => extension.close());
  const { body } = await ask(bridge.url, 'hello', 'hello');
  expect([body.request_id, body.result, extension.calls]).toEqual([ids[0], 'You said: hello', []]);
  expect(await statusOf(bridge.url)).toMatchObject({ durability: 'degraded' });
});

it('N11 skips a row that is damaged, counts it, and reads the others', async () => {
  const { stateDir, ids, file } = await kept('first', 'second', 'third');
  // A few bytes in the middle of one answer, as a bad block leaves them: no checksum of SQLite's finds that.
  const bytes = readFileSync(file);
  const at = bytes.indexOf('"text":"You said: second"');
  bytes.fill('#', at, at + 8);
  writeFileSync(file, bytes);
  const bridge = await open({ stateDir });
  onTestFinished(bridge.close);
  const results = await Promise.all(ids.map((id) => fetchResult(bridge.url, id)));
  expect(results.map(({ status }) => status)).toEqual([200, 410, 200]);
  expect(results[1]?.body.code).toBe('result_not_stored');
  const { durability, notices } = await statusOf(bridge.url);
  expect([durability, notices]).toEqual(['full', [expect.stringContaining(': 1 of the kept answers')]]);
  // That there was an answer is known all the same.
  expect((await ask(bridge.url, 'second', 'second')).status).toBe(410);
  expect(bridge.extension.calls).toHaveLength(0);
});

it.each([
  ['cut in half', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['overwritten in the middle', (bytes: Buffer) => bytes.fill(0xff, bytes.length / 4, (bytes.length * 3) / 4)],
  ['no database', () => Buffer.from('This is no database at all.')],
])('N11 puts a file that is %s aside whole, says it, and starts', async (_, damage) => {
  const { stateDir, ids, file } = await kept('first', 'second');
  const damaged = damage(readFileSync(file));
  writeFileSync(file, damaged);
  chmodSync(file, 0o600);
  const bridge = await open({ stateDir });
  onTestFinished(bridge.close);
  expect((await fetchResult(bridge.url, ids[0] ?? '')).status).toBe(404);
  const { durability, notices } = await statusOf(bridge.url);
  expect([durability, notices]).toEqual(['full', [expect.stringContaining('journal.db.broken')]]);
  expect(readdirSync(stateDir)).toContain('journal.db.broken');
  expect(readFileSync(`${file}.broken`).equals(damaged)).toBe(true);
  const fresh = await ask(bridge.url, 'third');
  expect((await fetchResult(bridge.url, fresh.body.request_id)).status).toBe(200);
  expect(bridge.unexpected).toHaveLength(1);
});
