import * as v from 'valibot';

import { numberFrom, text, wholeFrom } from '../../http/fields.ts';

/** Fields that OpenAI's routes have in common. Clients send null for what they leave out. */
export const optional = <S extends v.GenericSchema>(schema: S) => v.optional(v.nullable(schema), null);

const textOrArray = v.pipe(v.string('must be a string or an array'), text);

/** Either a text or an array of something else: so an error names the place in the array. */
export const textOr = <const S extends v.GenericSchema<unknown[]>>(array: S) =>
  v.lazy((input): typeof textOrArray | S => (Array.isArray(input) ? array : textOrArray));

export const yesOrNo = v.boolean('must be true or false');

const maxSchemaLevels = 200;

/** Deeper ones are no schemas that anybody means, and overflow the stack wherever they are written down. */
export const jsonSchema = v.pipe(
  v.unknown(),
  v.check((value) => !Array.isArray(value), 'must be a JSON Schema'),
  v.record(v.string(), v.unknown(), 'must be a JSON Schema'),
  v.check(
    (value) => !isDeeperThan(maxSchemaLevels, value),
    `must be a JSON Schema of at most ${maxSchemaLevels} levels`,
  ),
);

function isDeeperThan(levels: number, value: unknown): boolean {
  let layer = [value];
  for (let level = 0; level < levels && layer.length > 0; level += 1) {
    layer = layer.flatMap((it) => (typeof it === 'object' && it !== null ? (Object.values(it) as unknown[]) : []));
  }
  return layer.length > 0;
}

const filled = v.pipe(text, v.minLength(1, 'must not be empty'));

export const common = {
  model: optional(v.pipe(text, v.maxLength(200, 'must have at most 200 characters'))),
  stream: optional(yesOrNo),
  stream_options: optional(v.looseObject({ include_usage: optional(yesOrNo) }, 'must be an object')),
  n: optional(wholeFrom(1, 8)),
  stop: optional(textOr(v.pipe(v.array(filled), v.maxLength(4, 'must have at most four texts')))),
  temperature: optional(numberFrom(0, 2)),
  top_p: optional(numberFrom(0, 1)),
  max_tokens: optional(wholeFrom(1, 10_000_000)),
};

/** The fields above, as a chat takes them; `n` and the stream are the route's business. */
export function toCommon(body: {
  model: string | null;
  stop: string | string[] | null;
  temperature: number | null;
  top_p: number | null;
}) {
  // Forms send an empty field for none. It would end every text before it begins.
  const stops = [body.stop ?? []].flat().filter((stop) => stop !== '');
  return {
    ...(body.model !== null && { model: body.model }),
    ...(stops.length > 0 && { stops }),
    ...(body.temperature !== null && { temperature: body.temperature }),
    ...(body.top_p !== null && { topP: body.top_p }),
  };
}
