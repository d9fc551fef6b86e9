/** The entry of the thread that checks values against the JSON Schemas of callers. */

import { parentPort } from 'node:worker_threads';

import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

import type { JsonSchema, SchemaJob, SchemaResult } from './schemas.ts';

/** A schema is asked for when its request begins, and again for each answer. */
const compiled = new Map<string, ValidateFunction>();
const maxCompiled = 50;

/** What Unicode's stricter grammar refuses may be a pattern all the same: `\-`, as Python's re.escape writes. */
function readPattern(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return new RegExp(pattern);
  }
}

const regExp = Object.assign(readPattern, { code: 'readPattern' });

function compile(given: JsonSchema): ValidateFunction {
  // Named, it would be looked up; and a draft that is not named is the one that OpenAI speaks.
  const { $schema: draft, ...schema } = given;
  const options = { strict: false, allErrors: true, logger: false, code: { regExp } } as const;
  const ajv = typeof draft === 'string' && draft.includes('draft-0') ? new Ajv(options) : new Ajv2020(options);
  formats(ajv);
  // A promise of a verdict would be taken for a good one, and break the thread where it is none.
  return ajv.compile({ ...schema, $async: false });
}

function find(schema: JsonSchema): ValidateFunction {
  const key = JSON.stringify(schema);
  const validate = compiled.get(key) ?? compile(schema);
  // The latest stands last, the one to forget first.
  compiled.delete(key);
  compiled.set(key, validate);
  for (const oldest of compiled.keys()) if (compiled.size > maxCompiled) compiled.delete(oldest);
  return validate;
}

function check(job: SchemaJob): SchemaResult {
  let validate: ValidateFunction;
  try {
    validate = find(job.schema);
  } catch (error) {
    return { invalid: error instanceof Error ? error.message : 'it cannot be read' };
  }
  if (!('value' in job) || validate(job.value)) return { problem: null };
  const errors = (validate.errors ?? []).slice(0, 5);
  const list = errors.map(({ instancePath, message = 'is wrong' }) => `${instancePath || 'the value'} ${message}`);
  return { problem: `it does not fit the schema: ${list.join('; ')}` };
}

parentPort?.on('message', (job: SchemaJob) => parentPort?.postMessage(check(job)));
