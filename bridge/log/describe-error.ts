import { BridgeError } from '#shared/errors.ts';

import { SetupError } from '../setup-error.ts';

export interface ErrorFacts {
  name: string;
  code?: string;
  message?: string;
  stack?: string[];
  cause?: ErrorFacts;
}

/**
 * An error as a log may have it. A parser's message quotes what it parsed and its error holds the whole of it, so that of
 * errors not our own only the name, the code and the places in our sources are told; of the system's also what it was
 * about. Nothing else that hangs on an error is.
 */
export function describeError(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack = '', cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const isOurs = error instanceof BridgeError ? !quotesSchema(error) : error instanceof SetupError;
  const isSafe = isOurs || 'syscall' in error;
  // Without what it quotes, which may have lines that look like places.
  const places = stack
    .replace(message, '')
    .split('\n')
    .filter((line) => /^ {4}at /.test(line));
  return {
    name,
    ...(code !== undefined && { code }),
    ...(isSafe && { message }),
    ...(places.length > 0 && { stack: places.map((line) => line.trim()) }),
    ...(cause !== undefined && { cause: describeError(cause) }),
  };
}

/** Its sentence is for the caller alone: it names what stands in the caller's schema, or is missing in an answer. */
const quotesSchema = ({ code, failure: { param } }: BridgeError): boolean =>
  code === 'unusable_answer' || param === 'response_format';
