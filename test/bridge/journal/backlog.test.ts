import { describe, expect, it } from 'vitest';

import { createBacklog } from '../../../bridge/journal/backlog.ts';
import type { JournalChange, JournalRow } from '../../../bridge/journal/row.ts';
import { createRow } from './example-row.ts';

const idsOf = (rows: readonly JournalRow[]): string[] => rows.map(({ id }) => id);

describe('what the database lacks', () => {
  it('is handed out in pieces of some length, in the order in which it came', () => {
    const backlog = createBacklog(() => {});
    for (const id of ['a', 'b', 'c', 'd']) backlog.add(createRow(id, { outcome: 'x'.repeat(1000) }));
    backlog.change(createRow('a'), { outcome: 'y'.repeat(1000) });
    expect(idsOf(backlog.first(2000))).toEqual(['a', 'b']);
    expect(idsOf(backlog.first(1))).toEqual(['a']);
    expect(idsOf(backlog.first(Infinity))).toEqual(['a', 'b', 'c', 'd']);
    backlog.remove(backlog.first(2000));
    expect(idsOf(backlog.first(Infinity))).toEqual(['c', 'd']);
  });

  it('is counted by its length, whatever becomes of it', () => {
    const backlog = createBacklog(() => {});
    backlog.add(createRow('a', { request: 'x'.repeat(100) }));
    const short = backlog.chars;
    backlog.change(createRow('a'), { outcome: 'y'.repeat(1000) });
    expect(backlog.chars - short).toBe(1000);
    backlog.remove(backlog.first(Infinity));
    expect(backlog.chars).toBe(0);
  });

  it('is told to be new once until it is written, and stays so where it could not be', () => {
    let told = 0;
    const backlog = createBacklog(() => (told += 1));
    backlog.add(createRow('a', { request: '"Hello"' }));
    backlog.change(createRow('a'), { status: 'dispatched' });
    backlog.add(createRow('b'));
    const write = () => {
      throw new Error('The disk is full.');
    };
    expect(() => backlog.write(write)).toThrow('full');
    const written: unknown[] = [];
    const keep = (changes: readonly JournalChange[]) =>
      void written.push(changes.map(({ id, status, request }) => [id, status, request]));
    backlog.write(keep);
    backlog.write(keep);
    backlog.change(createRow('a'), { status: 'success' });
    backlog.write(keep);
    expect(written).toEqual([
      [
        ['a', 'dispatched', '"Hello"'],
        ['b', 'queued', null],
      ],
      // What was asked stands in the line before.
      [['a', 'success', undefined]],
    ]);
    expect(told).toBe(2);
  });

  it('is found by its key for as long as the latest of that key is there', () => {
    const backlog = createBacklog(() => {});
    const rows = [
      createRow('a', { key: 'k' }),
      createRow('b', { key: 'k' }),
      createRow('c', { key: 'k', scope: 'other' }),
      createRow('d'),
    ];
    for (const it of rows) backlog.add(it);
    const found = () => [backlog.hasKey('me', 'k'), backlog.hasKey('other', 'k'), backlog.hasKey('me', 'other')];
    expect(found()).toEqual([true, true, false]);
    backlog.remove(rows.slice(0, 1));
    expect(found()).toEqual([true, true, false]);
    backlog.remove(rows.slice(1, 3));
    expect(found()).toEqual([false, false, false]);
  });
});
