import { type Refusal, refuse } from './refusals.ts';

/** One line of Puter's streamed answer (`application/x-ndjson`). There is no finish reason among them. */
export type PuterLine =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; reasoning: string }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown>; text: ''; extra_content?: object }
  | { type: 'usage'; usage: PuterUsage }
  | { type: 'error'; message: string };

/** The keys differ by provider: `prompt`, `prompt_tokens` or `input_tokens`. */
type PuterUsage = Record<string, number | null>;

/** The `result` of a whole answer, in the OpenAI or the Anthropic shape. */
interface PuterResult {
  index?: number;
  message: OpenAiMessage | AnthropicMessage;
  finish_reason: string;
  logprobs?: null;
  usage?: PuterUsage;
  via_ai_chat_service: true;
}

interface OpenAiMessage {
  role: 'assistant';
  content: string | null;
  refusal?: null;
  reasoning?: string;
  tool_calls?: {
    id: string;
    type: 'function';
    function: { name: string; arguments: string };
    extra_content?: object;
  }[];
}

interface AnthropicMessage {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: { type: 'text'; text: string }[];
  stop_reason: string;
  stop_sequence: null;
  usage: PuterUsage;
}

/**
 * What a model does next. Whoever plays the steps (the HTTP server here, or a double without HTTP) stops at the
 * caller's hang-up; `drop` tears the connection down, `hang` never goes on.
 */
export type ModelStep =
  | { line: PuterLine }
  /** Raw bytes of the stream, cut where no line ends; each is to leave as a packet of its own. */
  | { bytes: Uint8Array }
  | { whole: PuterResult }
  /** Only ever the first step: nothing was sent yet. */
  | { refusal: Refusal }
  | { waitMs: number }
  | 'drop'
  | 'hang';

export const text = (text: string): ModelStep => ({ line: { type: 'text', text } });
export const reasoning = (reasoning: string): ModelStep => ({ line: { type: 'reasoning', reasoning } });
export const usage = (usage: PuterUsage): ModelStep => ({ line: { type: 'usage', usage } });
export const toolUse = (
  id: string,
  name: string,
  input: Record<string, unknown>,
  extra: { extra_content?: object } = {},
): ModelStep => ({ line: { type: 'tool_use', id, name, input, text: '', ...extra } });

export const encodeLine = (line: PuterLine): string => `${JSON.stringify(line)}\n`;

/** A stream told as one whole answer in the OpenAI shape; waits, drops and hangs stay what they are. */
export function* collected(steps: Iterable<ModelStep>, finishReason = 'stop'): Iterable<ModelStep> {
  const message: OpenAiMessage = { role: 'assistant', content: '' };
  let counted: PuterUsage | undefined;
  for (const step of steps) {
    if (typeof step === 'string' || !('line' in step)) {
      yield step;
      continue;
    }
    const { line } = step;
    if (line.type === 'text') message.content += line.text;
    else if (line.type === 'reasoning') message.reasoning = (message.reasoning ?? '') + line.reasoning;
    else if (line.type === 'usage') counted = line.usage;
    else if (line.type === 'tool_use') {
      const call = { name: line.name, arguments: JSON.stringify(line.input) };
      const extra = line.extra_content && { extra_content: line.extra_content };
      message.tool_calls = [...(message.tool_calls ?? []), { id: line.id, type: 'function', function: call, ...extra }];
    } else {
      yield { refusal: refuse('internal_error', 'All providers failed') };
      return;
    }
  }
  if (message.tool_calls) message.content = null;
  else if (message.reasoning === undefined) message.refusal = null;
  yield {
    whole: {
      index: 0,
      message,
      finish_reason: message.tool_calls ? 'tool_calls' : finishReason,
      logprobs: null,
      ...(counted && { usage: counted }),
      via_ai_chat_service: true,
    },
  };
}

/** A whole answer in the Anthropic shape, as Claude models and `fake` give it. */
export function anthropicWhole(model: string, text: string, stopReason: string, usage: PuterUsage): ModelStep {
  const message: AnthropicMessage = {
    id: '00000000-0000-0000-0000-000000000000',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text }],
    stop_reason: stopReason,
    stop_sequence: null,
    usage,
  };
  // Puter says `stop` here whatever Claude said: only stop_reason tells that an answer was cut.
  return { whole: { message, usage, finish_reason: 'stop', via_ai_chat_service: true } };
}

/** The lines as bytes cut inside every multi-byte character, with a pause at each cut so that no two cuts share a packet. */
export function* cutInsideCharacters(lines: Iterable<PuterLine>): Iterable<ModelStep> {
  const bytes = new TextEncoder().encode(Array.from(lines, encodeLine).join(''));
  let start = 0;
  for (const [at, byte] of bytes.entries()) {
    const leadsACharacter = byte >= 0xc0;
    if (!leadsACharacter) continue;
    yield { bytes: bytes.subarray(start, at + 1) };
    yield { waitMs: 5 };
    start = at + 1;
  }
  yield { bytes: bytes.subarray(start) };
}
