import type { Usage } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { parseBody } from '../../../http/body.ts';
import { readCaller } from '../../../http/caller.ts';
import { toBridgeError } from '../../../http/reply.ts';
import type { EventStream, Exchange, Reply, Route } from '../../../http/route.ts';
import type { Dispatcher } from '../../../lifecycle/dispatcher.ts';
import { readChoice, type ChoiceEvent } from './answer.ts';
import { errorBody, reportError } from '../errors.ts';
import { describeFidelity, refuseUncarried, requestSchema, stopsOf, toChatRequest, type Body } from './request.ts';

/** OpenAI's own clients give up after this long. */
const timeoutMs = 10 * 60_000;
/** How long a stream may be silent. */
const keepAliveMs = 10_000;

/** `POST /v1/chat/completions`, as OpenAI's clients speak it: whole or streamed. */
export function createChatCompletionsRoutes(options: { dispatcher: Dispatcher; now: () => number }): Route[] {
  const { dispatcher, now } = options;

  async function handle(exchange: Exchange): Promise<Reply | undefined> {
    const body = parseBody(requestSchema, await exchange.json());
    refuseUncarried(body);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(timedOut()), timeoutMs);
    try {
      const choices = submit(dispatcher, body, readCaller(exchange.headers), [exchange.hangUp, deadline.signal]);
      const id = `chatcmpl-${choices[0]?.requestId}`;
      const about: About = { id, created: Math.floor(now() / 1000), model: body.model ?? 'default' };
      exchange.setHeaders({ 'x-request-id': id, 'x-puter-bridge-fidelity': describeFidelity(body) });
      if (body.stream !== true) return { status: 200, body: await answerWhole(choices, about) };
      await answerStream({ choices, about, body, open: exchange.startEvents });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  return ['/v1/chat/completions', '/chat/completions'].map((path) => ({ method: 'POST', path, handle, reportError }));
}

interface Choice {
  requestId: string;
  events: AsyncGenerator<ChoiceEvent>;
  cancel(message: string): void;
}

interface About {
  id: string;
  created: number;
  model: string;
}

const timedOut = () => new BridgeError('timed_out', 'No whole answer came within ten minutes.');

/** Every choice is a call of its own. */
function submit(dispatcher: Dispatcher, body: Body, caller: string | null, ends: AbortSignal[]): Choice[] {
  const chat = toChatRequest(body);
  return Array.from({ length: body.n ?? 1 }, () => {
    const stop = new AbortController();
    const { requestId, events } = dispatcher.submit(chat, AbortSignal.any([...ends, stop.signal]), caller);
    const cancel = (message: string) => stop.abort(new BridgeError('cancelled', message));
    return { requestId, events: readChoice(events, stopsOf(body), () => cancel('The text ended at a stop.')), cancel };
  });
}

const cancelAll = (choices: readonly Choice[]): void => {
  for (const { cancel } of choices) cancel('Another choice of the same request failed.');
};

async function answerWhole(choices: readonly Choice[], about: About): Promise<object> {
  try {
    const answers = await Promise.all(choices.map(({ events }) => collect(events)));
    return {
      ...about,
      object: 'chat.completion',
      model: answers[0]?.model ?? about.model,
      choices: answers.map(({ text, reasoning, toolCalls, finishReason }, index) => ({
        index,
        message: {
          role: 'assistant',
          content: text === '' && toolCalls.length > 0 ? null : text,
          refusal: null,
          ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
          ...(reasoning !== '' && { reasoning_content: reasoning }),
        },
        logprobs: null,
        finish_reason: finishReason,
      })),
      usage: addUsage(answers.map(({ usage }) => usage)),
    };
  } catch (error) {
    cancelAll(choices);
    throw error;
  }
}

async function collect(events: AsyncIterable<ChoiceEvent>) {
  const answer = { text: '', reasoning: '', toolCalls: [] as object[] };
  for await (const event of events) {
    if (event.type === 'finish') return { ...answer, ...event.end };
    if (event.type === 'tool_call') answer.toolCalls.push(toToolCall(event));
    else answer[event.type] += event.text;
  }
  throw new BridgeError('internal_error', 'The answer ended without an end. Please report this.');
}

const toToolCall = ({ id, name, arguments: args }: Extract<ChoiceEvent, { type: 'tool_call' }>) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

/** The sum over all choices; null where Puter did not count one of them. */
function addUsage(usages: readonly (Usage | null)[]) {
  const sum = usages.reduce<Usage | null>(
    (total, usage) =>
      total &&
      usage && {
        inputTokens: total.inputTokens + usage.inputTokens,
        outputTokens: total.outputTokens + usage.outputTokens,
      },
    { inputTokens: 0, outputTokens: 0 },
  );
  return (
    sum && {
      prompt_tokens: sum.inputTokens,
      completion_tokens: sum.outputTokens,
      total_tokens: sum.inputTokens + sum.outputTokens,
    }
  );
}

/** Headers leave with the first event, so that a failure before it still has a status of its own. */
async function answerStream(options: {
  choices: readonly Choice[];
  about: About;
  body: Body;
  open: () => EventStream;
}): Promise<void> {
  const { choices, about, body, open } = options;
  const wantsUsage = body.stream_options?.include_usage === true;
  const usages: (Usage | null)[] = [];
  let stream: EventStream | undefined;
  let isSilent = true;
  // Some programs and proxies take a silence for the end; after one, a failure can only be told in the stream.
  const keepAlive = setInterval(() => {
    if (isSilent) (stream ??= open()).sendRaw(': keep-alive');
    isSilent = true;
  }, keepAliveMs);

  function send(index: number, delta: object, finishReason: string | null = null): void {
    stream ??= open();
    isSilent = false;
    const choice = { index, delta, logprobs: null, finish_reason: finishReason };
    stream.send({ ...about, object: 'chat.completion.chunk', choices: [choice], ...(wantsUsage && { usage: null }) });
  }

  async function pass({ events }: Choice, index: number): Promise<void> {
    let hasBegun = false;
    let calls = 0;
    for await (const event of events) {
      if (!hasBegun) send(index, { role: 'assistant', content: '', refusal: null });
      hasBegun = true;
      if (event.type === 'text') send(index, { content: event.text });
      else if (event.type === 'reasoning') send(index, { reasoning_content: event.text });
      else if (event.type === 'tool_call') send(index, { tool_calls: [{ index: calls++, ...toToolCall(event) }] });
      else {
        usages.push(event.end.usage);
        send(index, {}, event.end.finishReason);
      }
      // Whoever reads slowly slows the answer down, all the way to the extension.
      await stream?.ready();
    }
  }

  try {
    await Promise.all(choices.map(pass));
    if (wantsUsage) {
      stream?.send({ ...about, object: 'chat.completion.chunk', choices: [], usage: addUsage(usages) });
    }
    stream?.sendRaw('data: [DONE]');
    stream?.end();
  } catch (error) {
    cancelAll(choices);
    if (!stream) throw error;
    // Without [DONE], so that nobody takes it for a whole answer.
    stream.send(errorBody(toBridgeError(error)));
    stream.end();
  } finally {
    clearInterval(keepAlive);
  }
}
