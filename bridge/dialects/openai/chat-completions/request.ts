import * as v from 'valibot';

import type { ChatRequest, ResponseFormat } from '#shared/chat.ts';
import { tagged } from '#shared/tagged.ts';

import { given, text, wholeFrom } from '../../../http/fields.ts';
import { describeFidelity, refuseUncarried, type Treatment } from '../fidelity.ts';
import { common, jsonSchema, optional, toCommon, yesOrNo } from '../fields.ts';
import type { Question } from '../respond.ts';
import { messagesSchema, toMessages } from './messages.ts';

const toolSchema = v.object(
  {
    type: v.literal('function', 'must be “function”'),
    function: v.object(
      {
        name: v.pipe(text, v.regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 letters, digits, dots, dashes or underscores')),
        description: optional(text),
        parameters: optional(jsonSchema),
        strict: optional(yesOrNo),
      },
      'must be an object with name',
    ),
  },
  'must be an object with type and function',
);

const toolChoiceSchema = v.union(
  [
    v.picklist(['auto', 'none', 'required']),
    v.object({ type: v.literal('function'), function: v.object({ name: text }) }),
  ],
  'must be auto, none, required, or {"type":"function","function":{"name":"…"}}',
);

const responseFormatSchema = tagged(
  'type',
  [
    v.object({ type: v.literal('text') }),
    // OpenAI knows no schema here; llama.cpp, Together, Fireworks and their clients do.
    v.object({ type: v.literal('json_object'), schema: optional(jsonSchema) }),
    v.object({
      type: v.literal('json_schema'),
      json_schema: v.object(
        {
          name: v.pipe(text, v.regex(/^[\w-]{1,64}$/, 'must have 1 to 64 letters, digits, dashes or underscores')),
          description: optional(text),
          schema: optional(jsonSchema),
          strict: optional(yesOrNo),
        },
        'must be an object with name and schema',
      ),
    }),
  ],
  'must have the type text, json_object or json_schema',
);

/** The body of `POST /v1/chat/completions`, as far as it is carried. */
export const requestSchema = v.looseObject({
  ...common,
  messages: messagesSchema,
  tools: optional(v.pipe(v.array(toolSchema, 'must be an array'), v.maxLength(128, 'must have at most 128 tools'))),
  tool_choice: optional(toolChoiceSchema),
  parallel_tool_calls: optional(yesOrNo),
  response_format: optional(responseFormatSchema),
  max_completion_tokens: optional(wholeFrom(1, 10_000_000)),
  reasoning_effort: optional(text),
  verbosity: optional(text),
});

type Body = v.InferOutput<typeof requestSchema>;

/** What would change the answer and cannot be carried: better no answer than another one. */
const refused = new Set([
  ...['functions', 'function_call', 'audio', 'modalities', 'web_search_options'],
  ...['logprobs', 'top_logprobs', 'logit_bias', 'seed'],
]);

/** Throws `invalid_request` where a parameter is set that cannot be carried. */
export function readQuestion(body: Body): Question {
  refuseUncarried(body, refused);
  const request = toChatRequest(body);
  return {
    // Puter knows no `n`: every choice is a call of its own.
    requests: Array.from({ length: body.n ?? 1 }, () => request),
    model: body.model ?? null,
    priority: body.priority ?? null,
    isStream: body.stream === true,
    wantsUsage: body.stream_options?.include_usage === true,
    fidelity: describeFidelity(body, (param) => treatmentOf(param, body), unnamed(body)),
  };
}

function treatmentOf(param: string, body: Body): Treatment {
  if (param === 'n' || param === 'stop' || param === 'priority') return 'emulated';
  // Not every provider behind Puter takes either, so both are asked for in words and held to here.
  if (param === 'tool_choice') return body.tool_choice === 'auto' ? 'native' : 'emulated';
  if (param === 'response_format') return body.response_format?.type === 'text' ? 'native' : 'emulated';
  return param in requestSchema.entries ? 'native' : 'ignored';
}

/** Who speaks is told by the role alone. */
const unnamed = ({ messages }: Body): string[] =>
  messages.some((it) => 'name' in it && it.name) ? ['messages.name'] : [];

function toChatRequest(body: Body): ChatRequest {
  const { tools, tool_choice: choice, response_format: format } = body;
  // In this order: whether a request is the same as one before is told by its JSON.
  return {
    ...given(toCommon(body)),
    messages: toMessages(body.messages),
    ...given({
      tools: tools?.length ? tools.map(toTool) : null,
      toolChoice: choice && typeof choice === 'object' ? { name: choice.function.name } : choice,
      parallelToolCalls: body.parallel_tool_calls,
      responseFormat: format && format.type !== 'text' ? toFormat(format) : null,
      maxTokens: body.max_completion_tokens ?? body.max_tokens,
      reasoningEffort: body.reasoning_effort,
      verbosity: body.verbosity,
    }),
  };
}

function toTool({ function: { name, ...rest } }: NonNullable<Body['tools']>[number]) {
  return { name, ...given(rest) };
}

type Format = Exclude<NonNullable<Body['response_format']>, { type: 'text' }>;

function toFormat(format: Format): ResponseFormat {
  if (format.type === 'json_object') {
    const { type, schema } = format;
    return schema
      ? { type: 'json_schema', name: 'answer', schema: { type: 'object', ...schema }, strict: true }
      : { type };
  }
  const { name, description, schema, strict } = format.json_schema;
  return {
    type: 'json_schema',
    name,
    ...given({ description }),
    schema: schema ?? {},
    strict: strict === true,
  };
}
