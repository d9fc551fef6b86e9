import { writeSync } from 'node:fs';

import type { DestinationStream } from 'pino';

import { hasCode } from '../has-code.ts';
import { onceATurn } from '../once-a-turn.ts';

/** How much may wait for a reader that is slow. What comes beyond that is lost: no answer waits for the log. */
const maxWaitingBytes = 64 * 1024;
/** How soon what found no room is tried again, where no line comes before that. */
const againMs = 100;
/** How much longer the process may run so that its last lines are read. */
const lastMs = 1000;
const nothing = Buffer.alloc(0);

/**
 * Standard error. The lines of one turn of the event loop go out at once, and those of the last one as the process ends:
 * what is said last says why it did.
 */
export function openStandardError(): DestinationStream {
  // Node's stream, once it was asked for, has let no write to a pipe wait: what finds no room there fails with EAGAIN.
  const { fd } = process.stderr;
  let lines = '';
  let waiting = nothing;
  let again: NodeJS.Timeout | undefined;

  function flush(): void {
    if (waiting.length < maxWaitingBytes) take();
    lines = '';
    write();
    if (waiting.length > 0) again ??= setTimeout(tryAgain, againMs).unref();
  }

  function tryAgain(): void {
    again = undefined;
    flush();
  }

  function take(): void {
    const bytes = Buffer.from(lines);
    waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
  }

  function write(): void {
    try {
      while (waiting.length > 0) waiting = waiting.subarray(writeSync(fd, waiting));
    } catch (error) {
      // Anything else is said where nobody reads it any more: no reason to end, or to keep what was said.
      if (!hasCode(error, 'EAGAIN')) waiting = nothing;
    }
  }

  function flushLast(): void {
    take();
    const until = performance.now() + lastMs;
    for (write(); waiting.length > 0 && performance.now() < until; write()) pause(10);
  }

  const flushLater = onceATurn(flush);
  process.on('exit', flushLast);
  return {
    write(line) {
      lines += line;
      flushLater();
    },
  };
}

/** Where nothing else happens any more. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
