import * as v from 'valibot';

import { answerEndSchema, toolCallSchema, type ChatRequest } from '#shared/chat.ts';
import { BridgeError, failureSchema } from '#shared/errors.ts';

import type { WholeAnswer } from '../chat/collect.ts';
import type { Journal } from './journal.ts';
import type { JournalRow } from './row.ts';
import { toTranscript } from './transcript.ts';

const storedAnswerSchema = v.object({
  text: v.string(),
  reasoning: v.string(),
  refusal: v.nullable(v.string()),
  toolCalls: v.array(toolCallSchema),
  ...answerEndSchema.entries,
  durationMs: v.number(),
  /** It came after a restart, as Puter gave it: nobody has looked yet whether it is what was asked for. */
  isRaw: v.optional(v.boolean()),
}) satisfies v.GenericSchema<WholeAnswer & { durationMs: number }>;

/** A whole answer, and how long it took. */
export type StoredAnswer = v.InferOutput<typeof storedAnswerSchema>;

/** What a chat came to. */
export type Outcome = { status: 'success'; answer: StoredAnswer } | { status: 'error'; error: BridgeError };

/** The same, or that it is still to come; `isUnknown`: its call went out, and nobody knows of it now. */
export type Result = Outcome | { status: 'pending'; isUnknown: boolean };

interface KnownChat {
  id: string;
  fingerprint: string | null;
  wentOut: boolean;
  result: Result;
}

/** Results by the id of their chat, for callers that fetch them later: kept in the journal for as long as that keeps them. */
export interface Results {
  /** Resolves once what was told so far is on disk. */
  settled(): Promise<void>;
  /** False: only that there was an answer. */
  readonly keepsAnswers: boolean;
  begin(chat: Pick<JournalRow, 'id' | 'scope' | 'key' | 'fingerprint'> & { request: ChatRequest }): void;
  succeed(id: string, answer: StoredAnswer): void;
  fail(id: string, error: BridgeError): void;
  get(id: string): Result | undefined;
  /** An extension was given its call, and did not give it back. */
  wentOut(id: string): boolean;
  /** The same for whoever asks, once it is on disk: what was asked with a key is told to that key alone. */
  read(id: string, scope: string): Promise<Result | undefined>;
  /** The latest chat of that Idempotency-Key; `wentOut`: an extension was given its call, and did not give it back. */
  findByKey(scope: string, key: string): KnownChat | undefined;
}

export function createResults(options: {
  journal: Journal;
  keepsAnswers: boolean;
  /** What was asked, too. */
  keepsHistory: boolean;
  isRunning: (id: string) => boolean;
  /** What a chat came to is on disk. */
  onRecorded: (id: string) => void;
  now: () => number;
}): Results {
  const { journal, keepsAnswers, keepsHistory, isRunning, onRecorded, now } = options;

  const read = (row: JournalRow): Result => outcomeOf(row) ?? { status: 'pending', isUnknown: !isRunning(row.id) };

  return {
    keepsAnswers,
    settled: journal.settled,
    begin({ id, scope, key, fingerprint, request }) {
      const asked = keepsHistory ? JSON.stringify(toTranscript(request)) : null;
      journal.insert({ id, scope, key, fingerprint, createdAt: now(), request: asked });
    },
    succeed(id, answer) {
      journal.finished(id, 'success', keepsAnswers ? JSON.stringify(answer) : null, now());
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
    wentOut: (id) => isOut(journal.find(id)),
    async read(id, scope) {
      const row = journal.find(id);
      // As it is now: what comes meanwhile may not be on disk yet.
      const result = row && isOwn(row, scope) ? read(row) : undefined;
      await journal.settled();
      return result;
    },
    findByKey(scope, key) {
      const row = journal.findByKey(scope, key) ?? journal.findByKey(withoutId(scope), key);
      if (!row) return undefined;
      return { id: row.id, fingerprint: row.fingerprint, wentOut: isOut(row), result: read(row) };
    },
  };
}

/** Null while it is open. */
export function outcomeOf({ status, finishedAt, outcome }: JournalRow): Outcome | null {
  if (finishedAt === null) return null;
  const answer = status === 'success' && decode(storedAnswerSchema, outcome);
  if (answer) return { status: 'success', answer };
  const failure = status === 'error' && decode(failureSchema, outcome);
  return { status: 'error', error: failure ? BridgeError.from(failure) : notStored() };
}

const isOut = (row: JournalRow | null): boolean => row !== null && row.instance !== null;

/** Without keys, programs of this machine are all the same person's. */
export const isOwn = (row: Pick<JournalRow, 'scope'>, scope: string): boolean =>
  row.scope === scope || row.scope === withoutId(scope) || !(isOfKey(row.scope) || isOfKey(scope));

/** An older bridge knew keys by their names alone. */
const withoutId = (scope: string): string => (isOfKey(scope) ? scope.replace(/ .*/, '') : scope);

const isOfKey = (scope: string): boolean => scope.startsWith('key:');

/** Null where there is nothing to read: it was not kept, or was damaged. */
function decode<S extends v.GenericSchema>(schema: S, outcome: string | null): v.InferOutput<S> | null {
  try {
    return v.parse(schema, JSON.parse(outcome ?? 'null'));
  } catch {
    return null;
  }
}

const notStored = () =>
  new BridgeError(
    'result_not_stored',
    'This request is over, but what it came to is not there: the bridge keeps no answers (--keep-results 0), this one had to make room for newer ones, or it was damaged on disk. Send the request anew, with another Idempotency-Key, if you still need it.',
  );
