import { chmod, mkdir, readdir, readFile, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { InsecureFolderError } from '../../../bridge/journal/private-folder.ts';
import { openPairings, PairingsFileError, type Pairings } from '../../../bridge/pairing/pairings.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../temporary-folder.ts';

let folder: TemporaryFolder;
let file: string;
let time: number;
let troubles: unknown[];
const onGone = vi.fn<() => void>();
beforeEach(async () => {
  folder = await createTemporaryFolder('pairings');
  file = path.join(folder.dir, 'pairings.json');
  time = Date.parse('2026-11-24T12:00:00Z');
  troubles = [];
  onGone.mockClear();
});
afterEach(() => folder.remove());

const open = (dir = folder.dir): Pairings =>
  openPairings({ folder: dir, now: () => time, onTrouble: (error) => troubles.push(error), onGone });
const ada = { origin: 'moz-extension://a', profile: 'ada', browser: 'Firefox 153', secret: 'ab'.repeat(32) };
const readJson = async (): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

describe('the pairings', () => {
  it('are kept over a restart, each under its origin and its profile', () => {
    const { id } = open().add(ada);
    const pairings = open();
    expect(pairings.find(ada.origin, ada.profile)).toEqual({
      ...ada,
      id,
      created: '2026-11-24T12:00:00.000Z',
      lastSeen: '2026-11-24T12:00:00.000Z',
    });
    expect(pairings.has(id)).toBe(true);
    expect(pairings.find('moz-extension://b', ada.profile)).toBeNull();
    expect(pairings.find(ada.origin, 'eve')).toBeNull();
  });

  it('hold one of each extension in each profile, the latest', () => {
    const pairings = open();
    const old = pairings.add(ada);
    const others = [pairings.add({ ...ada, profile: 'eve' }), pairings.add({ ...ada, origin: 'moz-extension://b' })];
    const current = pairings.add({ ...ada, secret: 'cd'.repeat(32) });
    expect(pairings.find(ada.origin, ada.profile)).toEqual(current);
    expect([old, current, ...others].map(({ id }) => pairings.has(id))).toEqual([false, true, true, true]);
  });

  it('tell when one was last seen, to the minute', () => {
    const pairings = open();
    const { id } = pairings.add(ada);
    const seen = () => open().find(ada.origin, ada.profile)?.lastSeen.slice(11, 19);
    time += 59_000;
    pairings.see(id);
    expect(seen()).toBe('12:00:00');
    time += 1000;
    pairings.see(id);
    expect(seen()).toBe('12:01:00');
    pairings.see('another');
    expect(troubles).toEqual([]);
  });

  it('are nobody else’s to read, and nothing is left beside them', async () => {
    const dir = path.join(folder.dir, 'state');
    const pairings = open(dir);
    pairings.add(ada);
    pairings.add({ ...ada, profile: 'eve' });
    const modes = await Promise.all(['', 'pairings.json'].map((name) => stat(path.join(dir, name))));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o600]);
    expect(await readdir(dir)).toEqual(['pairings.json']);
  });
});

