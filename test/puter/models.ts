import {
  anthropicWhole,
  collected,
  cutInsideCharacters,
  type ModelStep,
  type PuterLine,
  reasoning,
  text,
  toolUse,
  usage,
} from './model-steps.ts';
import { listedModels } from './model-list.ts';
import { obedientModels } from './obedient-models.ts';
import { isRefusalCode, refuse, refuseModel } from './refusals.ts';

/** What a model is asked. */
export interface ModelCall {
  /** The name as asked, which may be an alias. */
  model: string;
  stream: boolean;
  messages: unknown[];
  /** The names of the tools that it may call. */
  tools: string[];
  /** In words here, where a real model counts tokens. */
  maxTokens?: number;
  /** 1 for the first call of this model on this stand-in. */
  attempt: number;
}

export interface PuterModel {
  id: string;
  provider: string;
  answer(call: ModelCall): Iterable<ModelStep>;
}

type Answer = PuterModel['answer'];

// One spelling of usage per family of providers. Nothing is counted.
const ollamaUsage = { prompt: 11, completion: 7, input_cache_read: 0, usd_cents: null };
const openAiUsage = { prompt_tokens: 11, completion_tokens: 7, usd_cents: 0.01 };
const anthropicUsage = { input_tokens: 11, output_tokens: 7, usd_cents: 0.02 };

export const utf8Lines: PuterLine[] = [
  { type: 'text', text: 'Grüße aus Zürich — ' },
  { type: 'text', text: '日本語のテキスト ' },
  { type: 'text', text: '🦊👩‍🚀 fin' },
];

const lorem = 'Lorem ipsum dolor sit amet, consectetur adipisicing elit, sed do eiusmod tempor incididunt ut labore.';
const bigBlock = '0123456789abcdef'.repeat(4096);

/** A model that answers in the OpenAI shape: told as a stream, and collected where the caller wants it whole. */
function streaming(stream: (call: ModelCall) => Iterable<ModelStep>): Answer {
  return (call) => (call.stream ? stream(call) : collected(stream(call)));
}

const answers: Record<string, Answer> = {
  echo(call) {
    const said = limit(`You said: ${lastTextOf(call.messages)}`, call.maxTokens);
    const steps = [...inChunks(said.words), usage(ollamaUsage)];
    return call.stream ? steps : collected(steps, said.cut ? 'length' : 'stop');
  },

  /** Listed as one that takes sounds and documents, too. */
  'all-ears': (call) => answers['echo']!(call),

  /** Ten seconds, or until the caller hangs up. */
  'slow-stream': streaming(function* () {
    for (let tick = 1; tick <= 100; tick++) {
      yield text(`tick ${tick} `);
      yield { waitMs: 100 };
    }
    yield usage(ollamaUsage);
  }),

  /** A word a second. */
  'two-minutes': streaming(function* () {
    for (let second = 1; second <= 120; second++) {
      yield text(`${second} `);
      yield { waitMs: 1000 };
    }
    yield usage(ollamaUsage);
  }),

  'long-stream': streaming(function* () {
    for (let chunk = 1; chunk <= 2000; chunk++) yield text(`${chunk} `);
    yield usage(openAiUsage);
  }),

  /** 1 MiB in 16 lines. */
  big: streaming(function* () {
    for (let block = 0; block < 16; block++) yield text(bigBlock);
    yield usage(ollamaUsage);
  }),

  /** 16 MiB in 256 lines: more than sockets and programs on the way keep. */
  huge: streaming(function* () {
    for (let block = 0; block < 256; block++) yield text(bigBlock);
    yield usage(ollamaUsage);
  }),

  utf8(call) {
    const lines: PuterLine[] = [...utf8Lines, { type: 'usage', usage: ollamaUsage }];
    return call.stream ? cutInsideCharacters(lines) : collected(lines.map((line) => ({ line })));
  },

  /** The same text, half a second later. */
  'slow-utf8': streaming(() => [...utf8Lines.map((line) => ({ line })), { waitMs: 500 }, usage(ollamaUsage)]),

  anthropic(call) {
    const said = limit(`You said: ${lastTextOf(call.messages)}`, call.maxTokens);
    if (call.stream) return [...inChunks(said.words), usage(anthropicUsage)];
    return [anthropicWhole('anthropic', said.words.join(''), said.cut ? 'max_tokens' : 'end_turn', anthropicUsage)];
  },

  /** Whole although a stream was asked for, as providers without streaming answer. */
  'whole-only': (call) => collected([text(`You said: ${lastTextOf(call.messages)}`), usage(openAiUsage)]),

  reasoning: streaming(() => [reasoning('think '), reasoning('think'), text('4'), text('2'), usage(ollamaUsage)]),

  tools: streaming(() => [toolUse('call_a', 'get_weather', { city: 'Paris' }), usage(ollamaUsage)]),

  /** Puter's stream keeps only the last of two parallel tool calls; the whole answer keeps both. */
  'parallel-tools'(call) {
    const last = toolUse('call_b', 'get_time', { tz: 'CET' });
    if (call.stream) return [text('Let me check. '), last, usage(ollamaUsage)];
    return collected([toolUse('call_a', 'get_weather', { city: 'Paris' }), last, usage(ollamaUsage)]);
  },

  fake(call) {
    if (call.stream) return [text(lorem), usage({ usd_cents: null })];
    return [anthropicWhole('fake', lorem, 'end_turn', { input_tokens: 0, output_tokens: 1, usd_cents: null })];
  },

  /** A prompt blocked by policy: the answer silently comes from `fake`. */
  blocked: (call) => answers['fake']!(call),

  /** The provider behind Puter fails in mid-answer: an error line under HTTP 200. */
  'fail-mid': streaming(() => [text('partial '), { line: { type: 'error', message: 'terminated' } }]),

  /**
   * The connection to Puter breaks in mid-answer. A browser that learns of the break before it read the first bytes knows
   * of no answer at all, so it is given the time.
   */
  drop: streaming(() => [text('partial '), { waitMs: 100 }, 'drop']),

  /** The same in the middle of a line. */
  'drop-in-line': streaming(() => [
    text('partial '),
    { bytes: new TextEncoder().encode('{"type":"text","te') },
    { waitMs: 100 },
    'drop',
  ]),

  /** Ends cleanly but without the usage line every complete stream has. */
  'no-usage': streaming(() => [text('partial ')]),

  /** Not even headers. */
  hang: () => ['hang'],

  'hang-mid': streaming(() => [text('partial '), 'hang']),

  /** Says the texts of the JSON array that it is asked, each as a line of its own. */
  pieces: streaming((call) => {
    const said = JSON.parse(lastTextOf(call.messages)) as string[];
    return [...said.map(text), usage(openAiUsage)];
  }),

  ...obedientModels,
};

