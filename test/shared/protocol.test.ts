import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  closeCodes,
  decodeFrameToBridge,
  decodeFrameToExtension,
  encodeFrame,
  FrameError,
  maxCallerChars,
  maxFrameBytes,
} from '#shared/protocol.ts';

import { defaultLimits } from '../../bridge/limits.ts';
import { anyString, frameToBridge, frameToExtension } from './arbitraries.ts';

const decoders = [decodeFrameToBridge, decodeFrameToExtension];

/** What `decode` throws, or undefined where it throws nothing. */
function thrownBy(decode: (text: string) => unknown, text: string): unknown {
  try {
    decode(text);
    return undefined;
  } catch (error) {
    return error;
  }
}

const id = '0190a8f0-0000-7000-8000-000000000000';
const fact = { state: 'unknown', since: 0, until: null, detail: null };
const account = { session: fact, puter: fact };
const status = { lanes: 3, rate: 30, paused: false, account };
const hello = { type: 'hello', instance: id, profile: id, version: '1', browser: 'b', ...status, requests: [] };
const end = { type: 'end', requestId: id, seq: 0, finishReason: 'stop', model: null, usage: null };
const withSession = (change: object) =>
  JSON.stringify({ ...hello, account: { ...account, session: { ...fact, ...change } } });

describe('a frame', () => {
  it('to the bridge survives the wire', () => {
    fc.assert(
      fc.property(frameToBridge, (frame) => {
        expect(decodeFrameToBridge(encodeFrame(frame))).toStrictEqual(frame);
      }),
    );
  });

  it('to the extension survives the wire', () => {
    fc.assert(
      fc.property(frameToExtension, (frame) => {
        expect(decodeFrameToExtension(encodeFrame(frame))).toStrictEqual(frame);
      }),
    );
  });

  it('loses the fields that the protocol does not name', () => {
    expect(decodeFrameToBridge('{"type":"pong","extra":1}')).toStrictEqual({ type: 'pong' });
  });

  it('of one direction is not a frame of the other', () => {
    fc.assert(
      fc.property(frameToBridge, frameToExtension, (toBridge, toExtension) => {
        expect(() => decodeFrameToExtension(encodeFrame(toBridge))).toThrow(FrameError);
        expect(() => decodeFrameToBridge(encodeFrame(toExtension))).toThrow(FrameError);
      }),
    );
  });

  it('holds the largest body that HTTP lets in', () => {
    fc.assert(
      fc.property(anyString(200), (prompt) => {
        const body = Buffer.byteLength(JSON.stringify({ prompt }));
        const chat = { messages: [{ role: 'user' as const, content: prompt }] };
        const caller = '\u{1f98a}'.repeat(maxCallerChars / 2);
        const frame = Buffer.byteLength(encodeFrame({ type: 'request', requestId: id, chat, caller }));
        // What surrounds the prompt is the same for any prompt, and far less than what maxFrameBytes leaves.
        expect(frame - body).toBeLessThan(1000);
      }),
    );
    expect(maxFrameBytes - defaultLimits.maxBodyBytes).toBeGreaterThan(1000);
  });
});

