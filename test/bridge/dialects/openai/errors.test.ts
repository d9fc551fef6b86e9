import { describe, expect, it } from 'vitest';

import { BridgeError, errorCodes } from '#shared/errors.ts';

import { errorBody, reportError } from '../../../../bridge/dialects/openai/errors.ts';
import { refusalCodes } from '../../../puter/refusals.ts';

const refused = (code: string) =>
  new BridgeError('upstream_failed', 'Puter refused the call.', { upstream: { message: 'No.', code } });

const headersOf = (error: BridgeError): Readonly<Record<string, string>> => reportError(error).headers;

describe('a failure', () => {
  it.each(errorCodes)('of ours has the shape that clients read: %s', (code) => {
    const error = new BridgeError(code, 'What to do.', { param: 'model' });
    const { status } = reportError(error);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(errorBody(error)).toEqual({
      error: {
        message: 'What to do.',
        type: expect.stringMatching(/_error$/),
        param: 'model',
        code: ['invalid_json', 'invalid_request'].includes(code) ? null : code,
      },
    });
  });

  it.each(refusalCodes)('of Puter never asks for a second paid call: %s', (code) => {
    const { status } = reportError(refused(code));
    const isFree = status === 429;
    expect(headersOf(refused(code))['x-should-retry']).toBe(String(isFree));
    expect('Retry-After' in headersOf(refused(code))).toBe(isFree);
  });

  it('of Puter has a shape of its own, every one', () => {
    const general = errorBody(refused('a code that nobody knows'));
    // Of these, the extension says that the session is over.
    const ofSession = ['token_missing', 'token_auth_failed', 'reauth_required'];
    const same = refusalCodes.filter((code) => JSON.stringify(errorBody(refused(code))) === JSON.stringify(general));
    expect(same.toSorted()).toEqual([...ofSession, 'upstream_failed'].toSorted());
  });

  it('may be repeated only where the call certainly never started', () => {
    const repeatable = errorCodes.filter((code) => headersOf(new BridgeError(code, 'm'))['x-should-retry'] === 'true');
    expect(repeatable.toSorted()).toEqual([
      'client_queue_full',
      'extension_not_connected',
      'idempotency_in_progress',
      'queue_full',
      'queue_timeout',
      'shutting_down',
    ]);
  });

  it('says of the session what programs take as a matter of credentials', () => {
    for (const code of ['puter_not_signed_in', 'puter_session_expired'] as const)
      expect(reportError(new BridgeError(code, 'm')).status).toBe(401);
  });
});
