import fc from 'fast-check';

import type { AnswerEnd, AnswerPart, ChatMessage, ChatRequest, Usage } from '#shared/chat.ts';
import { errorCodes, type Failure } from '#shared/errors.ts';
import { statesOf, type AccountState } from '#shared/hops.ts';
import type { Model } from '#shared/models.ts';
import { maxCallerChars, type FrameToBridge, type FrameToExtension } from '#shared/protocol.ts';
import { durabilities } from '#shared/status.ts';

/** Every valid value of the wire, lone surrogates and control characters included. */

/** Any JavaScript string up to `maxLength` UTF-16 units, well-formed or not. */
export const anyString = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), halfPair), maxLength })
    .filter(({ length }) => length <= maxLength);

const halfPair = fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit));

// JSON has neither NaN nor Infinity, and no negative zero.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
/** With the prototype that parsing gives, so that a comparison need not look away. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

const label = anyString(100);
const text = anyString(200);
const count = fc.nat();
const lanes = fc.integer({ min: 1, max: 64 });
const id = fc.uuid();

const withOptional = <R extends object, O extends object>(
  required: { [K in keyof R]: fc.Arbitrary<R[K]> },
  optional: { [K in keyof O]: fc.Arbitrary<O[K]> },
): fc.Arbitrary<R & Partial<O>> =>
  fc
    .tuple(record(required), fc.record(optional, { requiredKeys: [], noNullPrototype: true }))
    .map(([must, may]) => ({ ...must, ...may }));

export const usage: fc.Arbitrary<Usage> = withOptional(
  { inputTokens: count, outputTokens: count },
  { cachedTokens: count },
);

export const answerPart: fc.Arbitrary<AnswerPart> = fc.oneof(
  record({ type: fc.constant('text' as const), text }),
  record({ type: fc.constant('reasoning' as const), text }),
  withOptional(
    { type: fc.constant('tool_call' as const), id: text, name: text, arguments: text },
    { thoughtSignature: text },
  ),
);

export const answerEnd: fc.Arbitrary<AnswerEnd> = record({
  finishReason: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter'),
  model: fc.option(text),
  usage: fc.option(usage),
});

export const failure: fc.Arbitrary<Failure> = withOptional(
  { code: fc.constantFrom(...errorCodes), message: text },
  {
    param: text,
    suggestions: fc.array(text, { maxLength: 3 }),
    upstream: withOptional({ message: text }, { code: text, status: number }),
  },
);

const time = fc.date({ min: new Date(0), noInvalidDate: true }).map((date) => date.getTime());

const fact = <N extends 'session' | 'puter'>(name: N) =>
  record({
    state: fc.constantFrom(...statesOf(name)),
    since: time,
    until: fc.option(time),
    detail: fc.option(anyString(300)),
  });

export const account: fc.Arbitrary<AccountState> = record({
  session: fact('session'),
  puter: fact('puter'),
});

const extensionStatus = { lanes, rate: fc.integer({ min: 1, max: 100_000 }), paused: fc.boolean(), account };

const toolCall = withOptional({ id: text, name: text, arguments: text }, { thoughtSignature: text });
const content = fc.oneof(
  text,
  fc.array(
    fc.oneof(
      record({ type: fc.constant('text' as const), text }),
      withOptional(
        { type: fc.constant('image' as const), url: text },
        { detail: fc.constantFrom('auto' as const, 'low' as const, 'high' as const) },
      ),
    ),
    { maxLength: 3 },
  ),
);
const message: fc.Arbitrary<ChatMessage> = fc.oneof(
  record({ role: fc.constant('system' as const), content }),
  record({ role: fc.constant('user' as const), content }),
  withOptional(
    { role: fc.constant('assistant' as const), content: text },
    { toolCalls: fc.array(toolCall, { maxLength: 2 }), reasoning: text },
  ),
  record({ role: fc.constant('tool' as const), toolCallId: text, content: text }),
);
const tool = withOptional({ name: text }, { description: text, parameters: fc.constant({ type: 'object' }) });

const chat: fc.Arbitrary<ChatRequest> = withOptional(
  { messages: fc.array(message, { maxLength: 4 }) },
  {
    model: text,
    temperature: number,
    maxTokens: number,
    reasoningEffort: text,
    verbosity: text,
    tools: fc.array(tool, { maxLength: 2 }),
  },
);

const amount = fc.option(fc.nat());
const model: fc.Arbitrary<Model> = record({
  id: text,
  aliases: fc.array(text, { maxLength: 2 }),
  provider: fc.option(text),
  contextTokens: amount,
  maxOutputTokens: amount,
  inputPrice: amount,
  outputPrice: amount,
  inputs: fc.option(fc.array(text, { maxLength: 2 })),
  tools: fc.option(fc.boolean()),
  reasoning: fc.option(fc.boolean()),
  releasedAt: amount,
});

const bytes32 = fc.stringMatching(/^[\da-f]{64}$/);
const knocker = { profile: id, browser: label, watched: fc.boolean() };

const type = <T extends string>(name: T) => fc.constant(name);

export const frameToBridge: fc.Arbitrary<FrameToBridge> = fc.oneof(
  record({
    type: type('hello'),
    instance: id,
    profile: id,
    version: label,
    browser: label,
    ...extensionStatus,
    requests: fc.array(id, { maxLength: 4 }),
  }),
  record({ type: type('knock'), ...knocker }),
  record({ type: type('pair'), ...knocker, share: bytes32 }),
  record({ type: type('auth'), ...knocker, nonce: bytes32, mac: bytes32 }),
  record({ type: type('started'), requestId: id }),
  record({ type: type('chunk'), requestId: id, seq: count, parts: fc.array(answerPart, { maxLength: 4 }) }),
  fc
    .tuple(
      fc.record(
        { type: type('end'), requestId: id, seq: count, parts: fc.array(answerPart, { maxLength: 4 }) },
        { requiredKeys: ['type', 'requestId', 'seq'], noNullPrototype: true },
      ),
      answerEnd,
    )
    .map(([frame, end]) => ({ ...frame, ...end })),
  record({ type: type('error'), requestId: id, error: failure }),
  record({ type: type('status'), ...extensionStatus }),
  record({ type: type('sign_in'), state: id }),
  record({ type: type('models'), models: fc.array(model, { maxLength: 2 }) }),
  record({ type: type('pong') }),
);

export const frameToExtension: fc.Arbitrary<FrameToExtension> = fc.oneof(
  record({ type: type('challenge'), nonce: bytes32, mustPair: fc.boolean() }),
  record({ type: type('offer'), share: bytes32 }),
  record({ type: type('proof'), mac: bytes32 }),
  record({
    type: type('welcome'),
    version: label,
    secret: text,
    resume: fc.array(record({ requestId: id, nextSeq: count, room: count }), { maxLength: 4 }),
  }),
  record({ type: type('request'), requestId: id, chat, caller: fc.option(anyString(maxCallerChars)) }),
  record({ type: type('cancel'), requestId: id }),
  record({ type: type('room'), requestId: id, chars: count }),
  record({ type: type('ack'), requestIds: fc.array(id, { maxLength: 4 }) }),
  record({ type: type('status'), queued: count, watched: fc.boolean(), durability: fc.constantFrom(...durabilities) }),
  record({ type: type('token'), state: id, token: anyString(8192).filter((token) => token !== '') }),
  record({ type: type('ping') }),
);
