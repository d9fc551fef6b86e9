import { parseBody } from '../../../http/body.ts';
import type { Route } from '../../../http/route.ts';
import { reportError } from '../errors.ts';
import { respond, type Means } from '../respond.ts';
import { readQuestion, requestSchema } from './request.ts';
import { shape } from './shape.ts';

/** `POST /v1/chat/completions`, as OpenAI's clients speak it: whole or streamed. */
export const createChatCompletionsRoutes = (means: Means): Route[] =>
  ['/v1/chat/completions', '/chat/completions'].map((path) => ({
    method: 'POST',
    path,
    reportError,
    async handle(exchange) {
      const body = parseBody(requestSchema, await exchange.json());
      return respond(exchange, { question: readQuestion(body), shape, means });
    },
  }));
