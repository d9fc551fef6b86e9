import type { ResponseFormat } from '#shared/chat.ts';

import type { Check } from './check.ts';
import type { Schemas } from './schemas.ts';
import { unusable } from './unusable.ts';

/** A check that lets an answer through as bare JSON that fits. Rejects with `invalid_request` where the schema is none. */
export async function createJsonCheck(format: ResponseFormat, schemas: Schemas): Promise<Check> {
  const schema = format.type === 'json_schema' ? await schemas.open(format.schema) : null;
  const isStrict = format.type === 'json_schema' && format.strict;

  async function problemOf(value: unknown): Promise<string | null> {
    if (!schema) return isObject(value) ? null : 'it is JSON, but not a JSON object';
    try {
      return await schema.problemOf(value);
    } catch (error) {
      if (isStrict) throw error;
      // It is paid for, and would go out in the end even if it did not fit.
      return null;
    }
  }

  return {
    async judge(answer) {
      // A model that calls a tool first has its JSON still to give.
      if (answer.toolCalls.length > 0) return { answer };
      const found = findJson(answer.text);
      if (!found) return { problem: 'it is not valid JSON' };
      const problem = await problemOf(found.value);
      return problem === null ? { answer: { ...answer, text: found.text } } : { problem };
    },
    settle(answer, problem) {
      const found = findJson(answer.text);
      // Plain words, twice, where JSON was asked for: the model will not.
      if (!found && isProse(answer.text)) return { ...answer, text: '', refusal: answer.text };
      if (!found || isStrict || !schema) throw unusable(problem);
      return { ...answer, text: found.text };
    },
  };
}

/** The JSON in an answer: bare, in a fence of Markdown, or with words around it. */
function findJson(text: string): { text: string; value: unknown } | null {
  const said = afterThoughts(text).trim();
  // As it is first: what looks like the end of thoughts may stand in a text of the JSON.
  for (const candidate of new Set([text.trim(), said, insideFence(said), insideWords(said)])) {
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
