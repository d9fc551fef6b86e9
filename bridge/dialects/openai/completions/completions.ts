import { parseBody } from '../../../http/body.ts';
import type { Route } from '../../../http/route.ts';
import { reportError } from '../errors.ts';
import { respond, type Means } from '../respond.ts';
import { readQuestion, requestSchema } from './request.ts';
import { createShape } from './shape.ts';

/** `POST /v1/completions`, OpenAI's older route, which editors still complete code with. */
export const createCompletionsRoutes = (means: Means): Route[] =>
  ['/v1/completions', '/completions'].map((path) => ({
    method: 'POST',
    path,
    reportError,
    async handle(exchange) {
      const { question, echoes } = readQuestion(parseBody(requestSchema, await exchange.json()));
      return respond(exchange, { question, shape: createShape(echoes), means });
    },
  }));
