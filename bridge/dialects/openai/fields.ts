import * as v from 'valibot';

import { numberFrom, priority, text, wholeFrom } from '../../http/fields.ts';

/** Fields that OpenAI's routes have in common. Clients send null, too, for what they leave out. */
export const optional = v.nullish;

const textOrArray = v.pipe(v.string('must be a string or an array'), text);

/** Either a text or an array of something else: so an error names the place in the array. */
export const textOr = <const S extends v.GenericSchema<unknown[]>>(
  array: S,
  single: v.GenericSchema<string> = textOrArray,
) => v.lazy((input): v.GenericSchema<string> | S => (Array.isArray(input) ? array : single));

export const yesOrNo = v.boolean('must be true or false');

export const jsonSchema = v.pipe(
  v.unknown(),
  v.check((value) => !Array.isArray(value), 'must be a JSON Schema'),
  v.record(v.string(), v.unknown(), 'must be a JSON Schema'),
);

/** It is looked for in every piece of the answer. */
const stop = v.pipe(textOrArray, v.maxLength(1000, 'must have at most 1000 characters'));
const stops = v.pipe(
  v.array(v.pipe(text, v.minLength(1, 'must not be empty'), v.maxLength(1000, 'must have at most 1000 characters'))),
  v.maxLength(64, 'must have at most 64 texts'),
);

/** Forms send an empty one for none. */
const model = v.pipe(
  text,
  v.maxLength(200, 'must have at most 200 characters'),
  v.transform((name) => name || null),
);

export const common = {
  model: optional(model),
  stream: optional(yesOrNo),
  stream_options: optional(v.looseObject({ include_usage: optional(yesOrNo) }, 'must be an object')),
  priority: optional(priority),
  n: optional(wholeFrom(1, 8)),
  stop: optional(textOr(stops, stop)),
  temperature: optional(numberFrom(0, 2)),
  top_p: optional(numberFrom(0, 1)),
  max_tokens: optional(wholeFrom(1, 10_000_000)),
};

type Common = { [Name in keyof typeof common]?: v.InferOutput<(typeof common)[Name]> };

/** The fields above, as a chat takes them; `n` and the stream are the route's business. */
export const toCommon = ({ model, stop, temperature, top_p: topP }: Common) => ({
  model,
  // Forms send an empty field for none. It would end every text before it begins.
  stops: stop?.length ? [stop].flat() : null,
  temperature,
  topP,
});