describe('a person who takes one out of the file', () => {
  it('has unpaired it at once, also for what is written next', async () => {
    const pairings = open();
    const { id } = pairings.add(ada);
    const eve = pairings.add({ ...ada, profile: 'eve' });
    await writeFile(file, JSON.stringify({ pairings: [eve] }));
    expect([pairings.has(id), pairings.find(ada.origin, ada.profile)]).toEqual([false, null]);
    time += 60_000;
    pairings.see(id);
    pairings.see(eve.id);
    expect(await readJson()).toEqual({ pairings: [{ ...eve, lastSeen: '2026-11-24T12:01:00.000Z' }] });
  });

  const ways: [string, () => Promise<void>][] = [
    ['deletes it', () => unlink(file)],
    ['empties it', () => writeFile(file, '')],
  ];

  it.each(ways)('has unpaired all where that %s, which is told within a second', async (_, act) => {
    const pairings = open();
    const { id } = pairings.add(ada);
    await act();
    const start = performance.now();
    expect(pairings.has(id)).toBe(true);
    await vi.waitFor(() => expect(onGone).toHaveBeenCalledOnce());
    expect(performance.now() - start).toBeLessThan(1000);
    expect(pairings.has(id)).toBe(false);
    pairings.add(ada);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.each(ways)(
    'has unpaired that one alone where an editor first %s, and who comes meanwhile is kept',
    async (_, act) => {
      const pairings = open();
      const { id } = pairings.add(ada);
      const eve = pairings.add({ ...ada, profile: 'eve' });
      await act();
      expect([pairings.has(id), pairings.has(eve.id)]).toEqual([true, true]);
      const bob = pairings.add({ ...ada, profile: 'bob' });
      time += 60_000;
      pairings.see(id);
      await writeFile(file, JSON.stringify({ pairings: [eve] }), { mode: 0o600 });
      expect([id, eve.id, bob.id].map((it) => pairings.has(it))).toEqual([false, true, true]);
      await vi.waitFor(async () => expect(await readJson()).toEqual({ pairings: [eve, bob] }));
      expect([onGone.mock.calls, troubles]).toEqual([[], []]);
    },
  );

  it.each(ways)('keeps whom it pairs anew right after it %s', async (_, act) => {
    const pairings = open();
    const { id } = pairings.add(ada);
    await act();
    const eve = pairings.add({ ...ada, profile: 'eve' });
    await vi.waitFor(() => expect(onGone).toHaveBeenCalledOnce());
    expect([pairings.has(id), await readJson()]).toEqual([false, { pairings: [eve] }]);
  });

  it('and leaves it half written, changes nothing until it can be read', async () => {
    const pairings = open();
    const { id } = pairings.add(ada);
    await writeFile(file, '{ "pairings": [');
    expect(pairings.has(id)).toBe(true);
    expect(troubles[0]).toBeInstanceOf(PairingsFileError);
    await writeFile(file, '{ "pairings": [] }');
    expect(pairings.has(id)).toBe(false);
  });

  it('and leaves it half written, finds it as it was left, whoever comes meanwhile', async () => {
    const pairings = open();
    const { id } = pairings.add(ada);
    const eve = pairings.add({ ...ada, profile: 'eve' });
    await writeFile(file, '{ "pairings": [');
    time += 60_000;
    pairings.see(id);
    const bob = pairings.add({ ...ada, profile: 'bob' });
    expect(await readFile(file, 'utf8')).toBe('{ "pairings": [');
    expect([id, eve.id, bob.id].every((it) => pairings.has(it))).toBe(true);
    await writeFile(file, JSON.stringify({ pairings: [eve] }));
    pairings.see(eve.id);
    expect(pairings.has(id)).toBe(false);
    expect(await readJson()).toEqual({ pairings: [{ ...eve, lastSeen: '2026-11-24T12:01:00.000Z' }, bob] });
  });
});

describe('a bridge does not start', () => {
  it.each(['{', '[]', '{"pairings":[{"origin":"x","secret":"hunter2"}]}', '{"pairings":{}}'])(
    'on %j, and says what to do without repeating it',
    async (text) => {
      await writeFile(file, text, { mode: 0o600 });
      expect(() => open()).toThrow(PairingsFileError);
      expect(() => open()).toThrow(/^pairings\.json in \S+ cannot be read\..* mend it, or delete it/);
      expect(() => open()).not.toThrow(/hunter2/);
      expect(await readFile(file, 'utf8')).toBe(text);
    },
  );

  it('where others could read them', async () => {
    open().add(ada);
    await chmod(file, 0o644);
    expect(() => open()).toThrow(InsecureFolderError);
  });

  it('where they are elsewhere', async () => {
    await writeFile(path.join(folder.dir, 'elsewhere'), '', { mode: 0o600 });
    await symlink(path.join(folder.dir, 'elsewhere'), file);
    expect(() => open()).toThrow(InsecureFolderError);
  });
});

describe('a disk that keeps nothing', () => {
  it('is no reason not to start, nor not to pair for as long as the bridge runs', async () => {
    const dir = path.join(folder.dir, 'a-file');
    await writeFile(dir, '');
    const pairings = open(dir);
    expect(pairings.find(ada.origin, ada.profile)).toBeNull();
    const old = pairings.add(ada);
    const current = pairings.add({ ...ada, secret: 'cd'.repeat(32) });
    expect(pairings.find(ada.origin, ada.profile)).toEqual(current);
    expect([pairings.has(old.id), pairings.has(current.id), pairings.hasOrigin(ada.origin)]).toEqual([
      false,
      true,
      true,
    ]);
    expect(troubles).toHaveLength(2);
    expect(open(dir).find(ada.origin, ada.profile)).toBeNull();
  });

  it('takes the place of nothing that was there, and keeps what is new as soon as it can', async () => {
    const pairings = open();
    const { id } = pairings.add(ada);
    await chmod(file, 0o644);
    const before = await readFile(file, 'utf8');
    const current = pairings.add({ ...ada, secret: 'cd'.repeat(32) });
    expect(pairings.find(ada.origin, ada.profile)).toEqual(current);
    expect([await readFile(file, 'utf8'), await readdir(folder.dir)]).toEqual([before, ['pairings.json']]);
    await chmod(file, 0o600);
    const eve = pairings.add({ ...ada, profile: 'eve' });
    expect(await readJson()).toEqual({ pairings: [current, eve] });
    expect(pairings.has(id)).toBe(false);
  });

  it('is no reason to turn away who was paired before: a date alone is lost', async () => {
    const pairings = open();
    const { id } = pairings.add(ada);
    await chmod(file, 0o644);
    time += 60_000;
    pairings.see(id);
    expect(troubles[0]).toBeInstanceOf(InsecureFolderError);
    expect(pairings.has(id)).toBe(true);
  });

  it('leaves what was there as it was', async () => {
    const pairings = open();
    const { id } = pairings.add(ada);
    await unlink(file);
    await mkdir(file);
    pairings.add({ ...ada, profile: 'eve' });
    expect(String(troubles.at(-1))).toMatch(/EISDIR/);
    expect(pairings.has(id)).toBe(true);
    expect(await readdir(folder.dir)).toEqual(['pairings.json']);
  });
});
