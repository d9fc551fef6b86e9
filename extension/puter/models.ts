import * as v from 'valibot';

import type { Model } from '#shared/models.ts';

const modelsSchema = v.object({
  models: v.array(
    v.object({
      id: v.string(),
      aliases: v.optional(v.array(v.string()), []),
      puterId: v.optional(v.string()),
      provider: v.nullish(v.string()),
      context: v.nullish(v.number()),
      max_tokens: v.nullish(v.number()),
      modalities: v.nullish(v.object({ input: v.optional(v.array(v.string())) })),
      tool_call: v.nullish(v.boolean()),
      // Puter's source types no such field, yet lets any through: of another shape, it tells nothing.
      reasoning: v.fallback(v.nullish(v.boolean()), null),
      release_date: v.nullish(v.string()),
      costs: v.optional(v.record(v.string(), v.unknown()), {}),
      costs_currency: v.optional(v.string()),
    }),
  ),
});

/** Puter's live list of chat models. Needs no token. Rejects where it cannot be had, or is none. */
export async function fetchModels(apiOrigin: string): Promise<Model[]> {
  const response = await fetch(`${apiOrigin}/puterai/chat/models/details`, { signal: AbortSignal.timeout(5000) });
  return readModels(await response.json());
}

/** The list in the body of that answer. Throws where it is none. */
export function readModels(body: unknown): Model[] {
  return v.parse(modelsSchema, body).models.map(({ costs, costs_currency: currency, puterId, ...model }) => ({
    id: model.id,
    aliases: [...model.aliases, ...(puterId === undefined ? [] : [puterId])],
    provider: model.provider ?? null,
    contextTokens: model.context ?? null,
    maxOutputTokens: model.max_tokens ?? null,
    inputPrice: currency === 'usd-cents' ? priceOf(costs, /^(input|prompt)_tokens?$/) : null,
    outputPrice: currency === 'usd-cents' ? priceOf(costs, /^(output|completion)_tokens?$/) : null,
    inputs: model.modalities?.input ?? null,
    tools: model.tool_call ?? null,
    reasoning: model.reasoning ?? null,
    releasedAt: Date.parse(model.release_date ?? '') || null,
  }));
}

/** Costs are cents per `tokens` tokens, under keys that differ by provider. */
function priceOf(costs: Record<string, unknown>, key: RegExp): number | null {
  const { tokens } = costs;
  const [, cents] = Object.entries(costs).find(([name]) => key.test(name)) ?? [];
  if (typeof tokens !== 'number' || tokens <= 0 || typeof cents !== 'number') return null;
  return (cents / 100) * (1_000_000 / tokens);
}
