import * as v from 'valibot';

import { answerEndSchema } from '#shared/chat.ts';
import { BridgeError, failureSchema } from '#shared/errors.ts';

import type { WholeAnswer } from '../chat/collect.ts';
import type { Journal, JournalRow } from './journal.ts';

const storedAnswerSchema = v.object({
  text: v.string(),
  reasoning: v.string(),
  refusal: v.nullable(v.string()),
  toolCalls: v.array(v.object({ id: v.string(), name: v.string(), arguments: v.string() })),
  ...answerEndSchema.entries,
  durationMs: v.number(),
  /** It came after a restart, as Puter gave it: nobody has looked yet whether it is what was asked for. */
  isRaw: v.optional(v.boolean()),
}) satisfies v.GenericSchema<WholeAnswer & { durationMs: number }>;

/** A whole answer, and how long it took. */
export type StoredAnswer = v.InferOutput<typeof storedAnswerSchema>;

/** What a chat came to, or that it is still to come; `isUnknown`: its call went out, and nobody knows of it now. */
export type Result =
  | { status: 'pending'; isUnknown: boolean }
  | { status: 'success'; answer: StoredAnswer }
  | { status: 'error'; error: BridgeError };

interface KnownChat {
  id: string;
  fingerprint: string | null;
  wentOut: boolean;
  result: Result;
}

/** Results by the id of their chat, for callers that fetch them later: kept in the journal for as long as that keeps them. */
export interface Results {
  begin(chat: { id: string; scope: string; key: string | null; fingerprint: string | null }): void;
  succeed(id: string, answer: StoredAnswer): void;
  fail(id: string, error: BridgeError): void;
  get(id: string): Result | undefined;
  /** The same for whoever asks: what was asked with a key is told to that key alone. */
  read(id: string, scope: string): Result | undefined;
  /** The latest chat of that Idempotency-Key; `wentOut`: an extension was given its call, and did not give it back. */
  findByKey(scope: string, key: string): KnownChat | undefined;
}

export function createResults(options: {
  journal: Journal;
  isRunning: (id: string) => boolean;
  /** What a chat came to is on disk. */
  onRecorded: (id: string) => void;
  now: () => number;
}): Results {
  const { journal, isRunning, onRecorded, now } = options;

  function read({ id, status, outcome }: JournalRow): Result {
    if (status === 'success') return { status, answer: v.parse(storedAnswerSchema, decode(outcome)) };
    if (status === 'error') return { status, error: BridgeError.from(v.parse(failureSchema, decode(outcome))) };
    return { status: 'pending', isUnknown: !isRunning(id) };
  }

  return {
    begin: (chat) => journal.insert({ ...chat, createdAt: now(), request: null }),
    succeed(id, answer) {
      journal.finished(id, 'success', JSON.stringify(answer), now());
      onRecorded(id);
    },
    fail(id, error) {
      journal.finished(id, 'error', JSON.stringify(error.failure), now());
      onRecorded(id);
    },
    get(id) {
      const row = journal.find(id);
      return row ? read(row) : undefined;
    },
    read(id, scope) {
      const row = journal.find(id);
      return row && isOwn(row, scope) ? read(row) : undefined;
    },
    findByKey(scope, key) {
      const row = journal.findByKey(scope, key);
      if (!row) return undefined;
      return { id: row.id, fingerprint: row.fingerprint, wentOut: row.instance !== null, result: read(row) };
    },
  };
}

/** Without keys, programs of this machine are all the same person's. */
export const isOwn = (row: JournalRow, scope: string): boolean =>
  row.scope === scope || !(isOfKey(row.scope) || isOfKey(scope));

const isOfKey = (scope: string): boolean => scope.startsWith('key:');

const decode = (outcome: string | null): unknown => JSON.parse(outcome ?? 'null');