// The names in wire/ of the models that stand behind the same behaviour here.
const capturedNames: Record<string, string> = {
  'ollama:ollama/stub-echo': 'echo',
  'ollama:ollama/stub-slow': 'slow-stream',
  'ollama:ollama/stub-utf8': 'utf8',
  'ollama:ollama/stub-reason': 'reasoning',
  'ollama:ollama/stub-tool1': 'tools',
  'ollama:ollama/stub-tools': 'parallel-tools',
  'ollama:ollama/stub-drop': 'fail-mid',
  'ollama:ollama/stub-429': 'fail:upstream_rate_limited',
  'ollama:ollama/stub-500': 'fail:upstream_provider_unavailable',
};

/**
 * The model a name stands for, or null. As on Puter, case does not matter and aliases count. Beside the ids above:
 * `fail:<code>` refuses with that code of the table in refusals.ts, `busy:<n>` refuses its first n calls with 429 and
 * then echoes (puter.js repeats a 429 by itself, after 250 and 500 ms first).
 */
export function findModel(name: string): PuterModel | null {
  const asked = name.trim().toLowerCase();
  const listed = listedModels.find(({ id, puterId, aliases }) => [id, puterId, ...(aliases ?? [])].includes(asked));
  const id = listed?.id ?? capturedNames[asked] ?? asked;
  const answer = Object.hasOwn(answers, id) ? answers[id] : parametrised(id);
  if (!answer) return null;
  return { id, provider: id === 'fake' || id === 'blocked' ? 'fake-chat' : (listed?.provider ?? 'ollama'), answer };
}

function parametrised(id: string): Answer | null {
  const [kind, argument = ''] = id.split(':', 2);
  if (kind === 'fail' && isRefusalCode(argument)) return (call) => [{ refusal: refuseModel(argument, call.model) }];
  if (kind === 'busy' && /^\d+$/.test(argument)) {
    return (call) =>
      call.attempt <= Number(argument) ? [{ refusal: refuse('too_many_requests') }] : answers['echo']!(call);
  }
  return null;
}

/** The text of the last message of the person. A message without role is theirs; content is text or parts. */
export function lastTextOf(messages: readonly unknown[]): string {
  const last = messages.findLast((message) => !isRecord(message) || (message['role'] ?? 'user') === 'user');
  return textOf(isRecord(last) ? last['content'] : last);
}

export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(textOf).join('');
  return isRecord(content) && typeof content['text'] === 'string' ? content['text'] : '';
}

function limit(said: string, maxWords = Infinity): { words: string[]; cut: boolean } {
  const words = said.match(/\S+\s*|\s+/g) ?? [];
  return { words: words.slice(0, maxWords), cut: words.length > maxWords };
}

/** At most four lines, however long the answer is. */
function inChunks(words: string[]): ModelStep[] {
  const size = Math.ceil(words.length / 4);
  const starts = Array.from({ length: Math.ceil(words.length / size) || 0 }, (_, chunk) => chunk * size);
  return starts.map((start) => text(words.slice(start, start + size).join('')));
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
