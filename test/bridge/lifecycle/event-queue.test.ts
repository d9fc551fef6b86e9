import { describe, expect, it } from 'vitest';

import { EventQueue } from '../../../bridge/lifecycle/event-queue.ts';

/** A queue whose sink takes until it has as many as it wants. */
function create(wanted = Infinity) {
  let takes = 0;
  const queue = new EventQueue<string>(
    (item) => item.length,
    () => (takes += 1),
  );
  const taken: string[] = [];
  const failures: unknown[] = [];
  queue.pipe({
    write(item) {
      if (item === 'bad') throw new Error('Nobody can take that.');
      taken.push(item);
      return taken.length < wanted;
    },
    fail: (reason) => void failures.push(reason),
  });
  return { queue, taken, failures, takes: () => takes };
}

describe('a queue of events', () => {
  it('is taken in order, whether the sink or the event comes first', () => {
    const { queue, taken } = create();
    for (const item of ['a', 'b']) queue.push(item);
    expect(taken).toEqual([]);
    queue.resume();
    expect(taken).toEqual(['a', 'b']);
    queue.push('c');
    expect(taken).toEqual(['a', 'b', 'c']);
  });

  it('keeps what the sink has no need of yet', () => {
    const { queue, taken } = create(2);
    queue.resume();
    for (const item of ['a', 'b', 'c', 'd']) queue.push(item);
    expect(taken).toEqual(['a', 'b']);
    queue.resume();
    expect(taken).toEqual(['a', 'b', 'c']);
  });

  it('takes in what comes while something is taken', () => {
    const { queue, taken } = create();
    for (const item of ['a', 'b']) queue.push(item);
    const sink: string[] = [];
    queue.pipe({
      write(item) {
        if (item === 'a') queue.push('c');
        return sink.push(item) > 0;
      },
      fail() {},
    });
    queue.resume();
    expect([sink, taken]).toEqual([['a', 'b', 'c'], []]);
  });

  it('knows how much was not taken, and tells of whatever is', () => {
    const { queue, takes } = create(1);
    queue.resume();
    queue.push('taken');
    expect([queue.unread(), takes()]).toEqual([0, 1]);
    queue.push('four');
    queue.push('five!');
    expect([queue.unread(), takes()]).toEqual([9, 1]);
    queue.resume();
    expect([queue.unread(), takes()]).toEqual([5, 2]);
  });

  it('fails at once for a sink that waits, and without the rest for one that has enough, when it comes', () => {
    const reason = new Error('gone');
    const waiting = create();
    waiting.queue.resume();
    waiting.queue.fail(reason);
    expect(waiting.failures).toEqual([reason]);

    const busy = create();
    busy.queue.push('unread');
    busy.queue.fail(reason);
    expect([busy.queue.unread(), busy.failures]).toEqual([0, []]);
    busy.queue.resume();
    expect([busy.taken, busy.failures]).toEqual([[], [reason]]);
  });

  it('fails once, and takes nothing after that', () => {
    const { queue, taken, failures } = create();
    queue.resume();
    queue.fail('first');
    queue.fail('second');
    queue.push('late');
    queue.resume();
    expect([taken, failures]).toEqual([[], ['first']]);
  });

  it('fails where its sink does, and for that sink alone', () => {
    const { queue, taken, failures } = create();
    queue.resume();
    for (const item of ['good', 'bad', 'late']) queue.push(item);
    expect([taken, failures]).toEqual([['good'], [new Error('Nobody can take that.')]]);
  });
});
