import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { describe, expect, it, onTestFinished } from 'vitest';

import type { HistoryTask } from '../../../bridge/command-line/tasks.ts';
import type { Config } from '../../../bridge/config.ts';
import { runHistoryTask } from '../../../bridge/journal/commands.ts';
import { run, startProcess, temporaryStateDir } from '../../catalogue/bridge-process.ts';
import { startFakeExtension } from '../../contract/fake-extension.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';
import { openSoundJournal } from './sound-journal.ts';

async function open(change: Partial<Config> = {}) {
  const stateDir = await temporaryStateDir();
  const bridge = await startTemporaryBridge({ stateDir, ...change });
  onTestFinished(() => bridge.close());
  const extension = await startFakeExtension({ bridgeUrl: bridge.url });
  onTestFinished(() => extension.close());
  // It is written under another name first, so that a file would vanish under whoever reads all of the folder.
  await expect.poll(() => existsSync(join(stateDir, 'models.json')), { timeout: 10_000 }).toBe(true);
  async function ask(body: object, headers: Record<string, string> = {}) {
    const response = await fetch(`${bridge.url}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, id: ((await response.json()) as { request_id: string }).request_id };
  }
  async function history(task: HistoryTask) {
    const [printed, told]: [string[], string[]] = [[], []];
    const [print, tell] = [(line: string) => printed.push(line), (line: string) => told.push(line)];
    await runHistoryTask(task, { folder: stateDir, print, tell });
    return { printed, told };
  }
  return { ...bridge, stateDir, extension, ask, history };
}

const everything = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    .join('');

describe('without history', () => {
  it('nothing of what is asked is on disk, and the list says how to have it', async () => {
    const bridge = await open();
    await bridge.ask({ prompt: 'a question that stays here', model: 'hidden' });
    await bridge.ask({ prompt: 'a question that stays here', model: 'fail:upstream_failed' });
    const files = everything(bridge.stateDir);
    expect(files).toContain('upstream_failed');
    expect(files.replaceAll('You said: a question', '')).not.toContain('a question');
    expect(await bridge.history({ type: 'list_history' })).toEqual({
      printed: [],
      told: [expect.stringContaining('--history')],
    });
  });
});

describe('the history', () => {
  it('lists what was asked while the bridge runs, newest first', async () => {
    const bridge = await open({ keepsHistory: true });
    const first = await bridge.ask({ prompt: 'one\n two \u001B[31mred', system: 'Be short.' });
    const second = await bridge.ask({ prompt: 'x', model: 'fail:upstream_failed' });
    const call = bridge.extension.nextCall();
    const third = await bridge.ask({ prompt: 'long '.repeat(100), model: 'hang', wait: false });
    await call;
    const lines = (await bridge.history({ type: 'list_history' })).printed.map((line) => line.split('  '));
    expect(lines.map(([id, , ...rest]) => [id, ...rest])).toEqual([
      [third.id, 'open', 'hang', 'long '.repeat(12)],
      [second.id, 'upstream_failed', 'fail:upstream_failed', 'x'],
      [first.id, 'answered', 'default', 'one two [31mred'],
    ]);
    expect(lines[0]?.[1]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
    await fetch(`${bridge.url}/api/requests/${third.id}`, { method: 'DELETE' });
  });

  it('shows one request whole, with its answer', async () => {
    const bridge = await open({ keepsHistory: true });
    const { id } = await bridge.ask({ prompt: 'one\ntwo', system: 'Be short.', model: 'echo' });
    const [text = ''] = (await bridge.history({ type: 'show_history', id })).printed;
    expect(text.split('\n\n')).toEqual([
      expect.stringMatching(new RegExp(`^${id}, asked .*, model echo$`)),
      'system:\nBe short.',
      'user:\none\ntwo',
      'answered:\nYou said: one\ntwo',
    ]);
    await expect(bridge.history({ type: 'show_history', id: 'nobody' })).rejects.toThrow(
      '“npm start -- history” lists them.',
    );
  });

  it('shows all of a long one on the command line', async () => {
    const bridge = await open({ keepsHistory: true });
    const { id } = await bridge.ask({ prompt: 'long '.repeat(400_000), model: 'echo' });
    const { ended, stdout } = run(['history', 'show', id, '--state-dir', bridge.stateDir]);
    expect(await ended).toEqual([0, null]);
    expect(stdout().split('long ')).toHaveLength(800_001);
  });

  it('shows a request by the id that /v1 gave, too', async () => {
    const bridge = await open({ keepsHistory: true });
    const { id } = await bridge.ask({ prompt: 'x' });
    const { printed } = await bridge.history({ type: 'show_history', id: `chatcmpl-${id}` });
    expect(printed).toEqual((await bridge.history({ type: 'show_history', id })).printed);
  });

  it('is one line a request, whatever its model is called', async () => {
    const bridge = await open({ keepsHistory: true });
    const { id } = await bridge.ask({ prompt: 'x', model: 'm\nanother  line' });
    const { printed } = await bridge.history({ type: 'list_history' });
    expect(printed).toEqual([expect.stringMatching(new RegExp(`^${id}  .*  m another line  x$`))]);
    expect((await bridge.history({ type: 'show_history', id })).printed[0]).toMatch(/model m another line\n\nuser:/);
  });

  it('says what to do where it cannot be read', async () => {
    const folder = await temporaryStateDir();
    writeFileSync(join(folder, 'journal.db'), 'no database'.repeat(1000), { mode: 0o600 });
    const { ended, stderr } = run(['history', '--state-dir', folder]);
    expect([await ended, stderr()]).toEqual([
      [2, null],
      `The journal in ${folder} cannot be read (file is not a database). Try again; one that is damaged is put aside by the bridge as it starts.\n`,
    ]);
  });

  it('is cleared in pieces, between which a bridge gets at it', async () => {
    const folder = await temporaryStateDir();
    const journal = openSoundJournal(folder);
    onTestFinished(() => journal.close());
    for (let index = 0; index < 40; index += 1) {
      journal.insert({ id: `${index}`, scope: 's', key: null, fingerprint: null, createdAt: 1, request: null });
      journal.finished(`${index}`, 'success', 'x'.repeat(1e6), 1);
    }
    const watcher = new DatabaseSync(join(folder, 'journal.db'));
    onTestFinished(() => watcher.close());
    const seen = new Set<unknown>();
    const left = watcher.prepare('SELECT COUNT(*) AS count FROM chats WHERE outcome IS NOT NULL');
    await expect.poll(() => left.get()?.['count'], { timeout: 10_000 }).toBe(40);
    const { ended } = run(['history', 'clear', '--state-dir', folder]);
    await expect.poll(() => seen.add(left.get()?.['count']), { interval: 1, timeout: 20_000 }).toContain(0);
    expect(seen.size).toBeGreaterThan(3);
    expect(await ended).toEqual([0, null]);
    expect(watcher.prepare('SELECT * FROM chats').all()).toEqual([]);
  });

  it('is told by no route', async () => {
    const bridge = await open({ keepsHistory: true });
    const { id } = await bridge.ask({ prompt: 'a question', model: 'json' });
    for (const path of ['/api/requests', `/api/requests/${id}`, `/api/result/${id}`, '/api/status', '/'])
      expect(await (await fetch(bridge.url + path)).text()).not.toContain('a question');
  });

  it('leaves no word on disk once it is cleared, and no key makes a second call', async () => {
    const bridge = await open({ keepsHistory: true });
    const body = { prompt: 'a question nobody shall find', model: 'echo' };
    const { id } = await bridge.ask(body);
    await bridge.ask(body, { 'Idempotency-Key': 'k' });
    const call = bridge.extension.nextCall();
    const running = await bridge.ask({ ...body, model: 'hang', wait: false });
    await call;
    expect(everything(bridge.stateDir)).toContain('nobody shall find');
    expect((await bridge.history({ type: 'clear_history' })).told).toEqual([
      expect.stringContaining('on disk any more'),
    ]);
    expect(everything(bridge.stateDir)).not.toContain('nobody shall find');
    expect((await bridge.history({ type: 'list_history' })).printed).toEqual([]);
    expect((await fetch(`${bridge.url}/api/result/${id}`)).status).toBe(404);
    expect((await bridge.ask(body, { 'Idempotency-Key': 'k' })).status).toBe(410);
    // What runs goes on.
    expect((await fetch(`${bridge.url}/api/result/${running.id}`)).status).toBe(202);
    expect((await bridge.ask({ prompt: 'after' })).status).toBe(200);
    expect((await bridge.history({ type: 'list_history' })).printed).toHaveLength(1);
    expect(bridge.status.read().durability).toBe('full');
    await fetch(`${bridge.url}/api/requests/${running.id}`, { method: 'DELETE' });
  });

  it('is there for its owner whether the bridge runs or not, on the command line', async () => {
    const bridge = await startProcess({ args: ['--history'] });
    await expect.poll(bridge.stdout).toContain('History is on');
    const extension = await startFakeExtension({ bridgeUrl: bridge.url });
    onTestFinished(() => extension.close());
    await fetch(`${bridge.url}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"prompt":"a question"}',
    });
    const history = async (...args: string[]) => {
      const it = run(['history', ...args, '--state-dir', bridge.stateDir]);
      return { ended: await it.ended, stdout: it.stdout(), stderr: it.stderr() };
    };
    const whileRunning = await history();
    bridge.child.kill('SIGKILL');
    await bridge.ended;
    const stdout = expect.stringMatching(/answered {2}default {2}a question\n$/) as string;
    for (const listed of [whileRunning, await history()])
      expect(listed).toEqual({ ended: [0, null], stdout, stderr: '' });
    expect(await history('show', 'nobody')).toMatchObject({ ended: [2, null], stdout: '' });
    expect(await history('clear')).toMatchObject({ ended: [0, null], stdout: '' });
    expect(await history()).toMatchObject({
      ended: [0, null],
      stdout: '',
      stderr: expect.stringContaining('--history'),
    });
  });
});
