import * as v from 'valibot';

import { maxModels, nameSchema, type Model } from '#shared/models.ts';

/** Puter's source types few of these fields, yet lets any through: of another shape, one tells nothing. */
const told = <S extends v.GenericSchema>(schema: S) => v.fallback(v.nullish(schema), null);
const count = told(v.pipe(v.number(), v.minValue(0)));
const names = v.pipe(
  v.array(v.unknown()),
  v.transform((list) => list.filter((name) => v.is(nameSchema, name))),
);

const listedSchema = v.object({
  id: nameSchema,
  aliases: told(names),
  puterId: told(nameSchema),
  provider: told(nameSchema),
  context: count,
  max_tokens: count,
  modalities: told(v.object({ input: told(names) })),
  tool_call: told(v.boolean()),
  reasoning: told(v.boolean()),
  release_date: told(v.string()),
  costs: told(v.record(v.string(), v.unknown())),
  costs_currency: told(v.string()),
});

/** Puter's live list of chat models. Needs no token. Rejects where it cannot be had, or is none. */
export async function fetchModels(apiOrigin: string): Promise<Model[]> {
  const response = await fetch(`${apiOrigin}/puterai/chat/models/details`, { signal: AbortSignal.timeout(5000) });
  return readModels(await response.json());
}

/** The list in the body of that answer, without entries that no request could name. Throws where it is none. */
export function readModels(body: unknown): Model[] {
  const { models } = v.parse(v.object({ models: v.array(v.unknown()) }), body);
  const listed = models.flatMap((model) => {
    const { success, output } = v.safeParse(listedSchema, model);
    return success ? [output] : [];
  });
  if (listed.length === 0 && models.length > 0) throw new Error('Puter lists no model in a way that is known.');
  return listed.slice(0, maxModels).map(({ costs, costs_currency: currency, puterId, ...model }) => {
    const price = (key: RegExp) => (costs && currency === 'usd-cents' ? priceOf(costs, key) : null);
    return {
      id: model.id,
      aliases: [...(model.aliases ?? []), ...(puterId ? [puterId] : [])],
      provider: model.provider ?? null,
      contextTokens: model.context ?? null,
      maxOutputTokens: model.max_tokens ?? null,
      inputPrice: price(/^(input|prompt)_tokens?$/),
      outputPrice: price(/^(output|completion)_tokens?$/),
      inputs: model.modalities?.input ?? null,
      tools: model.tool_call ?? null,
      reasoning: model.reasoning ?? null,
      releasedAt: readDate(model.release_date),
    };
  });
}

/** Null for what is none, or before 1970. */
function readDate(date: string | null | undefined): number | null {
  const time = Date.parse(date ?? '');
  return time > 0 ? time : null;
}

/** Costs are cents per `tokens` tokens, under keys that differ by provider. */
function priceOf(costs: Record<string, unknown>, key: RegExp): number | null {
  const { tokens } = costs;
  const [, cents] = Object.entries(costs).find(([name]) => key.test(name)) ?? [];
  if (typeof tokens !== 'number' || tokens <= 0 || typeof cents !== 'number' || cents < 0) return null;
  return (cents / 100) * (1_000_000 / tokens);
}
