import * as v from 'valibot';

import type { AnswerEnd, AnswerPart, ChatRequest, FinishReason, Usage } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';
import { tagged } from '#shared/tagged.ts';

import { readUsage } from './usage.ts';

/**
 * Puter hands on what each provider says, in each provider's words. Here it becomes one vocabulary. What is not
 * understood is left out, never passed on.
 */

/** Where there is nothing to say, some providers leave out even the name. */
const anything = v.optional(v.unknown());

/** Gemini's signature of a call. Of another shape it is none. */
const extraContent = v.fallback(v.nullish(v.object({ google: v.object({ thought_signature: v.string() }) })), null);

const lineSchema = tagged('type', [
  v.object({ type: v.literal('text'), text: v.string() }),
  v.object({ type: v.literal('reasoning'), reasoning: v.string() }),
  v.object({
    type: v.literal('tool_use'),
    id: v.nullish(v.string()),
    name: v.string(),
    input: anything,
    extra_content: extraContent,
  }),
  // Newer servers say why the answer ended.
  v.object({ type: v.literal('usage'), usage: anything, finish_reason: v.nullish(v.string()) }),
  v.object({ type: v.literal('error'), message: v.string() }),
]);

const contentSchema = v.union([v.string(), v.array(v.looseObject({ type: v.string() })), v.null()]);

const wholeSchema = v.object({
  message: v.object({
    content: v.optional(contentSchema, null),
    model: v.optional(v.string()),
    reasoning: v.nullish(v.string()),
    reasoning_content: v.nullish(v.string()),
    stop_reason: v.nullish(v.string()),
    tool_calls: v.nullish(
      v.array(
        v.object({
          id: v.nullish(v.string()),
          function: v.object({ name: v.string(), arguments: anything }),
          extra_content: extraContent,
        }),
      ),
    ),
  }),
  finish_reason: v.nullish(v.string()),
  usage: anything,
});

export interface StreamReader {
  read(line: unknown): void;
  /** Throws where the stream ended without its usage line: every whole answer has one, a cut one has not. */
  end(): AnswerEnd;
}

export function createStreamReader(chat: ChatRequest, onPart: (part: AnswerPart) => void): StreamReader {
  let usage: Usage | null | undefined;
  let calledTool = false;
  let finishReason: string | undefined;
  const toToolCall = createToolCalls();

  return {
    read(value) {
      const line = v.safeParse(lineSchema, value);
      // Lines of kinds that we do not carry (images, compaction) are not answers to a chat.
      if (!line.success) return;
      switch (line.output.type) {
        case 'text':
          return void (line.output.text && onPart({ type: 'text', text: line.output.text }));
        case 'reasoning':
          return onPart({ type: 'reasoning', text: line.output.reasoning });
        case 'tool_use':
          calledTool = true;
          return onPart(toToolCall(line.output));
        case 'usage':
          usage = readUsage(line.output.usage, chat);
          finishReason = line.output.finish_reason ?? undefined;
          return;
        case 'error': {
          const { message } = line.output;
          throw new BridgeError('upstream_failed', `Puter broke the answer off: ${message.slice(0, 500)}`, {
            upstream: { message: message.slice(0, 500) },
          });
        }
      }
    },
    end() {
      if (usage === undefined) {
        throw new BridgeError(
          'upstream_failed',
          'The connection to Puter broke before the answer was whole. Send the request again.',
        );
      }
      return {
        finishReason: deriveFinishReason(finishReason, calledTool, usage, chat),
        model: chat.model ?? null,
        usage,
      };
    },
  };
}

/** Reads an answer that came in one piece. */
export function readWhole(value: unknown, chat: ChatRequest, onPart: (part: AnswerPart) => void): AnswerEnd {
  const parsed = v.safeParse(wholeSchema, value);
  if (!parsed.success)
    throw new BridgeError('upstream_failed', 'Puter answered in a form that this version does not understand.');
  const { message, finish_reason: finishReason, usage: rawUsage } = parsed.output;

  const toToolCall = createToolCalls();
  const calls = (message.tool_calls ?? []).map(({ function: { name, arguments: input }, ...call }) =>
    toToolCall({ ...call, name, input }),
  );
  const parts = [...reasoningOf(message), ...contentOf(message.content, toToolCall), ...calls];

  const usage = readUsage(rawUsage, chat);
  const calledTool = parts.some((part) => part.type === 'tool_call');
  // Claude's own field is right where the common one always says “stop”.
  const reason = message.stop_reason ?? finishReason ?? undefined;
  const end: AnswerEnd = {
    finishReason: deriveFinishReason(reason, calledTool, usage, chat),
    model: message.model ?? chat.model ?? null,
    usage,
  };
  for (const part of parts) onPart(part);
  return end;
}

type Whole = v.InferOutput<typeof wholeSchema>['message'];

function reasoningOf({ reasoning, reasoning_content: content }: Whole): AnswerPart[] {
  const text = reasoning ?? content;
  return text ? [{ type: 'reasoning', text }] : [];
}

function contentOf(content: Whole['content'], toToolCall: ReturnType<typeof createToolCalls>): AnswerPart[] {
  if (content === null) return [];
  if (typeof content === 'string') return content ? [{ type: 'text', text: content }] : [];
  return content.flatMap((part): AnswerPart[] => {
    if (part.type === 'text' && typeof part['text'] === 'string') return [{ type: 'text', text: part['text'] }];
    if (part.type === 'thinking' && typeof part['thinking'] === 'string')
      return [{ type: 'reasoning', text: part['thinking'] }];
    if (part.type === 'tool_use') {
      const { id, name, input } = part;
      return [toToolCall({ id: typeof id === 'string' ? id : null, name: String(name), input })];
    }
    return [];
  });
}

/**
 * Makes calls of tools from either shape: arguments as text, or as the value that they are. Some providers give calls no
 * id, or two of them the same; a caller tells them apart by it.
 */
function createToolCalls(): (call: GivenCall) => AnswerPart {
  const seen = new Set<string>();
  return ({ id: given, name, input, extra_content: extra }) => {
    const id = given && !seen.has(given) ? given : `call_${crypto.randomUUID().replaceAll('-', '')}`;
    seen.add(id);
    const text = typeof input === 'string' ? input : JSON.stringify(input ?? {});
    return {
      type: 'tool_call',
      id,
      name,
      arguments: text.trim() === '' ? '{}' : text,
      ...(extra && { thoughtSignature: extra.google.thought_signature }),
    };
  };
}

interface GivenCall {
  id?: string | null | undefined;
  name: string;
  input?: unknown;
  extra_content?: v.InferOutput<typeof extraContent>;
}

const finishReasons = new Map<string | undefined, FinishReason>([
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['model_length', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_calls', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['refusal', 'content_filter'],
]);

/**
 * Everything else is a stop. Streams of older servers carry no finish reason, and some answers carry a wrong one: the
 * answer itself tells. Throws where its provider failed in the middle of it.
 */
function deriveFinishReason(
  given: string | undefined,
  calledTool: boolean,
  usage: Usage | null,
  chat: ChatRequest,
): FinishReason {
  if (given === 'error') {
    throw new BridgeError('upstream_failed', 'The model’s provider broke the answer off. Send the request again.');
  }
  const known = finishReasons.get(given);
  // A call that was cut off is none to make: what there is of its arguments may even look whole.
  if (known === 'length' || known === 'content_filter') return known;
  if (calledTool) return 'tool_calls';
  if (known !== undefined) return known;
  const isCutOff = chat.maxTokens !== undefined && usage !== null && usage.outputTokens >= chat.maxTokens;
  return isCutOff ? 'length' : 'stop';
}
