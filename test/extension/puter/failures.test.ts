import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BridgeError } from '#shared/errors.ts';

import { toFailure, unwrapEnvelope } from '../../../extension/puter/failures.ts';
import { readCaptures } from '../../puter/capture.ts';

const captured = (name: string): object => {
  const capture = readCaptures().find((capture) => capture.name === name);
  const body: object = JSON.parse(capture?.answer.body ?? '');
  return body;
};

describe('what Puter really refused', () => {
  it.each([
    ['err-no-auth', 'puter_session_expired', 'token_missing'],
    ['err-bad-token', 'puter_session_expired', 'reauth_required'],
    ['err-unknown-model', 'model_not_found', 'bad_request'],
    ['err-unknown-model-stream', 'model_not_found', 'bad_request'],
    ['err-default-model', 'model_not_found', 'bad_request'],
    ['err-empty-content', 'upstream_failed', 'bad_request'],
    ['err-bad-json', 'upstream_failed', 'client_bad_json'],
    ['err-bad-method', 'upstream_failed', 'not_found'],
    ['err-rate-limit', 'upstream_failed', 'too_many_requests'],
    ['err-upstream-429-stream', 'upstream_failed', 'upstream_rate_limited'],
    ['err-upstream-500', 'upstream_failed', 'upstream_provider_unavailable'],
  ])('%s is %s', (name, code, puterCode) => {
    expect(toFailure(captured(name))).toMatchObject({ code, upstream: { code: puterCode } });
  });

  it('is repeated in Puter’s own words', () => {
    expect(toFailure(captured('err-rate-limit'))).toEqual({
      code: 'upstream_failed',
      message: 'Puter refused the call: Too many requests.',
      upstream: { message: 'Too many requests.', code: 'too_many_requests' },
    });
  });
});

it('says where to sign in again once Puter does not accept the session, and keeps what Puter said', () => {
  const failure = toFailure(captured('err-bad-token'));
  expect(failure.message).toMatch(/^Puter no longer accepts the session\. Click .* and sign in again\.$/);
  expect(failure.upstream).toEqual({ message: 'Re-authentication required', code: 'reauth_required' });
});

describe('what the driver resolves with', () => {
  const settle = (reply: unknown) => {
    try {
      return { result: unwrapEnvelope(reply) };
    } catch (error) {
      return toFailure(error);
    }
  };

  it('is the result where it succeeded', () => {
    expect(settle({ success: true, result: { message: {} }, metadata: {} })).toEqual({ result: { message: {} } });
  });

  it.each(['err-rate-limit', 'err-unknown-model', 'err-bad-token', 'err-upstream-500'])(
    'is the same failure as puter.ai.chat() rejects with where Puter refused: %s',
    (name) => {
      expect(settle(captured(name))).toEqual(toFailure(captured(name)));
    },
  );

  it.each([
    ['the network failed', new TypeError('Network request to http://127.0.0.1:1/drivers/call failed')],
    ['a gateway answered with a page', new Error('unrecognized content type: text/html')],
    ['the answer is no JSON', new SyntaxError('Unexpected end of JSON input')],
  ])('is an unreachable Puter where %s, which it rejects with', (_, error) => {
    expect(toFailure(error)).toMatchObject({
      code: 'upstream_failed',
      message: expect.stringContaining('could not be reached') as string,
    });
  });
});

describe('a call that rejects with', () => {
  it.each([
    ['the 401 of puter.js', { status: 401, message: 'Unauthorized' }, 'puter_session_expired'],
    ['a code that means the session', { message: 'm', code: 'token_auth_failed' }, 'puter_session_expired'],
    ['the same nested', { error: { message: 'm', code: 'token_missing' } }, 'puter_session_expired'],
    ['an unknown model, nested', { error: { message: 'Model not found: x' } }, 'model_not_found'],
    ['words about a model that are others', { message: 'The Model not found: x' }, 'upstream_failed'],
    ['a refusal with a status', { message: 'No funds', code: 'insufficient_funds', status: 402 }, 'upstream_failed'],
    ['success: false', { success: false, error: { message: 'No', code: 'c' } }, 'upstream_failed'],
  ])('%s is %s', (_, error, code) => {
    const failure = toFailure(error);
    expect(failure.code).toBe(code);
    expect(failure.upstream).toBeDefined();
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'failed'],
    ['a bare XMLHttpRequest', { status: 0, readyState: 4, responseText: '' }],
    ['an event', { type: 'error' }],
    ['a message that is no text', { message: 5 }],
  ])('%s means that Puter was not reached', (_, error) => {
    const failure = toFailure(error);
    expect(failure).toMatchObject({
      code: 'upstream_failed',
      message: expect.stringContaining('could not be reached'),
    });
    expect(failure).not.toHaveProperty('upstream');
  });

  it('an error of ours keeps it as it is', () => {
    const error = new BridgeError('upstream_failed', 'Cut off.', { upstream: { message: 'm' } });
    expect(toFailure(error)).toBe(error.failure);
  });

  it('an unknown model names the field that is wrong', () => {
    expect(toFailure({ message: 'Model not found: x' }).param).toBe('model');
  });

  it('a whole page of HTML is cut short', () => {
    expect(toFailure({ message: '<html>'.repeat(1000) }).upstream?.message).toHaveLength(500);
  });

  it('the status tells it', () => {
    expect(toFailure({ message: 'm', status: 402 }).upstream).toEqual({ message: 'm', status: 402 });
  });

  it('anything at all is a failure with a sentence', () => {
    fc.assert(
      fc.property(fc.anything(), (error) => {
        const { code, message } = toFailure(error);
        expect(['upstream_failed', 'puter_session_expired', 'model_not_found']).toContain(code);
        expect(message).toMatch(/^Puter /);
      }),
    );
  });
});

it('keeps the finer of two codes', () => {
  const refusal = { message: 'message is not allowed', code: 'bad_request', errorCode: 'moderation_flagged' };
  expect(toFailure(refusal).upstream?.code).toBe('moderation_flagged');
});

it('keeps a number that stands where a code should', () => {
  expect(toFailure({ message: 'Payment required', code: 402 }).upstream).toEqual({
    message: 'Payment required',
    code: '402',
  });
  expect(toFailure({ message: 'No', code: null }).upstream).toEqual({ message: 'No' });
});

it('does not blame Puter for a mistake of our own', () => {
  const failure = toFailure(new TypeError('x is not a function'));
  expect([failure.code, failure.upstream]).toEqual(['extension_failed', undefined]);
});
