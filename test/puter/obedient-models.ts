import { collected, reasoning, text, toolUse, usage, type ModelStep } from './model-steps.ts';
import { isRecord, lastTextOf, textOf, type ModelCall, type PuterModel } from './models.ts';
import { refuse } from './refusals.ts';

type Answer = PuterModel['answer'];

const counted = usage({ prompt_tokens: 11, completion_tokens: 7, usd_cents: 0.01 });

const say =
  (...steps: ModelStep[]): Answer =>
  (call) =>
    call.stream ? [...steps, counted] : collected([...steps, counted]);

/** The bridge found fault with the first answer. */
const isAskedAgain = ({ messages }: ModelCall): boolean =>
  lastTextOf(messages).startsWith('Your answer cannot be used');
/** The system tells it to call a tool. */
const isToldToCall = ({ messages }: ModelCall): boolean =>
  messages.some((it) => isRecord(it) && it['role'] === 'system' && textOf(it['content']).includes('with a call of'));

const weather = '{"city":"Paris","celsius":21}';
const callTool = ({ tools }: ModelCall, extra = {}): ModelStep =>
  toolUse('call_1', tools[0] ?? 'none', { city: 'Paris' }, extra);

/** Asks a tool once, and says what came of it. */
const agent =
  (ask: (call: ModelCall) => ModelStep[]): Answer =>
  (call) => {
    const result = call.messages.findLast((it) => isRecord(it) && it['role'] === 'tool');
    return isRecord(result) ? say(text(`The tool says: ${textOf(result['content'])}`))(call) : say(...ask(call))(call);
  };

/** Models that do what they are told, at once, late or never: JSON on demand, and calls of the first tool offered. */
export const obedientModels: Record<string, Answer> = {
  json: say(text('{"city":"Par'), text('is","celsius":21}')),

  'json-in-prose': say(
    text('<think>An {object}?</think>Sure, here it is:\n```json\n'),
    text(`${weather}\n`),
    text('```\nAnything else?'),
  ),

  'json-late': (call) => say(text(isAskedAgain(call) ? weather : 'It is warm in Paris.'))(call),

  'json-misfit': say(text('{"city":7}')),

  'json-misfit-first': (call) => say(text(isAskedAgain(call) ? weather : '{"city":7}'))(call),

  'json-never': say(text('I will not answer that.')),

  'json-cut': (call) =>
    call.stream ? say(text('{"city":"Pa'))(call) : collected([text('{"city":"Pa'), counted], 'length'),

  /** Calls a tool where the system tells it to, and talks otherwise. */
  'tools-when-told': (call) => say(isToldToCall(call) ? callTool(call) : text('I would rather talk.'))(call),

  /** The same, with what a schema of a place takes. */
  'place-when-told': (call) =>
    say(isToldToCall(call) ? toolUse('call_1', call.tools[0] ?? 'none', { city: 'Paris', celsius: 21 }) : text('No.'))(
      call,
    ),

  'tools-late': (call) => say(isAskedAgain(call) ? callTool(call) : text('I would rather talk.'))(call),

  'tools-never': say(text('I would rather talk.')),

  agent: agent((call) => [callTool(call)]),

  /** Refuses what it said itself without the thoughts behind it. */
  'deepseek-agent'(call) {
    const isThoughtless = call.messages.some(
      (it) => isRecord(it) && it['role'] === 'assistant' && !it['reasoning_content'],
    );
    if (isThoughtless) return [{ refusal: refuse('upstream_bad_request', 'The thoughts must be passed back.') }];
    return agent(() => [reasoning('I must ask.'), callTool(call)])(call);
  },

  /** Signs its calls. */
  'gemini-3-agent': agent((call) => [callTool(call, { extra_content: { google: { thought_signature: 'sealed' } } })]),

  /**
   * Calls the tool that the person names, as in `call read {"path":"a.txt"}`, and says what came of it: for agents that
   * offer many, of whom some quote what the person said.
   */
  caller(call) {
    const result = call.messages.at(-1);
    if (isRecord(result) && result['role'] === 'tool')
      return say(text(`The tool says: ${textOf(result['content'])}`))(call);
    const [, name, input] = /\bcall (\S+) (\{.*\})/.exec(lastTextOf(call.messages).replaceAll('\\"', '"')) ?? [];
    if (name === undefined || input === undefined) return say(text('Nothing to call.'))(call);
    return say(toolUse('call_1', name, JSON.parse(input)))(call);
  },

  /** As some local servers do: calls without ids, arguments as a text. */
  'nameless-calls': (call) =>
    call.stream
      ? [toolUse('', 'get_weather', { city: 'Paris' }), counted]
      : collected([toolUse('', 'get_weather', { city: 'Paris' }), toolUse('', 'get_time', {}), counted]),
};
