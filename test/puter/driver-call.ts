import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

import type { CallLog } from './call-log.ts';
import { encodeLine, type ModelStep } from './model-steps.ts';
import { findModel, isRecord, type PuterModel } from './models.ts';
import { type Refusal, refuse } from './refusals.ts';
import { sendJson, sendRefusal, startStream } from './replies.ts';
import type { Sessions } from './sessions.ts';

export interface DriverOptions {
  sessions: Sessions;
  log: CallLog;
  defaultModel: string | null;
  concurrency: number;
}

interface Question {
  token: string;
  /** As asked, or the default. */
  name: string;
  model: PuterModel;
  args: Record<string, unknown>;
  messages: unknown[];
}

/** `POST /drivers/call`: one call of a model, whole or streamed. */
export function createDriver({ sessions, log, defaultModel, concurrency }: DriverOptions) {
  const attempts = new Map<string, number>();

  /** Checks in Puter's order: a body without JSON is refused before a missing token, an unknown model before messages. */
  function read(json: string, headerToken: string | null): Question | Refusal {
    const body = parse(json);
    if (!isRecord(body)) return refuse('client_bad_json');
    const token = typeof body['auth_token'] === 'string' ? body['auth_token'] : headerToken;
    const refused = sessions.refusal(token) ?? refuseRoute(body);
    if (refused !== null || token === null) return refused ?? refuse('token_missing');

    const args = isRecord(body['args']) ? body['args'] : {};
    const name = typeof args['model'] === 'string' ? args['model'] : defaultModel;
    const model = name === null ? null : findModel(name);
    // The word `undefined` is Puter's own, where neither the call nor the server names a model.
    if (name === null || model === null) return refuse('bad_request', `Model not found: ${name ?? 'undefined'}`);

    const messages: unknown[] = Array.isArray(args['messages']) ? args['messages'] : [];
    if (!messages.every(hasContent)) return refuse('bad_request', "each message must have a 'content' property");
    if (log.running() >= concurrency) {
      // Read in Puter's source; the captured 429 says "Too many requests." where calls per ten seconds ran out.
      return refuse('too_many_requests', 'Too many concurrent requests.');
    }
    return { token, name, model, args, messages };
  }

  return async function answerCall(req: IncomingMessage, res: ServerResponse, headerToken: string | null) {
    const question = read(await text(req), headerToken);
    if ('status' in question) return sendRefusal(req, res, question);
    const { token, name, model, args, messages } = question;
    const stream = args['stream'] === true;
    const attempt = (attempts.get(model.id) ?? 0) + 1;
    attempts.set(model.id, attempt);
    log.open(res, { model: name, stream, messages, args, token });

    const maxTokens = typeof args['max_tokens'] === 'number' ? { maxTokens: args['max_tokens'] } : {};
    const tools = toolNamesOf(args['tools']);
    await play(req, res, model, model.answer({ model: name, stream, messages, tools, attempt, ...maxTokens }));
  };
}

async function play(req: IncomingMessage, res: ServerResponse, model: PuterModel, steps: Iterable<ModelStep>) {
  const hangUp = new AbortController();
  res.once('close', () => hangUp.abort());
  for (const step of steps) {
    if (res.destroyed) return;
    if (step === 'drop') return void res.destroy();
    if (step === 'hang') return void (await once(res, 'close'));
    if ('refusal' in step) return sendRefusal(req, res, step.refusal);
    if ('whole' in step) {
      // puter.js hands on `result` alone; the rest is here because Puter sends it.
      const metadata = { service_used: model.provider, providerUsed: model.id };
      return sendJson(req, res, 200, { success: true, result: step.whole, service: { name: 'ai-chat' }, metadata });
    }
    if ('waitMs' in step) await delay(step.waitMs, undefined, { signal: hangUp.signal }).catch(() => undefined);
    else await write(req, res, 'line' in step ? encodeLine(step.line) : step.bytes);
  }
  // A stream without a line still is an answer.
  if (!res.headersSent) startStream(req, res);
  res.end();
}

/** Resolves once the bytes left for the network, so that a drop right after does not swallow them. */
async function write(req: IncomingMessage, res: ServerResponse, bytes: string | Uint8Array): Promise<void> {
  if (!res.headersSent) startStream(req, res);
  const { promise, resolve } = Promise.withResolvers<void>();
  res.write(bytes, () => resolve());
  await promise;
}

function refuseRoute(body: Record<string, unknown>): Refusal | null {
  const { interface: name, driver = 'ai-chat', method } = body;
  if (typeof name !== 'string') return refuse('bad_request', 'Missing or invalid `interface`');
  if (typeof method !== 'string') return refuse('bad_request', 'Missing or invalid `method`');
  if (name !== 'puter-chat-completion' || driver !== 'ai-chat') {
    return refuse('not_found', `Driver not found: ${name}:${String(driver)}`);
  }
  return method === 'complete' ? null : refuse('not_found', `Method '${method}' not found on driver '${name}'`);
}

/** Empty content is refused, except beside tool calls. */
function hasContent(message: unknown): boolean {
  return isRecord(message) ? Boolean(message['content']) || Array.isArray(message['tool_calls']) : Boolean(message);
}

/** Of tools in OpenAI's shape. */
export function toolNamesOf(tools: unknown): string[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => {
    const declared = isRecord(tool) ? tool['function'] : undefined;
    return isRecord(declared) && typeof declared['name'] === 'string' ? [declared['name']] : [];
  });
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
