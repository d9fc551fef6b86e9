import { describe, expect, it, onTestFinished } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import { Ending } from '../../../bridge/chat/ending.ts';
import { createTimers } from '../../../bridge/timers.ts';

const timedOut = (ms: number) => new BridgeError('timed_out', `${ms} ms are over.`);
const failed = new BridgeError('cancelled', 'Another one failed.');

function start(options: { timeoutMs?: number; revoked?: AbortSignal } = {}) {
  const { timeoutMs = 600_000, revoked = null } = options;
  const ending = new Ending({ startTimer: createTimers(), timeoutMs, timedOut, revoked });
  onTestFinished(() => ending.release());
  const reasons: [string, BridgeError][] = [];
  const add = (name: string) => ending.add({ stop: (reason) => reasons.push([name, reason]) });
  return { ending, add, reasons };
}

describe('the ending of some chats', () => {
  it('is one for all of them, also for those that come later', () => {
    const { ending, add, reasons } = start();
    add('a');
    add('b');
    expect(reasons).toEqual([]);
    ending.end(failed);
    add('late');
    expect(reasons).toEqual([
      ['a', failed],
      ['b', failed],
      ['late', failed],
    ]);
  });

  it('comes when their time is over', async () => {
    const { add, reasons } = start({ timeoutMs: 1 });
    add('a');
    await expect.poll(() => reasons).toEqual([['a', timedOut(1)]]);
  });

  it('comes when their key is revoked, or was before', () => {
    const key = new AbortController();
    const before = start({ revoked: key.signal });
    before.add('a');
    key.abort(failed);
    const after = start({ revoked: key.signal });
    after.add('b');
    expect([...before.reasons, ...after.reasons]).toEqual([
      ['a', failed],
      ['b', failed],
    ]);
  });

  it('does not come any more once they are released', () => {
    const key = new AbortController();
    const { ending, add, reasons } = start({ revoked: key.signal });
    add('a');
    ending.release();
    key.abort(failed);
    expect(reasons).toEqual([]);
  });
});
