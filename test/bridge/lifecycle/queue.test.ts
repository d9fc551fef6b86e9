import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createQueue } from '../../../bridge/lifecycle/queue.ts';

const drain = (queue: ReturnType<typeof createQueue<string>>): string[] => {
  const all: string[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) all.push(item);
  return all;
};

describe('a queue', () => {
  it('lets callers take turns, and each of their requests go in order', () => {
    const queue = createQueue<string>();
    for (const item of ['a1', 'a2', 'a3']) queue.push(item, 'a', 'normal');
    queue.push('b1', 'b', 'normal');
    queue.push('c1', 'c', 'normal');
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
  });

  it('lets the one request of a caller in within two turns, however many another has', () => {
    const queue = createQueue<string>();
    for (let i = 0; i < 30; i += 1) queue.push(`a${i}`, 'a', 'normal');
    queue.next();
    queue.push('b', 'b', 'normal');
    expect([queue.next(), queue.next()]).toContain('b');
  });

  it('lets high priority go first, and still every fourth of the others', () => {
    const queue = createQueue<string>();
    for (const item of ['n1', 'n2']) queue.push(item, 'a', 'normal');
    for (const item of ['h1', 'h2', 'h3', 'h4', 'h5']) queue.push(item, 'b', 'high');
    expect(drain(queue)).toEqual(['h1', 'h2', 'h3', 'n1', 'h4', 'h5', 'n2']);
  });

  it('gives one that was put back its turn at once, the first of several first', () => {
    const queue = createQueue<string>();
    queue.push('a', 'a', 'normal');
    queue.putBack('x', 'b', 'normal');
    queue.putBack('y', 'b', 'normal');
    expect(drain(queue)).toEqual(['x', 'y', 'a']);
  });

  it('forgets one that is removed, wherever it stands, and knows it no more', () => {
    const queue = createQueue<string>();
    queue.push('a1', 'a', 'normal');
    queue.push('a2', 'a', 'high');
    queue.putBack('b1', 'b', 'normal');
    expect(queue.remove('a1') && queue.remove('b1')).toBe(true);
    expect(queue.remove('a1')).toBe(false);
    expect([queue.size, queue.sizeOf('a'), queue.sizeOf('b')]).toEqual([1, 1, 0]);
    expect(drain(queue)).toEqual(['a2']);
    expect([queue.size, queue.sizeOf('a')]).toEqual([0, 0]);
  });

  it('loses and doubles none, whatever comes and goes', () => {
    const command = fc.tuple(
      fc.constantFrom('push', 'putBack', 'next', 'remove'),
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('high' as const, 'normal' as const),
      fc.nat(),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const queue = createQueue<number>();
        const model = new Map<number, string>();
        let ids = 0;
        for (const [name, scope, priority, pick] of commands) {
          if (name === 'push' || name === 'putBack') {
            ids += 1;
            queue[name](ids, scope, priority);
            model.set(ids, scope);
          }
          const chosen = [...model.keys()][pick % Math.max(1, model.size)] ?? -1;
          const left = name === 'next' ? queue.next() : name === 'remove' && queue.remove(chosen) ? chosen : undefined;
          const isExpected = name === 'next' || name === 'remove' ? model.size > 0 : false;
          expect(left !== undefined && model.delete(left)).toBe(isExpected);
          expect(queue.size).toBe(model.size);
          for (const it of ['a', 'b', 'c']) {
            expect(queue.sizeOf(it)).toBe([...model.values()].filter((scope) => scope === it).length);
          }
        }
      }),
    );
  });
});
