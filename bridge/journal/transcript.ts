import * as v from 'valibot';

import type { ChatMessage, ChatRequest } from '#shared/chat.ts';

const transcriptSchema = v.object({
  model: v.nullable(v.string()),
  messages: v.array(v.object({ role: v.string(), text: v.string() })),
});

/** What was asked, in words alone. `model` is null where the caller named none. */
export type Transcript = v.InferOutput<typeof transcriptSchema>;

/** As the history keeps it: of images, recordings and files only that they were there. */
export const toTranscript = ({ model, messages }: ChatRequest): Transcript => ({
  model: model ?? null,
  messages: messages.map((message) => ({ role: message.role, text: withoutData(textOf(message)) })),
});

/** Null where nothing was kept, or it cannot be read any more. */
export function readTranscript(stored: string | null): Transcript | null {
  try {
    return v.parse(transcriptSchema, JSON.parse(stored ?? 'null'));
  } catch {
    return null;
  }
}

function textOf(message: ChatMessage): string {
  const { content } = message;
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
  const parts = typeof content === 'string' ? [content] : content.map(toText);
  return [...parts, ...calls.map((call) => `[calls ${call.name} ${call.arguments}]`)].filter(Boolean).join('\n');
}

function toText(part: Exclude<ChatMessage['content'], string>[number]): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'image':
      return part.url.startsWith('data:') ? '[image]' : `[image ${part.url}]`;
    case 'audio':
      return '[audio]';
    case 'file':
      return part.name === undefined ? '[file]' : `[file ${part.name}]`;
  }
}

/** Also where it stands in the middle of a text. */
const withoutData = (text: string): string => text.replace(/\bdata:[\w./+-]*;base64,[\w+/=-]*/g, '[data]');
