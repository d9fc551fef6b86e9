import type { ChatMessage, ChatRequest } from '#shared/chat.ts';
import { isClaude, isGemini, losesParallelCalls, wantsSignatures, wantsThoughts } from '#shared/families.ts';

export interface PuterMessage {
  role: string;
  content: string | object[];
  tool_call_id?: string;
  reasoning_content?: string;
}

/** What was said so far, in Puter's words. */
export function toPuterMessages(chat: ChatRequest): PuterMessage[] {
  const said = chat.messages.filter(({ role, content }) => role !== 'system' || isSaid(content, chat));
  const messages = said.length > 0 ? said : chat.messages;
  return arrange(messages, chat).flatMap((message) => toMessages(message, chat));
}

function arrange(messages: ChatMessage[], chat: ChatRequest): ChatMessage[] {
  if (isClaude(chat)) return messages.map(forClaude);
  return losesParallelCalls(chat) ? oneByOne(messages) : messages;
}

/** As if the model had called each tool in a message of its own, and had its result before it called the next. */
function oneByOne(messages: ChatMessage[]): ChatMessage[] {
  const told = new Set<ChatMessage>();
  return messages.flatMap((message, index): ChatMessage[] => {
    if (told.has(message)) return [];
    if (message.role !== 'assistant' || (message.toolCalls ?? []).length < 2) return [message];
    const { toolCalls = [], ...first } = message;
    let end = index + 1;
    while (messages[end]?.role === 'tool') end += 1;
    const results = messages.slice(index + 1, end);
    return toolCalls.flatMap((call, nth) => {
      const own = results.filter((result) => result.role === 'tool' && result.toolCallId === call.id);
      for (const result of own) told.add(result);
      return [{ ...(nth === 0 ? first : { role: 'assistant', content: '' }), toolCalls: [call] }, ...own];
    });
  });
}

/** Of the system's messages, Puter hands only the first on to Claude: what comes further down is said by the user. */
const forClaude = (message: ChatMessage, index: number, all: ChatMessage[]): ChatMessage =>
  message.role === 'system' && all.slice(0, index).some(({ role }) => role !== 'system')
    ? { ...message, role: 'user' }
    : message;

function toMessages(message: ChatMessage, chat: ChatRequest): PuterMessage[] {
  switch (message.role) {
    case 'system':
    case 'user':
      return [{ role: message.role, content: toContent(message.content, chat) }];
    case 'assistant':
      return toAssistantMessages(message, chat);
    case 'tool':
      return [{ role: 'tool', tool_call_id: message.toolCallId, content: orFiller(message.content, chat) }];
  }
}

type AssistantMessage = Extract<ChatMessage, { role: 'assistant' }>;
type ToolCall = NonNullable<AssistantMessage['toolCalls']>[number];
type Content = Extract<ChatMessage, { role: 'user' }>['content'];
type Part = Exclude<Content, string>[number];

function toContent(content: Content, chat: ChatRequest): string | object[] {
  if (typeof content === 'string') return orFiller(content, chat);
  const said = content.filter((part) => isSaid([part], chat));
  return said.length === 0 ? orFiller('', chat) : said.map((part) => toPart(part, chat));
}

function toPart(part: Part, chat: ChatRequest): object {
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
function toAssistantMessages(
  { content, toolCalls = [], reasoning = '' }: AssistantMessage,
  chat: ChatRequest,
): PuterMessage[] {
  const tell = (said: PuterMessage['content'], thoughts: string): PuterMessage => ({
    role: 'assistant',
    content: said,
    // An empty one is taken for none.
    ...(wantsThoughts(chat) && { reasoning_content: thoughts || ' ' }),
  });
  if (toolCalls.length === 0) return [tell(orFiller(content, chat), reasoning)];
  const calls = toolCalls.map((call) => ({
    type: 'tool_use',
    id: call.id,
    name: call.name,
    input: parseArguments(call.arguments),
    ...signatureOf(call, chat),
  }));
  return [...(content.trim() === '' ? [] : [tell(content, '')]), tell(calls, reasoning)];
}

/**
 * Most callers lose a call's signature, and most providers refuse the field. Google documents a text to stand in for a
 * lost one (https://ai.google.dev/gemini-api/docs/thought-signatures); every call gets it, also those that Gemini left
 * unsigned beside a signed one, since Puter turns their order around.
 */
function signatureOf({ thoughtSignature }: ToolCall, chat: ChatRequest): object {
  const signature = thoughtSignature ?? (wantsSignatures(chat) ? 'skip_thought_signature_validator' : undefined);
  if (signature === undefined || !isGemini(chat)) return {};
  return { extra_content: { google: { thought_signature: signature } } };
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

/** Puter refuses a message that says nothing, and Claude one of blanks. */
const orFiller = (text: string, chat: ChatRequest): string =>
  isSaid(text, chat) ? text : isClaude(chat) ? '(empty)' : ' ';

/** Blanks may separate other texts, unless nobody takes them. */
const isSaid = (content: Content, chat: ChatRequest): boolean =>
  typeof content === 'string'
    ? (isClaude(chat) ? content.trim() : content) !== ''
    : content.some((part) => part.type !== 'text' || isSaid(part.text, chat));
