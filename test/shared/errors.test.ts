import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { BridgeError, errorCodes, failureSchema } from '#shared/errors.ts';

import { failure } from './arbitraries.ts';

describe('an error', () => {
  it('comes back from the wire as it went', () => {
    fc.assert(
      fc.property(failure, (sent) => {
        const arrived = v.parse(failureSchema, JSON.parse(JSON.stringify(BridgeError.from(sent).failure)));
        expect(BridgeError.from(arrived).failure).toStrictEqual(sent);
      }),
    );
  });

  it('is an Error with a name, a code and its sentence as message', () => {
    const error = new BridgeError('timed_out', 'Too late.', { param: 'timeout_ms' });
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('BridgeError');
    expect(error.code).toBe('timed_out');
    expect(error.message).toBe('Too late.');
    expect(error.failure).toStrictEqual({ code: 'timed_out', message: 'Too late.', param: 'timeout_ms' });
  });

  it('keeps its cause to itself', () => {
    const cause = new Error('sk-SECRET-123');
    const error = new BridgeError('internal_error', 'Something went wrong.', { cause });
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error.failure)).not.toContain('sk-SECRET-123');
  });

  it('without a cause has none, not an undefined one', () => {
    expect('cause' in new BridgeError('cancelled', 'Cancelled.')).toBe(false);
  });

  it('with a code that is not on the list is no failure of the wire', () => {
    expect(v.safeParse(failureSchema, { code: 'no_such_code', message: 'm' }).success).toBe(false);
  });
});

it('lists every code once, in the spelling of the HTTP API', () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length);
  for (const code of errorCodes) expect(code).toMatch(/^[a-z]+(_[a-z]+)*8?$/);
});
