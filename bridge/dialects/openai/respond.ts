import type { ChatEvent, ChatRequest, Usage } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import type { Caller, Chat, Chats } from '../../chat/chats.ts';
import type { WholeAnswer } from '../../chat/collect.ts';
import { Ending, timedOut } from '../../chat/ending.ts';
import type { Source } from '../../flow.ts';
import { readCaller } from '../../http/caller.ts';
import { toBridgeError } from '../../http/reply.ts';
import type { EventStream, Exchange, Reply } from '../../http/route.ts';
import type { IdPrefix } from '../../id-prefix.ts';
import { onceBegun } from '../../lifecycle/never-started.ts';
import { timeOf } from '../../new-id.ts';
import type { StartTimer } from '../../timers.ts';
import { errorBody } from './errors.ts';
import { toUsageBody } from './usage.ts';

/** How long a stream may be silent. */
const keepAliveMs = 10_000;

/** What every body of one answer says first. `created` is in seconds since 1970. */
export interface About {
  id: string;
  created: number;
  model: string;
}

/** How one route puts answers into words. */
export interface Shape {
  /** What its ids begin with. */
  prefix: IdPrefix;
  whole(about: About, answers: readonly WholeAnswer[]): object;
  /** Takes the events of one choice, and sends what a chunk says of it: for an event nothing, or once, or more often. */
  teller(index: number, send: (choice: object) => void): (event: ChatEvent) => void;
  chunk(about: About & { usage?: null }, choices: object[]): object;
}

/** Asked for by one body: each request becomes a choice, and a call of its own. */
export interface Question {
  requests: readonly ChatRequest[];
  model: string | null;
  priority: Caller['priority'] | null;
  isStream: boolean;
  wantsUsage: boolean;
  fidelity: string;
}

/** What every answer is made with. */
export interface Means {
  chats: Chats;
  deadlineMs: number;
  startTimer: StartTimer;
}

/** Answers, whole or streamed; a failure before the first event is thrown, one after it ends the stream. */
export async function respond(
  exchange: Exchange,
  options: { question: Question; shape: Shape; means: Means },
): Promise<Reply | undefined> {
  const { question, shape, means } = options;
  const { chats, deadlineMs, startTimer } = means;
  const caller = readCaller(exchange, question);
  const ending = new Ending({ startTimer, timeoutMs: deadlineMs, timedOut, revoked: exchange.revoked });
  const choices: Chat[] = [];
  try {
    for (const [index, request] of question.requests.entries()) {
      // Each choice is a chat of its own, and told apart from the others under one key.
      const key = caller.key === null || index === 0 ? caller.key : `${caller.key}#${index}`;
      const chat = await chats.begin(request, {
        hangUp: exchange.hangUp,
        caller: { ...caller, key },
        choices: question.requests.length,
      });
      ending.add(chat);
      choices.push(chat);
    }
    const [first] = choices;
    const id = `${shape.prefix}${first?.id}`;
    // Not when it is asked for: the same chat says the same, however often that is.
    const created = Math.floor(timeOf(first?.id ?? '') / 1000);
    const about: About = { id, created, model: question.model ?? 'default' };
    exchange.setHeaders({
      'x-request-id': id,
      'x-puter-bridge-fidelity': question.fidelity,
      ...(first?.isReplay && { 'Idempotency-Replayed': 'true' }),
    });
    if (question.isStream) return await answerStream({ choices, about, question, shape, exchange, ending });
    const answers = await Promise.all(choices.map((choice) => choice.whole()));
    const usage = toUsageBody(answers.map((answer) => answer.usage));
    const body = shape.whole({ ...about, model: answers[0]?.model ?? about.model }, answers);
    return { status: 200, body: { ...body, ...(usage && { usage }) } };
  } catch (error) {
    ending.end(otherFailed());
    // One that never started is no reason to send all of them again.
    const isBegun = question.requests.length > 1 && choices.some((it) => it.wentOut());
    throw isBegun && error instanceof BridgeError ? BridgeError.from(onceBegun(error.failure)) : error;
  } finally {
    ending.release();
  }
}

const otherFailed = () => new BridgeError('cancelled', 'Another choice of the same request failed.');

/** Headers leave with the first event, so that a failure before it still has a status of its own. */
async function answerStream(options: {
  choices: readonly Chat[];
  about: About;
  question: Question;
  shape: Shape;
  exchange: Pick<Exchange, 'startEvents'>;
  ending: Ending;
}): Promise<undefined> {
  const { choices, about, question, shape, exchange, ending } = options;
  const usages: (Usage | null)[] = [];
  const aboutChunk = question.wantsUsage ? { ...about, usage: null } : about;
  const sources = choices.map((choice) => choice.read());
  let stream: EventStream | undefined;
  let isSilent = true;
  let turn = 0;
  const start = () =>
    (stream ??= exchange.startEvents(() => {
      // The first fills what has drained, so each is that in its turn.
      turn += 1;
      for (const at of sources.keys()) sources[(turn + at) % sources.length]?.resume();
    }));
  // Some programs and proxies take a silence for the end; after one, a failure can only be told in the stream.
  const keepAlive = setInterval(() => {
    if (isSilent) start().sendRaw(': keep-alive');
    isSilent = true;
  }, keepAliveMs);

  const pass = (source: Source<ChatEvent>, index: number) =>
    new Promise<void>((resolve, reject) => {
      const tell = shape.teller(index, (choice) => {
        isSilent = false;
        start().send(shape.chunk(aboutChunk, [choice]));
      });
      source.pipe({
        write(event) {
          tell(event);
          if (event.type === 'finish') {
            usages.push(event.usage);
            resolve();
          }
          // A caller that reads slowly holds its call up, instead of filling our memory.
          return !start().isFull();
        },
        fail: reject,
      });
      source.resume();
    });

  try {
    await Promise.all(sources.map(pass));
    const events = start();
    if (question.wantsUsage) events.send({ ...shape.chunk(about, []), usage: toUsageBody(usages) });
    events.sendRaw('data: [DONE]');
    events.end();
  } catch (error) {
    if (!stream) throw error;
    ending.end(otherFailed());
    // Without [DONE], so that nobody takes it for a whole answer.
    stream.send(errorBody(toBridgeError(error)));
    stream.end();
  } finally {
    clearInterval(keepAlive);
  }
}
