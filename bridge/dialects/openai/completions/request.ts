import * as v from 'valibot';

import type { ChatRequest } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { given, text } from '../../../http/fields.ts';
import { common, optional, textOr, toCommon, yesOrNo } from '../fields.ts';
import { describeFidelity, refuseUncarried, type Treatment } from '../fidelity.ts';
import type { Question } from '../respond.ts';

/** The body of `POST /v1/completions`, as far as it is carried. */
export const requestSchema = v.looseObject({
  ...common,
  prompt: optional(
    textOr(
      v.pipe(
        v.array(v.pipe(v.string('must be a text: tokens are not carried'), text)),
        v.minLength(1, 'must have at least one text'),
        v.maxLength(8, 'must have at most eight texts'),
      ),
    ),
  ),
  suffix: optional(text),
  echo: optional(yesOrNo),
});

type Body = v.InferOutput<typeof requestSchema>;

/** What would change the answer and cannot be carried: better no answer than another one. */
const refused = new Set(['logprobs', 'logit_bias', 'seed']);
/** Puter offers chats alone, so a model is told to go on with a text, and every choice is a call of its own. */
const emulated = new Set(['prompt', 'suffix', 'echo', 'n', 'stop', 'best_of', 'priority']);
const maxChoices = 8;

/** The question, and what each choice begins with: the prompt where the caller wants it repeated. */
export function readQuestion(body: Body): { question: Question; echoes: string[] } {
  refuseUncarried(body, refused);
  const { n, best_of: bestOf = null } = body;
  // The best of as many as are asked for is all of them.
  if (bestOf !== null && bestOf !== (n ?? 1)) {
    throw new BridgeError('invalid_request', '“best_of” must be the same as “n”: nobody here can tell which is best.', {
      param: 'best_of',
    });
  }
  const prompts = [body.prompt ?? ''].flat();
  const all = prompts.flatMap((prompt) => Array.from({ length: n ?? 1 }, () => prompt));
  if (all.length > maxChoices) {
    throw new BridgeError('invalid_request', `“n” times the prompts must be at most ${maxChoices}.`, { param: 'n' });
  }
  return {
    question: {
      requests: all.map((prompt) => toChatRequest(prompt, body)),
      model: body.model ?? null,
      priority: body.priority ?? null,
      isStream: body.stream === true,
      wantsUsage: body.stream_options?.include_usage === true,
      fidelity: describeFidelity(body, treatmentOf),
    },
    echoes: all.map((prompt) => (body.echo === true ? prompt : '')),
  };
}

function treatmentOf(param: string): Treatment {
  if (emulated.has(param)) return 'emulated';
  return param in requestSchema.entries ? 'native' : 'ignored';
}

const goOn =
  'You complete text. The user gives you the beginning of a text. Answer with what comes next, and with nothing else: no explanation, no Markdown fence, and do not repeat the beginning.';
const fillIn =
  'You complete text. The user gives you a text with a gap, marked <gap/>. Answer with what stands in the gap, and with nothing else: no explanation, no Markdown fence, and repeat nothing of what stands around it.';

const toChatRequest = (prompt: string, body: Body): ChatRequest => ({
  // In this order: whether a request is the same as one before is told by its JSON.
  ...given({ ...toCommon(body), maxTokens: body.max_tokens }),
  messages: body.suffix
    ? [
        { role: 'system', content: fillIn },
        { role: 'user', content: `${prompt}<gap/>${body.suffix}` },
      ]
    : [
        { role: 'system', content: goOn },
        { role: 'user', content: prompt },
      ],
});
