import type { ChatMessage, ChatRequest, ResponseFormat } from '#shared/chat.ts';
import { isClaude } from '#shared/families.ts';
import { isSafeToStream } from '#shared/streaming.ts';

interface PuterMessage {
  role: string;
  content: string | object[];
  tool_call_id?: string;
}

/** What a request is in Puter's words: the messages, and the other arguments of its driver. */
export function toPuterArguments(chat: ChatRequest): { messages: PuterMessage[]; options: Record<string, unknown> } {
  const { model, temperature, topP, maxTokens, reasoningEffort, verbosity } = chat;
  const { tools, toolChoice, parallelToolCalls, responseFormat } = chat;
  return {
    messages: (isClaude(chat) ? chat.messages.map(forClaude) : chat.messages).flatMap(toPuterMessages(chat)),
    options: {
      stream: isSafeToStream(chat),
      ...(model !== undefined && { model }),
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { top_p: topP }),
      ...(maxTokens !== undefined && { max_tokens: maxTokens }),
      ...(reasoningEffort !== undefined && { reasoning_effort: reasoningEffort }),
      ...(verbosity !== undefined && { verbosity }),
      ...(tools !== undefined && { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
      ...(toolChoice !== undefined && { tool_choice: toolChoice }),
      ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
      ...(responseFormat !== undefined && { text: { format: toTextFormat(responseFormat) } }),
    },
  };
}

/** Arguments of the driver that `puter.ai.chat()` would drop in silence. */
export const isBeyondChat = (options: Record<string, unknown>): boolean =>
  ['top_p', 'tool_choice', 'parallel_tool_calls'].some((name) => name in options);

/** Of the system's messages, Puter hands only the first on to Claude: what comes further down is said by the user. */
const forClaude = (message: ChatMessage, index: number, all: ChatMessage[]): ChatMessage =>
  message.role === 'system' && all.slice(0, index).some(({ role }) => role !== 'system')
    ? { ...message, role: 'user' }
    : message;

const toPuterMessages =
  (chat: ChatRequest) =>
  (message: ChatMessage): PuterMessage[] => {
    switch (message.role) {
      case 'system':
      case 'user':
        return [{ role: message.role, content: toPuterContent(message.content, chat) }];
      case 'assistant':
        return toAssistantMessages(message);
      case 'tool':
        return [{ role: 'tool', tool_call_id: message.toolCallId, content: orSpace(message.content) }];
    }
  };

type Content = Extract<ChatMessage, { role: 'user' }>['content'];
type Part = Exclude<Content, string>[number];

const toPuterContent = (content: Content, chat: ChatRequest): string | object[] =>
  typeof content === 'string' ? orSpace(content) : content.map((part) => toPuterPart(part, chat));

function toPuterPart(part: Part, chat: ChatRequest): object {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image': {
      const { url, detail } = part;
      return { type: 'image_url', image_url: { url, ...(detail && { detail }) } };
    }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    case 'file': {
      const { url, name } = part;
      const [, mediaType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? [];
      return isClaude(chat) && data !== undefined
        ? { type: 'document', source: { type: 'base64', media_type: mediaType, data } }
        : { type: 'file', file: { file_data: url, ...(name !== undefined && { filename: name }) } };
    }
  }
}

/**
 * Puter encodes the arguments of an assistant's `tool_calls` twice; as parts of its content they arrive as they are. Text
 * beside them does not arrive at most providers, so it goes ahead as a message of its own.
 */
function toAssistantMessages({ content, toolCalls = [] }: Extract<ChatMessage, { role: 'assistant' }>): PuterMessage[] {
  if (toolCalls.length === 0) return [{ role: 'assistant', content: orSpace(content) }];
  const calls = toolCalls.map(({ id, name, arguments: text }) => ({
    type: 'tool_use',
    id,
    name,
    input: parseArguments(text),
  }));
  return [...(content.trim() === '' ? [] : [{ role: 'assistant', content }]), { role: 'assistant', content: calls }];
}

/** A model that broke its own JSON off gets back what it wrote. */
function parseArguments(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { text };
  }
}

/** The models that Puter calls by OpenAI's newer interface take the format natively; the others are told in words. */
function toTextFormat(format: ResponseFormat): object {
  if (format.type === 'json_object') return { type: 'json_object' };
  const { type, name, description, schema, strict } = format;
  return { type, name, schema, strict, ...(description !== undefined && { description }) };
}

/** Puter refuses a message that says nothing. */
const orSpace = (text: string): string => (text === '' ? ' ' : text);
