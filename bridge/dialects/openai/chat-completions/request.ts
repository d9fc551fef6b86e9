import * as v from 'valibot';

import type { ChatMessage, ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { numberFrom, text, wholeFrom } from '../../../http/fields.ts';

/** Clients send null for what they leave out. */
const optional = <S extends v.GenericSchema>(schema: S) => v.optional(v.nullable(schema), null);

const textPart = v.object({ type: v.literal('text'), text });
const imagePart = v.object({
  type: v.literal('image_url'),
  image_url: v.object(
    {
      url: v.pipe(text, v.regex(/^(https?:|data:image\/)/i, 'must be an https address or a data:image URI')),
      detail: optional(v.picklist(['auto', 'low', 'high'], 'must be auto, low or high')),
    },
    'must be an object with url',
  ),
});
const partSchema = v.variant(
  'type',
  [textPart, imagePart],
  'must be “text” or “image_url”: other parts are not carried',
);
const contentSchema = v.union([text, v.array(partSchema)], 'must be a text, or parts of text and image_url');
/** Of an assistant and of a tool: texts alone. */
const plain = v.union([text, v.array(textPart)], 'must be a text, or parts of which each is a text');

const callSchema = v.object(
  { id: text, type: v.literal('function', 'must be “function”'), function: v.object({ name: text, arguments: text }) },
  'must be an object with id, type and function',
);

const messageSchema = v.variant(
  'role',
  [
    v.object({ role: v.picklist(['system', 'developer']), content: contentSchema }),
    v.object({ role: v.literal('user'), content: contentSchema }),
    v.object({ role: v.literal('assistant'), content: optional(plain), tool_calls: optional(v.array(callSchema)) }),
    v.object({ role: v.literal('tool'), tool_call_id: text, content: plain }),
  ],
  'must be system, developer, user, assistant or tool',
);

const toolSchema = v.object(
  {
    type: v.literal('function', 'must be “function”'),
    function: v.object({
      name: v.pipe(text, v.regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 letters, digits, dots, dashes or underscores')),
      description: optional(text),
      parameters: optional(v.record(v.string(), v.unknown(), 'must be a JSON Schema')),
    }),
  },
  'must be an object with type and function',
);

/** The body of `POST /v1/chat/completions`, as far as it is carried. */
export const requestSchema = v.looseObject({
  model: optional(v.pipe(text, v.maxLength(200, 'must have at most 200 characters'))),
  messages: v.pipe(
    v.array(messageSchema, 'must be an array of messages'),
    v.minLength(1, 'must have at least one message'),
    v.maxLength(10_000, 'must have at most 10000 messages'),
  ),
  stream: optional(v.boolean('must be true or false')),
  stream_options: optional(v.looseObject({ include_usage: optional(v.boolean('must be true or false')) })),
  tools: optional(v.pipe(v.array(toolSchema), v.maxLength(128, 'must have at most 128 tools'))),
  tool_choice: optional(
    v.picklist(['auto', 'none'], 'must be auto or none: puter.ai.chat() cannot make a model call a tool'),
  ),
  parallel_tool_calls: optional(v.literal(true, 'must be true: puter.ai.chat() cannot keep a model from it')),
  n: optional(wholeFrom(1, 8)),
  stop: optional(
    v.union(
      [v.pipe(text, v.minLength(1)), v.pipe(v.array(v.pipe(text, v.minLength(1))), v.maxLength(4))],
      'must be a text, or up to four of them, none of them empty',
    ),
  ),
  temperature: optional(numberFrom(0, 2)),
  max_tokens: optional(wholeFrom(1, 10_000_000)),
  max_completion_tokens: optional(wholeFrom(1, 10_000_000)),
  reasoning_effort: optional(text),
  verbosity: optional(text),
});

export type Body = v.InferOutput<typeof requestSchema>;

/** What would change the answer and cannot be carried: better no answer than another one. */
const refused = [
  ...['functions', 'function_call', 'response_format', 'audio', 'modalities', 'prediction'],
  ...['logprobs', 'top_logprobs', 'logit_bias', 'seed', 'web_search_options'],
];
const carried = new Set(Object.keys(requestSchema.entries));
/** Puter knows neither: several answers are several calls, and a text is ended here. */
const emulated = new Set(['n', 'stop']);

/** Throws where a parameter is set that cannot be carried; `none`, `{}`, `[]`, `false` and the default ask for nothing. */
export function refuseUncarried(body: Body): void {
  for (const param of refused) {
    const value = body[param];
    const asksNothing =
      value === undefined ||
      value === null ||
      value === false ||
      value === 'none' ||
      (param === 'response_format' && isPlainText(value)) ||
      (param === 'modalities' && JSON.stringify(value) === '["text"]') ||
      (typeof value === 'object' && Object.keys(value).length === 0);
    if (asksNothing) continue;
    const message = `“${param}” is not carried to Puter yet, and the answer would be another without it. Leave it out.`;
    throw new BridgeError('invalid_request', message, { param });
  }
}

const isPlainText = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'text';

/** How each parameter that was set was treated, for the header `x-puter-bridge-fidelity`. */
export function describeFidelity(body: Body): string {
  const set = Object.entries(body).filter(([, value]) => value !== null && value !== undefined);
  const names = set.map(([name]) => name).filter((name) => /^[\w.-]{1,64}$/.test(name));
  const native = names.filter((name) => carried.has(name) && !emulated.has(name));
  const ignored = names.filter((name) => !carried.has(name) && !refused.includes(name));
  return [
    `native=${native.join(',')}`,
    `emulated=${names.filter((name) => emulated.has(name)).join(',')}`,
    `ignored=${ignored.slice(0, 32).join(',')}`,
  ].join('; ');
}

export function toChatRequest(body: Body): ChatRequest {
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  // A model that may not call a tool is not shown any.
  const tools = body.tool_choice === 'none' ? [] : (body.tools ?? []);
  return {
    messages: body.messages.map(toMessage),
    ...(tools.length > 0 && { tools: tools.map(toTool) }),
    ...(body.model !== null && { model: body.model }),
    ...(body.temperature !== null && { temperature: body.temperature }),
    ...(maxTokens !== null && { maxTokens }),
    ...(body.reasoning_effort !== null && { reasoningEffort: body.reasoning_effort }),
    ...(body.verbosity !== null && { verbosity: body.verbosity }),
  };
}

function toTool({ function: { name, description, parameters } }: NonNullable<Body['tools']>[number]) {
  return { name, ...(description !== null && { description }), ...(parameters !== null && { parameters }) };
}

function toMessage(message: Body['messages'][number]): ChatMessage {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: toContent(message.content) };
    case 'user':
      return { role: 'user', content: toContent(message.content) };
    case 'assistant': {
      const toolCalls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: args } }) => ({
        id,
        name,
        arguments: args,
      }));
      return { role: 'assistant', content: textOf(message.content), ...(toolCalls.length > 0 && { toolCalls }) };
    }
    case 'tool':
      return { role: 'tool', toolCallId: message.tool_call_id, content: textOf(message.content) };
  }
}

function toContent(content: v.InferOutput<typeof contentSchema>): Extract<ChatMessage, { role: 'user' }>['content'] {
  if (typeof content === 'string') return content;
  return content.map((part) => {
    if (part.type === 'text') return part;
    const { url, detail } = part.image_url;
    return { type: 'image', url, ...(detail !== null && { detail }) };
  });
}

const textOf = (content: v.InferOutput<typeof plain> | null): string =>
  typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join('');

export const stopsOf = ({ stop }: Body): string[] => (stop === null ? [] : typeof stop === 'string' ? [stop] : stop);
