import type { ValidateFunction } from 'ajv';

import type { ResponseFormat } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import type { Check } from './check.ts';
import { unusable } from './unusable.ts';

/** A check that lets an answer through as bare JSON that fits. Rejects with `invalid_request` where the schema is none. */
export async function createJsonCheck(format: ResponseFormat): Promise<Check> {
  const validate = format.type === 'json_schema' ? await compile(format.schema) : undefined;
  const isStrict = format.type === 'json_schema' && format.strict;

  function problemOf(value: unknown): string | null {
    if (!validate) return isObject(value) ? null : 'it is JSON, but not a JSON object';
    if (validate(value)) return null;
    const errors = (validate.errors ?? []).slice(0, 5);
    const list = errors.map(({ instancePath, message = 'is wrong' }) => `${instancePath || 'the value'} ${message}`);
    return `it does not fit the schema: ${list.join('; ')}`;
  }

  return {
    judge(answer) {
      // A model that calls a tool first has its JSON still to give.
      if (answer.toolCalls.length > 0) return { answer };
      const found = findJson(answer.text);
      if (!found) return { problem: 'it is not valid JSON' };
      const problem = problemOf(found.value);
      return problem === null ? { answer: { ...answer, text: found.text } } : { problem };
    },
    settle(answer, problem) {
      const found = findJson(answer.text);
      // Plain words, twice, where JSON was asked for: the model will not.
      if (!found && isProse(answer.text)) return { ...answer, text: '', refusal: answer.text };
      if (!found || isStrict || !validate) throw unusable(problem);
      return { ...answer, text: found.text };
    },
  };
}

/** Loaded with the first schema: most bridges never see one. */
async function compile(given: Record<string, unknown>): Promise<ValidateFunction> {
  const [{ Ajv }, { Ajv2020 }, { default: formats }] = await Promise.all([
    import('ajv'),
    import('ajv/dist/2020.js'),
    import('ajv-formats'),
  ]);
  // Named, it would be looked up; and a draft that is not named is the one that OpenAI speaks.
  const { $schema: draft, ...schema } = given;
  const options = { strict: false, allErrors: true, logger: false } as const;
  const ajv = typeof draft === 'string' && draft.includes('draft-0') ? new Ajv(options) : new Ajv2020(options);
  formats(ajv);
  try {
    return ajv.compile(schema);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be read';
    throw new BridgeError('invalid_request', `“response_format” has no valid JSON Schema: ${reason}.`, {
      param: 'response_format',
      cause,
    });
  }
}

/** The JSON in an answer: bare, in a fence of Markdown, or with words around it. */
function findJson(text: string): { text: string; value: unknown } | null {
  const said = afterThoughts(text).trim();
  for (const candidate of [said, insideFence(said), insideWords(said)]) {
    if (candidate === undefined) continue;
    try {
      return { text: candidate.trim(), value: JSON.parse(candidate) as unknown };
    } catch {
      // The next one may be.
    }
  }
  return null;
}

// By hand, and not by patterns: on a long answer without an end, those would look for it from every beginning.

/** What stands in the first fence for JSON, or for nothing that is named. */
function insideFence(text: string): string | undefined {
  let start = -1;
  for (let open = text.indexOf(fence); open !== -1; open = text.indexOf(fence, open + fence.length)) {
    if (start < open) start = text.indexOf('\n', open);
    if (start === -1) return undefined;
    const kind =
      start - open > 100
        ? 'prose'
        : text
            .slice(open + fence.length, start)
            .trim()
            .toLowerCase();
    if (kind !== '' && kind !== 'json') continue;
    const end = text.indexOf(fence, start);
    return end === -1 ? undefined : text.slice(start, end);
  }
  return undefined;
}

const fence = '```';

/** From the first bracket that opens to the last that closes. */
function insideWords(text: string): string | undefined {
  const start = text.search(/[{[]/);
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'));
  return start !== -1 && start < end ? text.slice(start, end + 1) : undefined;
}

/** Some models think aloud first. */
const afterThoughts = (text: string): string => text.split('</think>').at(-1) ?? text;

/** Neither nothing nor JSON that went wrong. */
const isProse = (text: string): boolean => /^\s*[^\s{[`]/.test(afterThoughts(text));

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
