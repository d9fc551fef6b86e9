import type { ChatMessage, ChatRequest } from '#shared/chat.ts';

interface PuterMessage {
  role: string;
  content: string | object[];
  tool_call_id?: string;
}

/** What a request is in Puter's words: the messages, and the options of `puter.ai.chat()`. */
export function toPuterArguments(chat: ChatRequest): { messages: PuterMessage[]; options: Record<string, unknown> } {
  const { model, temperature, maxTokens, reasoningEffort, verbosity, tools } = chat;
  return {
    messages: chat.messages.map(toPuterMessage),
    options: {
      stream: isSafeToStream(chat),
      ...(model !== undefined && { model }),
      ...(temperature !== undefined && { temperature }),
      ...(maxTokens !== undefined && { max_tokens: maxTokens }),
      ...(reasoningEffort !== undefined && { reasoning_effort: reasoningEffort }),
      ...(verbosity !== undefined && { verbosity }),
      ...(tools !== undefined && { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
    },
  };
}

/**
 * Puter's stream keeps only the last of several tool calls, its whole answer keeps all (measured). Claude is the one
 * family that Puter never lets call two tools at once, so nothing is lost there.
 */
export function isSafeToStream({ model = '', tools = [] }: ChatRequest): boolean {
  return tools.length === 0 || /(^|[/:])claude/i.test(model);
}

function toPuterMessage(message: ChatMessage): PuterMessage {
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content: toPuterContent(message.content) };
    case 'assistant':
      return { role: 'assistant', content: toAssistantContent(message) };
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: orSpace(message.content) };
  }
}

type Content = Extract<ChatMessage, { role: 'user' }>['content'];

function toPuterContent(content: Content): string | object[] {
  if (typeof content === 'string') return orSpace(content);
  return content.map((part) => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    const { url, detail } = part;
    return { type: 'image_url', image_url: { url, ...(detail && { detail }) } };
  });
}

/** Puter encodes the arguments of an assistant's `tool_calls` twice; as parts of its content they arrive as they are. */
function toAssistantContent({
  content,
  toolCalls = [],
}: Extract<ChatMessage, { role: 'assistant' }>): PuterMessage['content'] {
  if (toolCalls.length === 0) return orSpace(content);
  return [
    ...(content === '' ? [] : [{ type: 'text', text: content }]),
    ...toolCalls.map(({ id, name, arguments: text }) => ({ type: 'tool_use', id, name, input: parseArguments(text) })),
  ];
}

/** A model that broke its own JSON off gets back what it wrote. */
function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { text };
  }
}

/** Puter refuses a message that says nothing. */
const orSpace = (text: string): string => (text === '' ? ' ' : text);
