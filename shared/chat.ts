import * as v from 'valibot';

import { tagged } from './tagged.ts';

/** The neutral vocabulary of a chat: every dialect is translated to it, and Puter is called from it. */

/** A piece of what a message says. `url` is an https address or a data URI; Puter or the provider fetches it. */
const contentPartSchema = tagged('type', [
  v.object({ type: v.literal('text'), text: v.string() }),
  v.object({
    type: v.literal('image'),
    url: v.string(),
    detail: v.exactOptional(v.picklist(['auto', 'low', 'high'])),
  }),
  /** `data` is base64, `format` its kind: wav, mp3. */
  v.object({ type: v.literal('audio'), data: v.string(), format: v.string() }),
  /** `url` is a data URI. */
  v.object({ type: v.literal('file'), url: v.string(), name: v.exactOptional(v.string()) }),
]);
const contentSchema = v.union([v.string(), v.array(contentPartSchema)]);

export const toolCallSchema = v.object({
  id: v.string(),
  name: v.string(),
  /** JSON text, as the model wrote it. */
  arguments: v.string(),
  /** What Gemini sealed its thoughts with, to be handed back with the call. */
  thoughtSignature: v.exactOptional(v.string()),
});

export const chatMessageSchema = tagged('role', [
  v.object({ role: v.literal('system'), content: contentSchema }),
  v.object({ role: v.literal('user'), content: contentSchema }),
  v.object({
    role: v.literal('assistant'),
    content: v.string(),
    toolCalls: v.exactOptional(v.array(toolCallSchema)),
    /** What it thought before it said that, where the caller kept it. */
    reasoning: v.exactOptional(v.string()),
  }),
  /** What a tool came to, for the call of that id. */
  v.object({ role: v.literal('tool'), toolCallId: v.string(), content: v.string() }),
]);

/** `parameters` is a JSON Schema. */
const toolSchema = v.object({
  name: v.string(),
  description: v.exactOptional(v.string()),
  parameters: v.exactOptional(v.record(v.string(), v.unknown())),
  /** The arguments must fit `parameters` exactly, where the provider can hold a model to that. */
  strict: v.exactOptional(v.boolean()),
});

/** A JSON Schema that the answer must fit: exactly where it is `strict`, else as well as the model can. */
const jsonSchemaFormat = v.object({
  type: v.literal('json_schema'),
  name: v.string(),
  description: v.exactOptional(v.string()),
  schema: v.record(v.string(), v.unknown()),
  strict: v.boolean(),
});

export const chatRequestSchema = v.object({
  /** Absent: the extension's default model, else Puter's own. */
  model: v.exactOptional(v.string()),
  messages: v.array(chatMessageSchema),
  /** What the model may call. */
  tools: v.exactOptional(v.array(toolSchema)),
  /** Whether it may, must not, must, or must call the one of that name; absent, it may. */
  toolChoice: v.exactOptional(v.union([v.picklist(['auto', 'none', 'required']), v.object({ name: v.string() })])),
  /** False: at most one call in an answer. */
  parallelToolCalls: v.exactOptional(v.boolean()),
  /** The text ends before the first of these to be complete. */
  stops: v.exactOptional(v.array(v.string())),
  /** The text must be a JSON object, or fit a schema. */
  responseFormat: v.exactOptional(tagged('type', [v.object({ type: v.literal('json_object') }), jsonSchemaFormat])),
  temperature: v.exactOptional(v.number()),
  topP: v.exactOptional(v.number()),
  /** The most tokens the answer may have. */
  maxTokens: v.exactOptional(v.number()),
  /** How hard a reasoning model thinks, and how much it writes; each provider has words of its own for both. */
  reasoningEffort: v.exactOptional(v.string()),
  verbosity: v.exactOptional(v.string()),
});

const tokens = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Tokens as Puter counted them; `isEstimated` where it did not, and the bridge counted by itself. */
export const usageSchema = v.object({
  inputTokens: tokens,
  outputTokens: tokens,
  /** Those of the input that were read from a cache, where Puter told of any. */
  cachedTokens: v.exactOptional(tokens),
  isEstimated: v.exactOptional(v.literal(true)),
});

export const finishReasonSchema = v.picklist(['stop', 'length', 'tool_calls', 'content_filter']);

/** A piece of an answer, in the order the model gave it. */
export const answerPartSchema = tagged('type', [
  v.object({ type: v.literal('text'), text: v.string() }),
  v.object({ type: v.literal('reasoning'), text: v.string() }),
  v.object({ type: v.literal('tool_call'), ...toolCallSchema.entries }),
]);

/** How a whole answer closes. `model` is the name Puter answered under, where it says one. */
export const answerEndSchema = v.object({
  finishReason: finishReasonSchema,
  model: v.nullable(v.string()),
  /** Not worth an answer: where it cannot be, it is taken for not told. */
  usage: v.fallback(v.nullable(usageSchema), null),
});

export type ChatRequest = v.InferOutput<typeof chatRequestSchema>;
export type ChatMessage = v.InferOutput<typeof chatMessageSchema>;
export type ResponseFormat = NonNullable<ChatRequest['responseFormat']>;
export type Usage = v.InferOutput<typeof usageSchema>;
export type FinishReason = v.InferOutput<typeof finishReasonSchema>;
export type AnswerPart = v.InferOutput<typeof answerPartSchema>;
export type AnswerEnd = v.InferOutput<typeof answerEndSchema>;

/** How much of an answer a part is, in characters: what limits and batches count. */
export function partChars(part: AnswerPart): number {
  if (part.type !== 'tool_call') return part.text.length;
  const { id, name, arguments: args, thoughtSignature = '' } = part;
  return id.length + name.length + args.length + thoughtSignature.length;
}

export type Finish = { type: 'finish' } & AnswerEnd;

export const finishOf = ({ finishReason, model, usage }: AnswerEnd): Finish => ({
  type: 'finish',
  finishReason,
  model,
  usage,
});

/** What a running call gives: parts, then exactly one finish (or the stream fails). */
export type CallEvent = AnswerPart | Finish;

/**
 * What a caller's side sees of a chat: the same, or a `refusal`, which is what the model said where it was asked for JSON
 * and gave none.
 */
export type ChatEvent = CallEvent | { type: 'refusal'; text: string };
