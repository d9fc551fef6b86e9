import * as v from 'valibot';

import type { ChatMessage } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';
import { tagged } from '#shared/tagged.ts';

import { given, imageUrl, text } from '../../../http/fields.ts';
import { optional, textOr } from '../fields.ts';

const textPart = v.object({ type: v.literal('text'), text });

const partSchema = tagged(
  'type',
  [
    textPart,
    v.object({
      type: v.literal('image_url'),
      image_url: v.object(
        {
          url: imageUrl,
          detail: optional(v.picklist(['auto', 'low', 'high'], 'must be auto, low or high')),
        },
        'must be an object with url',
      ),
    }),
    v.object({
      type: v.literal('input_audio'),
      input_audio: v.object({ data: text, format: text }, 'must be an object with data and format'),
    }),
    v.object({
      type: v.literal('file'),
      file: v.object(
        {
          file_data: v.pipe(
            text,
            v.regex(/^data:[^,]+;base64,/i, 'must be a data URI in base64: the bridge keeps no files to name by an id'),
          ),
          filename: optional(text),
        },
        'must be an object with file_data',
      ),
    }),
  ],
  'must be “text”, “image_url”, “input_audio” or “file”',
);
const contentSchema = textOr(v.pipe(v.array(partSchema), v.minLength(1, 'must have at least one part')));
/** Of an assistant and of a tool: texts alone. */
const saidSchema = textOr(
  v.array(
    tagged('type', [textPart, v.object({ type: v.literal('refusal'), refusal: text })], 'must be “text” or “refusal”'),
  ),
);

/** OpenAI does not know the field, so that one of another shape is none. */
const foreign = <S extends v.GenericSchema>(schema: S) => v.fallback(optional(schema), null);

const callSchema = v.object(
  {
    id: text,
    type: v.literal('function', 'must be “function”'),
    function: v.object({ name: text, arguments: text }, 'must be an object with name and arguments'),
    extra_content: foreign(v.object({ google: v.object({ thought_signature: text }) })),
  },
  'must be an object with id, type and function',
);

type Call = v.InferOutput<typeof callSchema>;

const name = optional(text);

const messageSchema = tagged(
  'role',
  [
    v.object({ role: v.picklist(['system', 'developer', 'user']), content: contentSchema, name }),
    v.object({
      role: v.literal('assistant'),
      content: optional(saidSchema),
      refusal: optional(text),
      tool_calls: optional(v.array(callSchema, 'must be an array')),
      // As we call them ourselves, and as OpenRouter does.
      reasoning_content: foreign(text),
      reasoning: foreign(text),
      name,
    }),
    v.object({ role: v.literal('tool'), tool_call_id: text, content: saidSchema }),
  ],
  'must be system, developer, user, assistant or tool',
);

export const messagesSchema = v.pipe(
  v.array(messageSchema, 'must be an array of messages'),
  v.minLength(1, 'must have at least one message'),
  v.maxLength(10_000, 'must have at most 10000 messages'),
);

/** Throws where a tool answers what nobody asked it, which providers refuse in words of their own, or not at all. */
export function toMessages(messages: v.InferOutput<typeof messagesSchema>): ChatMessage[] {
  const asked = new Set<string>();
  return messages.map((message, i) => {
    if (message.role === 'assistant') for (const { id } of message.tool_calls ?? []) asked.add(id);
    if (message.role === 'tool' && !asked.has(message.tool_call_id)) {
      const param = `messages.${i}.tool_call_id`;
      const problem = 'must be the id of a tool call that a message of the assistant before it has';
      throw new BridgeError('invalid_request', `“${param}” ${problem}.`, { param });
    }
    return toMessage(message);
  });
}

function toMessage(message: v.InferOutput<typeof messageSchema>): ChatMessage {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: toContent(message.content) };
    case 'user':
      return { role: 'user', content: toContent(message.content) };
    case 'assistant': {
      const toolCalls = (message.tool_calls ?? []).map(fromToolCall);
      const content = textOf(message.content) || (message.refusal ?? '');
      const reasoning = message.reasoning_content || message.reasoning;
      return {
        role: 'assistant',
        content,
        ...(toolCalls.length > 0 && { toolCalls }),
        ...(reasoning && { reasoning }),
      };
    }
    case 'tool':
      return { role: 'tool', toolCallId: message.tool_call_id, content: textOf(message.content) };
  }
}

const fromToolCall = ({ id, function: { name: tool, arguments: args }, extra_content: extra }: Call) => ({
  id,
  name: tool,
  arguments: args,
  ...given({ thoughtSignature: extra?.google.thought_signature }),
});

function toContent(content: v.InferOutput<typeof contentSchema>): Extract<ChatMessage, { role: 'user' }>['content'] {
  if (typeof content === 'string') return content;
  return content.map((part) => {
    switch (part.type) {
      case 'text':
        return part;
      case 'image_url': {
        const { url, detail } = part.image_url;
        return { type: 'image', url, ...given({ detail }) };
      }
      case 'input_audio':
        return { type: 'audio', ...part.input_audio };
      case 'file': {
        const { file_data: url, filename } = part.file;
        return { type: 'file', url, ...given({ name: filename }) };
      }
    }
  });
}

function textOf(content: v.InferOutput<typeof saidSchema> | null | undefined): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
}
