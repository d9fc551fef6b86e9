import { describe, expect, it } from 'vitest';

import { EventQueue } from '../../../bridge/lifecycle/event-queue.ts';

function create() {
  let takes = 0;
  const queue = new EventQueue<string>(
    (item) => item.length,
    () => (takes += 1),
  );
  const reader = queue[Symbol.asyncIterator]();
  return { queue, next: () => reader.next(), takes: () => takes };
}

describe('a queue of events', () => {
  it('is read in order, whether the reader or what is read comes first', async () => {
    const { queue, next } = create();
    const first = next();
    for (const item of ['a', 'b', 'c']) queue.push(item);
    expect(await first).toEqual({ value: 'a', done: false });
    expect(await next()).toEqual({ value: 'b', done: false });
    queue.close();
    expect(await next()).toEqual({ value: 'c', done: false });
    expect(await next()).toEqual({ value: undefined, done: true });
  });

  it('knows how much was not read, and tells of whatever is', async () => {
    const { queue, next, takes } = create();
    const waiting = next();
    queue.push('taken');
    expect([queue.unread(), takes()]).toEqual([0, 1]);
    await waiting;
    queue.push('four');
    queue.push('five!');
    expect([queue.unread(), takes()]).toEqual([9, 1]);
    await next();
    expect([queue.unread(), takes()]).toEqual([5, 2]);
  });

  it('breaks at once where it fails, for a reader that waits and for one that comes', async () => {
    const { queue, next } = create();
    const waiting = next();
    queue.fail(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    const other = create();
    other.queue.push('unread');
    other.queue.fail(new Error('gone'));
    await expect(other.next()).rejects.toThrow('gone');
    expect(other.queue.unread()).toBe(0);
  });

  it('ends once, and takes nothing after that', async () => {
    const { queue, next } = create();
    queue.close();
    queue.push('late');
    queue.fail(new Error('late'));
    expect(await next()).toEqual({ value: undefined, done: true });
  });
});
