import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createKey } from '../../bridge/keys/keys.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { keyCommand, run, startProcess, temporaryStateDir } from './bridge-process.ts';

// Processes of their own take a while to start, all the more on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

/** A state folder that another version of the bridge left. */

const put = (folder: string, name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 });

/** The journal as the first version of it was, with an answer to “x” and a call whose outcome nobody knows. */
function putFirstJournal(folder: string): void {
  const file = join(folder, 'journal.db');
  const database = new DatabaseSync(file);
  database.exec(`CREATE TABLE chats (id TEXT PRIMARY KEY, status TEXT NOT NULL, scope TEXT NOT NULL, key TEXT,
    fingerprint TEXT, created_at INTEGER NOT NULL, finished_at INTEGER, profile TEXT, instance TEXT, request TEXT,
    outcome TEXT, outcome_chars INTEGER) STRICT;
    CREATE INDEX chats_by_key ON chats (scope, key) WHERE key IS NOT NULL;
    CREATE INDEX chats_by_finish ON chats (finished_at, outcome_chars);
    CREATE INDEX chats_by_creation ON chats (created_at);
    PRAGMA user_version = 1;`);
  const outcome = JSON.stringify({
    ...{ text: 'An answer of long ago.', reasoning: '', refusal: null, toolCalls: [] },
    ...{ finishReason: 'stop', model: 'm', usage: null, durationMs: 5 },
  });
  const insert = database.prepare("INSERT INTO chats VALUES (?, ?, 'key:laptop', ?, ?, ?, ?, ?, ?, NULL, ?, ?)");
  const now = Date.now();
  const asked = JSON.stringify({ messages: [{ role: 'user', content: 'x' }] });
  const hash = createHash('sha256').update(asked).digest('base64url');
  insert.run('answered', 'success', 'k', hash, now, now, 'p', 'i', outcome, outcome.length);
  insert.run('open', 'dispatched', null, null, now, null, 'p', 'i', null, null);
  database.close();
  chmodSync(file, 0o600);
}

const versionOf = (folder: string): unknown => {
  const database = new DatabaseSync(join(folder, 'journal.db'));
  onTestFinished(() => database.close());
  return database.prepare('PRAGMA user_version').get()?.['user_version'];
};

describe('a state folder of an older bridge', () => {
  it('O17 is taken over: answers, also by their Idempotency-Key, open calls, keys, pairings and models', async () => {
    const stateDir = await temporaryStateDir();
    putFirstJournal(stateDir);
    const key = createKey(stateDir, 'laptop', new Date());
    const pairing = { id: 'x', origin: 'moz-extension://y', profile: 'p', browser: 'Firefox', secret: 'ab'.repeat(32) };
    const times = { created: '2026-01-01T00:00:00.000Z', lastSeen: '2026-01-01T00:00:00.000Z' };
    const kept = {
      'keys.json': readFileSync(join(stateDir, 'keys.json'), 'utf8'),
      'pairings.json': JSON.stringify({ pairings: [{ ...pairing, ...times }] }),
    };
    put(stateDir, 'pairings.json', kept['pairings.json']);
    // A model had fewer fields once. The list is Puter's, and told anew by the first extension.
    put(stateDir, 'models.json', '{"models":[{"id":"of-long-ago"}]}');

    const bridge = await startProcess({ stateDir, args: ['--drain', '0'] });
    const send = async (path: string, headers: object = {}, body?: object) => {
      const what = body && { method: 'POST', body: JSON.stringify(body) };
      const answer = await fetch(bridge.url + path, { ...what, headers: { 'x-api-key': key, ...headers } });
      return [answer.status, await answer.json()];
    };
    expect(await send('/api/result/answered')).toMatchObject([200, { result: 'An answer of long ago.' }]);
    const keyed = { 'Content-Type': 'application/json', 'Idempotency-Key': 'k' };
    expect(await send('/api/process', keyed, { prompt: 'x' })).toMatchObject([200, { request_id: 'answered' }]);
    expect(await send('/api/result/open')).toMatchObject([202, { status: 'pending' }]);
    const extension = await startFakeExtension({ bridgeUrl: bridge.url });
    onTestFinished(() => extension.close());
    await expect.poll(() => send('/v1/models')).toMatchObject([200, { data: expect.any(Array) as unknown }]);
    await expect.poll(() => readFileSync(join(stateDir, 'models.json'), 'utf8')).not.toContain('of-long-ago');

    bridge.child.kill('SIGTERM');
    await bridge.ended;
    expect(versionOf(stateDir)).toBeGreaterThan(1);
    for (const [name, text] of Object.entries(kept)) expect(readFileSync(join(stateDir, name), 'utf8')).toBe(text);
  });
});

describe('a state folder of a newer bridge', () => {
  /** Why it is refused, twice, with this file in it, which stays as it was. */
  async function refusalOf(stateDir: string, name: string): Promise<string> {
    const before = readFileSync(join(stateDir, name));
    const words: string[] = [];
    for (let tries = 0; tries < 2; tries += 1) {
      const started = run(['--port', '0', '--state-dir', stateDir]);
      expect([await started.ended, started.stdout()]).toEqual([[2, null], '']);
      words.push(started.stderr());
    }
    expect(words[1]).toBe(words[0]);
    expect(readFileSync(join(stateDir, name))).toEqual(before);
    expect(readdirSync(stateDir).filter((it) => it.includes('broken'))).toEqual([]);
    return words[0] ?? '';
  }

  it('O17 is refused by its journal, which keeps what is in it', async () => {
    const stateDir = await temporaryStateDir();
    const bridge = await startProcess({ stateDir });
    bridge.child.kill('SIGTERM');
    await bridge.ended;
    const database = new DatabaseSync(join(stateDir, 'journal.db'));
    database.exec("CREATE TABLE later (words TEXT); INSERT INTO later VALUES ('kept'); PRAGMA user_version = 99");
    database.close();
    expect(await refusalOf(stateDir, 'journal.db')).toContain(
      'Update the bridge, or choose another folder with --state-dir.',
    );
    expect(versionOf(stateDir)).toBe(99);
  });

  it('O17 is refused by its keys, also where a key is to be made or made void', async () => {
    const stateDir = await temporaryStateDir();
    createKey(stateDir, 'laptop', new Date());
    const { keys } = JSON.parse(readFileSync(join(stateDir, 'keys.json'), 'utf8')) as { keys: object[] };
    put(stateDir, 'keys.json', JSON.stringify({ keys: keys.map((key) => ({ ...key, expires: 'never' })) }));
    const before = readFileSync(join(stateDir, 'keys.json'), 'utf8');
    for (const args of [['create', 'phone'], ['revoke', 'laptop'], ['list']])
      expect(keyCommand(stateDir, ...args)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('newer') as string,
      });
    expect(readFileSync(join(stateDir, 'keys.json'), 'utf8')).toBe(before);
    expect(await refusalOf(stateDir, 'keys.json')).toContain('If a newer one did, update this one');
  });

  it('O17 is refused by its pairings', async () => {
    const stateDir = await temporaryStateDir();
    const pairing = { id: 'x', origin: 'moz-extension://y', profile: 'p', browser: 'Firefox', secret: 'ab'.repeat(32) };
    const times = { created: '2026-01-01T00:00:00.000Z', lastSeen: '2026-01-01T00:00:00.000Z', scopes: ['all'] };
    put(stateDir, 'pairings.json', JSON.stringify({ pairings: [{ ...pairing, ...times }] }));
    expect(await refusalOf(stateDir, 'pairings.json')).toContain('If a newer bridge wrote it, update this one');
  });
});
