import { BridgeError } from '#shared/errors.ts';

import { collect } from '../chat/collect.ts';
import { timedOut } from '../chat/ending.ts';
import type { Dispatcher } from '../lifecycle/dispatcher.ts';
import type { Journal } from './journal.ts';
import type { JournalRow } from './row.ts';
import type { Result, Results } from './results.ts';

/** Answers to calls that went out before the bridge was started, or that were given up: they may still come. */
export interface Recovery {
  /** An extension holds something for a request that is not on its way here: restores it where its answer is wanted. */
  recall(id: string): void;
  /** Ends one of them. False where none of that id is waited for. */
  cancel(id: string, reason: BridgeError): boolean;
}

/** Waits for what an earlier run of the bridge left open, and tells the truth about what never went out. */
export function recover(options: {
  journal: Pick<Journal, 'unfinished' | 'find'>;
  dispatcher: Pick<Dispatcher, 'restore' | 'cancel'>;
  results: Pick<Results, 'get' | 'succeed' | 'fail'>;
  /** How long one is waited for: who asked, and for how long they would wait, went with the earlier bridge. */
  deadlineMs: number;
}): Recovery {
  const { journal, dispatcher, results, deadlineMs } = options;
  const awaited = new Set<string>();

  function restore({ id, instance, profile }: JournalRow): void {
    if (instance === null || profile === null) return;
    const startedAt = performance.now();
    awaited.add(id);
    const deadline = setTimeout(() => dispatcher.cancel(id, timedOut(deadlineMs)), deadlineMs).unref();
    collect(dispatcher.restore(id, { instance, profile }))
      .finally(() => {
        awaited.delete(id);
        clearTimeout(deadline);
      })
      .then(
        (answer) =>
          results.succeed(id, { ...answer, durationMs: Math.round(performance.now() - startedAt), isRaw: true }),
        (error: unknown) => results.fail(id, error instanceof BridgeError ? error : lost()),
      );
  }

  for (const row of journal.unfinished()) {
    if (row.status === 'dispatched') restore(row);
    else results.fail(row.id, neverSent());
  }

  return {
    recall(id) {
      const row = journal.find(id);
      if (row && isMissed(results.get(id))) restore(row);
    },
    cancel(id, reason) {
      if (!awaited.has(id)) return false;
      dispatcher.cancel(id, reason);
      return true;
    },
  };
}

/** Nobody here waits for it, and it is worth more than what is known. */
function isMissed(result: Result | undefined): boolean {
  if (result?.status === 'pending') return result.isUnknown;
  // An answer that came after all takes the place of the failure that nobody heard of it.
  if (result?.status !== 'error') return false;
  return result.error.code === 'extension_disconnected' || result.error.code === 'bridge_shutdown';
}

const lost = () => new BridgeError('internal_error', 'The answer was lost inside the bridge. Please report this.');
const neverSent = () =>
  new BridgeError('shutting_down', 'The bridge was stopped before the request was sent. Send it again.');
