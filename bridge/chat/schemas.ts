import { BridgeError } from '#shared/errors.ts';

import { shutDown } from '../drain.ts';
import { createThread, ThreadClosedError } from '../thread.ts';

/**
 * JSON Schemas as callers send them. They are checked in a thread of their own, since a caller's pattern may take
 * forever on an unlucky text, and everybody else would wait.
 */
export interface Schemas {
  /** Rejects with `invalid_request` where it is none. */
  open(schema: JsonSchema): Promise<Schema>;
  close(): Promise<void>;
}

export interface Schema {
  /** What is wrong with the value, as the end of a sentence about it; null where it fits. Rejects where it cannot be told. */
  problemOf(value: unknown): Promise<string | null>;
}

export type JsonSchema = Record<string, unknown>;

/** What the thread is asked, and what it answers: why the schema is none, or what is wrong with the value. */
export type SchemaJob = { schema: JsonSchema; value?: unknown };
export type SchemaResult = { invalid: string } | { problem: string | null };

/** Starting the thread and reading a large schema takes a fraction of it. */
const defaultLimitMs = 5000;

export function createSchemas({ limitMs = defaultLimitMs } = {}): Schemas {
  const thread = createThread<SchemaJob, SchemaResult>(new URL('./schema-worker.ts', import.meta.url), { limitMs });

  return {
    async open(schema) {
      const result = await thread.ask({ schema }).catch((cause: unknown) => {
        throw notASchema('it takes too long to read', cause);
      });
      if ('invalid' in result) throw notASchema(result.invalid);
      return {
        async problemOf(value) {
          const checked = await thread.ask({ schema, value }).catch((cause: unknown) => {
            throw cause instanceof ThreadClosedError
              ? shutDown()
              : new BridgeError('unusable_answer', tooSlow, { cause });
          });
          return 'problem' in checked ? checked.problem : checked.invalid;
        },
      };
    },
    close: thread.close,
  };
}

const tooSlow =
  'The answer could not be checked against the schema in time. Simplify the patterns of the schema, or leave them out.';

const notASchema = (reason: string, cause?: unknown): BridgeError =>
  new BridgeError('invalid_request', `“response_format” has no valid JSON Schema: ${reason}.`, {
    param: 'response_format',
    cause,
  });