describe('whatever else arrives', () => {
  it.each(decoders)('as text fails as a FrameError only ($name)', (decode) => {
    fc.assert(
      fc.property(anyString(300), (text) => {
        expect(thrownBy(decode, text)).toBeInstanceOf(FrameError);
      }),
    );
  });

  it.each(decoders)('as JSON fails as a FrameError only ($name)', (decode) => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(thrownBy(decode, text)).toBeInstanceOf(FrameError);
      }),
    );
  });

  it('as a frame with one field replaced is a frame or a FrameError', () => {
    const changed = fc
      .tuple(frameToBridge, fc.nat(), fc.jsonValue())
      .map(([frame, at, value]) => ({ ...frame, [Object.keys(frame)[at % Object.keys(frame).length] ?? '']: value }));
    fc.assert(
      fc.property(changed, (value) => {
        const error = thrownBy(decodeFrameToBridge, JSON.stringify(value));
        expect(error === undefined || error instanceof FrameError).toBe(true);
      }),
    );
  });

  it.each([
    ['not JSON', 'hello', 'A frame must be JSON.'],
    ['null', 'null', 'the frame is wrong'],
    ['an array', '[]', 'type is wrong'],
    ['a number', '5', 'the frame is wrong'],
    ['an object without a type', '{}', 'type is wrong'],
    ['a type that is no text', '{"type":5}', 'type is wrong'],
    ['an unknown type', '{"type":"job"}', 'type is wrong'],
    ['a type out of the prototype', '{"type":"__proto__"}', 'type is wrong'],
    ['a request id that is no UUID', '{"type":"started","requestId":"__proto__"}', 'requestId is wrong'],
    ['a negative seq', JSON.stringify({ type: 'chunk', requestId: id, seq: -1, parts: [] }), 'seq is wrong'],
    ['a fractional seq', JSON.stringify({ type: 'chunk', requestId: id, seq: 0.5, parts: [] }), 'seq is wrong'],
    ['no lanes', JSON.stringify({ ...hello, lanes: 0 }), 'lanes is wrong'],
    ['too many lanes', JSON.stringify({ ...hello, lanes: 65 }), 'lanes is wrong'],
    ['no rate', JSON.stringify({ ...hello, rate: 0 }), 'rate is wrong'],
    ['a long browser name', JSON.stringify({ ...hello, browser: 'b'.repeat(101) }), 'browser is wrong'],
    ['an unknown session', withSession({ state: 'x' }), 'account.session.state is wrong'],
    ['a state of another hop', withSession({ state: 'reachable' }), 'account.session.state is wrong'],
    ['a time that no Date can be', withSession({ since: 8.64e15 + 1 }), 'account.session.since is wrong'],
    ['half a millisecond', withSession({ until: 0.5 }), 'account.session.until is wrong'],
    ['a long detail', withSession({ detail: 'd'.repeat(301) }), 'account.session.detail is wrong'],
    ['no word on a pause', JSON.stringify({ ...hello, paused: undefined }), 'paused is wrong'],
    ['a sign-in that can be guessed', JSON.stringify({ type: 'sign_in', state: '1' }), 'state is wrong'],
    ['an end of no known kind', JSON.stringify({ ...end, finishReason: 'x' }), 'finishReason is wrong'],
  ])('as %s is named by what is wrong with it', (_, text, sentence) => {
    expect(() => decodeFrameToBridge(text)).toThrow(sentence);
  });

  it('as usage that cannot be is no usage, and the answer still ends', () => {
    for (const inputTokens of [-1, 0.5, 1e308, null, '7'])
      expect(decodeFrameToBridge(JSON.stringify({ ...end, usage: { inputTokens, outputTokens: 0 } }))).toEqual(end);
  });

  it.each(decoders)('deeply nested does not exhaust the stack ($name)', (decode) => {
    const deep = '['.repeat(200_000);
    expect(thrownBy(decode, deep)).toBeInstanceOf(FrameError);
    expect(thrownBy(decode, `${deep}${']'.repeat(200_000)}`)).toBeInstanceOf(FrameError);
  });

  it('is never repeated in the message', () => {
    const secret = 'sk-SECRET-123';
    const places = [
      secret,
      `{"type":"hello" ${secret}`,
      JSON.stringify(secret),
      JSON.stringify({ [secret]: secret }),
      JSON.stringify({ type: secret }),
      ...Object.keys(hello).map((key) => JSON.stringify({ ...hello, [key]: { [secret]: secret } })),
      JSON.stringify({ ...hello, requests: [secret] }),
      JSON.stringify({ type: 'chunk', requestId: id, seq: 0, parts: [{ type: secret }] }),
    ];
    for (const place of places) {
      const error = thrownBy(decodeFrameToBridge, place);
      expect(error).toBeInstanceOf(FrameError);
      expect(String(error)).not.toContain(secret);
    }
  });
});

it('closes for reasons of its own only with codes that are free for applications', () => {
  const { goingAway, binaryFrame, frameTooLarge, unexpected, ...own } = closeCodes;
  expect([goingAway, binaryFrame, frameTooLarge, unexpected]).toEqual([1001, 1003, 1009, 1011]);
  for (const code of Object.values(own)) expect(Math.trunc(code / 1000)).toBe(4);
  expect(new Set(Object.values(closeCodes)).size).toBe(Object.values(closeCodes).length);
});
