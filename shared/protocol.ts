import * as v from 'valibot';

import { answerEndSchema, answerPartSchema, chatRequestSchema } from './chat.ts';
import { failureSchema } from './errors.ts';
import { statesOf, type HopName } from './hops.ts';
import { modelListSchema } from './models.ts';
import { durabilities } from './status.ts';
import { tagged } from './tagged.ts';

/**
 * The wire between bridge and extension, declared once for both sides: JSON text frames over one WebSocket.
 *
 *   extension                         bridge
 *          ◀───────────────────────── challenge  whether only a paired extension may go on
 *   knock  ─────────────────────────▶          not paired, and the bridge ends it; or with the code:
 *   pair   ─────────────────────────▶
 *          ◀───────────────────────── offer    from now on both have a secret; or had it already:
 *   auth   ─────────────────────────▶
 *          ◀───────────────────────── proof    each has shown that it has the secret
 *   hello  ─────────────────────────▶          who I am, which requests I still hold
 *          ◀───────────────────────── welcome  the secret for POST /api/result, where to resume
 *          ◀───────────────────────── request
 *   started, chunk 0, chunk 1 … end ▶          with what is left of the answer by then (or error)
 *          ◀───────────────────────── room     the caller reads: so much more of its answer may come
 *          ◀───────────────────────── ack      recorded: the extension may forget them
 *   status ◀────────────────────────▶ status   what one side alone knows, whenever it changes
 *   models  ────────────────────────▶          what Puter offers
 *   sign_in ────────────────────────▶          a sign-in in a tab begins
 *          ◀───────────────────────── token    it came back to the bridge
 *
 * `seq` counts the frames of one answer from 0, `end` included, so that a lost connection can be resumed
 * without a gap and without a doubled chunk.
 *
 * An answer runs ahead of its caller by `maxUnreadChars` and no further: a frame with characters goes out only while
 * there is room, and takes its characters from it. What is more waits in the extension, which keeps it anyway until
 * the `ack`, and nothing overtakes it.
 */
export const protocolVersion = 5;

/** The version stands in the WebSocket subprotocol, so that both sides know it before the first frame. */
export const subprotocol = `puter-bridge.v${protocolVersion}`;

/** Frames beyond this many bytes are refused: a 32 MiB body, escaped as JSON. */
export const maxFrameBytes = 48 * 1024 * 1024;

/** An answer beyond this many characters fails instead of filling the memory of both sides. */
export const maxAnswerChars = 32 * 1024 * 1024;

/** The room that an answer begins with, in characters. */
export const maxUnreadChars = 256 * 1024;

/** The bridge sends a ping this often; either side gives the other up after two that stay unanswered. */
export const heartbeatMs = 15_000;

/** Longer user agents are cut. */
export const maxCallerChars = 200;

export const closeCodes = {
  goingAway: 1001,
  binaryFrame: 1003,
  frameTooLarge: 1009,
  /** The bridge's own trouble. */
  unexpected: 1011,
  badFrame: 4400,
  /** Not paired, or the proof of it is wrong; of a code that was just typed: it was another. */
  notPaired: 4401,
  /** The bridge gave the pairing up while the socket was open. */
  unpaired: 4403,
  wrongVersion: 4406,
  handshakeTimeout: 4408,
  replaced: 4409,
  /** The bridge has no code now: it was used, or is too old. */
  noCode: 4410,
  /** Too many wrong codes were typed: a new one is needed. */
  codeVoid: 4423,
  /** Replaced too often, and the reason says for how long to stay away, see `retryAfterReason`; or pinged too often. */
  tooOften: 4429,
} as const;

/** Says in the reason of a close how long to stay away. */
export const retryAfterReason = (ms: number): string => `retry_after_ms=${ms}`;

/** What such a reason says; null where it says nothing. */
export function readRetryAfter(reason: string): number | null {
  const ms = /^retry_after_ms=(\d{1,9})$/.exec(reason)?.[1];
  return ms === undefined ? null : Number(ms);
}

const id = v.pipe(v.string(), v.uuid());
/** 32 bytes as hex, in one spelling. */
const bytes32 = v.pipe(v.string(), v.regex(/^[\da-f]{64}$/));
const label = v.pipe(v.string(), v.maxLength(100));
const laneCount = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64));
const seq = v.pipe(v.number(), v.integer(), v.minValue(0));
const chars = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Up to the last moment that a Date can be. */
const time = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));
const hopFact = <N extends HopName>(name: N) =>
  v.object({
    state: v.picklist(statesOf(name)),
    since: time,
    until: v.nullable(time),
    detail: v.nullable(v.pipe(v.string(), v.maxLength(300))),
  });

/** What the extension tells of itself, at first and whenever it changes. */
const extensionStatus = {
  lanes: laneCount,
  /** How many calls Puter lets the account start in ten seconds. */
  rate: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
  /** The person wants no requests now. */
  paused: v.boolean(),
  account: v.object({ session: hopFact('session'), puter: hopFact('puter') }),
};

/** Ties the answer of Puter's sign-in page to the question: random, for one use. */
const signInState = v.pipe(v.string(), v.uuid());

/** Who knocks, before it is known: nothing of this may be believed yet. */
const knocker = {
  profile: id,
  browser: label,
  /** The person looks at a page of the extension, where a code could be typed. */
  watched: v.boolean(),
};

export const frameToBridgeSchema = tagged('type', [
  v.object({ type: v.literal('knock'), ...knocker }),
  v.object({ type: v.literal('pair'), ...knocker, share: bytes32 }),
  v.object({ type: v.literal('auth'), ...knocker, nonce: bytes32, mac: bytes32 }),
  v.object({
    type: v.literal('hello'),
    /** One run of the background page: what it held in memory is gone when this changes. */
    instance: id,
    /** One browser profile, for good. */
    profile: id,
    version: label,
    browser: label,
    ...extensionStatus,
    /** Requests this instance still holds, running or finished. */
    requests: v.array(id),
  }),
  v.object({ type: v.literal('started'), requestId: id }),
  v.object({ type: v.literal('chunk'), requestId: id, seq, parts: v.array(answerPartSchema) }),
  v.object({
    type: v.literal('end'),
    requestId: id,
    seq,
    parts: v.exactOptional(v.array(answerPartSchema)),
    ...answerEndSchema.entries,
  }),
  v.object({ type: v.literal('error'), requestId: id, error: failureSchema }),
  v.object({ type: v.literal('status'), ...extensionStatus }),
  v.object({ type: v.literal('sign_in'), state: signInState }),
  /** What Puter offers, as soon as the extension knows, and whenever it changes. */
  v.object({ type: v.literal('models'), models: modelListSchema }),
  v.object({ type: v.literal('pong') }),
]);

export const frameToExtensionSchema = tagged('type', [
  v.object({
    type: v.literal('challenge'),
    /** New for every socket. */
    nonce: bytes32,
    /** False where the extension may say hello at once. */
    mustPair: v.boolean(),
  }),
  v.object({ type: v.literal('offer'), share: bytes32 }),
  v.object({ type: v.literal('proof'), mac: bytes32 }),
  v.object({
    type: v.literal('welcome'),
    version: label,
    /** Lets this instance deliver an answer by POST /api/result while its socket is down. */
    secret: v.string(),
    /** The requests the bridge still wants of those in `hello`, the next seq it expects, and its room; drop the rest. */
    resume: v.array(v.object({ requestId: id, nextSeq: seq, room: chars })),
  }),
  v.object({
    type: v.literal('request'),
    requestId: id,
    chat: chatRequestSchema,
    /** The caller's user agent, for the person to see who asks. */
    caller: v.nullable(v.pipe(v.string(), v.maxLength(maxCallerChars))),
  }),
  v.object({ type: v.literal('cancel'), requestId: id }),
  /** So many characters beside those that there was room for already. */
  v.object({ type: v.literal('room'), requestId: id, chars }),
  v.object({ type: v.literal('ack'), requestIds: v.array(id) }),
  v.object({
    type: v.literal('status'),
    /** Requests that wait for a free lane. */
    queued: v.pipe(v.number(), v.integer(), v.minValue(0)),
    /** Somebody looks at the bridge's own page, so its colours must be right now. */
    watched: v.boolean(),
    durability: v.picklist(durabilities),
  }),
  v.object({
    type: v.literal('token'),
    state: signInState,
    token: v.pipe(v.string(), v.minLength(1), v.maxLength(8192)),
  }),
  v.object({ type: v.literal('ping') }),
]);

export type FrameToBridge = v.InferOutput<typeof frameToBridgeSchema>;
export type FrameToExtension = v.InferOutput<typeof frameToExtensionSchema>;
export type Frame<F extends { type: string }, T extends F['type']> = Extract<F, { type: T }>;
/** The frames that carry one answer. */
export type AnswerFrame = Frame<FrameToBridge, 'started' | 'chunk' | 'end' | 'error'>;
/** Where a lost answer goes on. */
export type Resumption = Frame<FrameToExtension, 'welcome'>['resume'][number];

/**
 * An answer that is whole, as `POST /api/result` takes it beside its `request_id`: what each frame holds, in the place
 * of its `seq`, also what the socket already carried; or the failure.
 */
export const deliverySchema = v.union(
  [v.object({ chunks: v.array(v.array(answerPartSchema)), end: answerEndSchema }), v.object({ error: failureSchema })],
  'must have “chunks” and “end”, or “error”',
);
export type Delivery = v.InferOutput<typeof deliverySchema>;

/** What arrived is not a frame. The message says why and never repeats what was sent. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export const encodeFrame = (frame: FrameToBridge | FrameToExtension): string => JSON.stringify(frame);

export const decodeFrameToBridge = (text: string): FrameToBridge => decode(frameToBridgeSchema, text);
export const decodeFrameToExtension = (text: string): FrameToExtension => decode(frameToExtensionSchema, text);

function decode<T>(schema: v.GenericSchema<unknown, T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FrameError('A frame must be JSON.', { cause });
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new FrameError(`Not a frame of ${subprotocol}: ${v.getDotPath(result.issues[0]) ?? 'the frame'} is wrong.`);
}
