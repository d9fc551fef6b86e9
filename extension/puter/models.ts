import { distance } from 'fastest-levenshtein';
import * as v from 'valibot';

/** A chat model as Puter lists it. Prices are dollars per million tokens; null where Puter does not tell. */
export interface Model {
  id: string;
  /** Other names that it answers to. */
  aliases: string[];
  contextTokens: number | null;
  inputPrice: number | null;
  outputPrice: number | null;
}

const modelsSchema = v.object({
  models: v.array(
    v.object({
      id: v.string(),
      aliases: v.optional(v.array(v.string()), []),
      puterId: v.optional(v.string()),
      context: v.nullish(v.number()),
      costs: v.optional(v.record(v.string(), v.unknown()), {}),
      costs_currency: v.optional(v.string()),
    }),
  ),
});

/** Puter's live list of chat models. Needs no token. Rejects where it cannot be had, or is none. */
export async function fetchModels(apiOrigin: string): Promise<Model[]> {
  const response = await fetch(`${apiOrigin}/puterai/chat/models/details`, { signal: AbortSignal.timeout(5000) });
  const { models } = v.parse(modelsSchema, await response.json());
  return models.map(({ id, aliases, puterId, context, costs, costs_currency: currency }) => ({
    id,
    aliases: [...aliases, ...(puterId === undefined ? [] : [puterId])],
    contextTokens: context ?? null,
    inputPrice: currency === 'usd-cents' ? priceOf(costs, /^(input|prompt)_tokens?$/) : null,
    outputPrice: currency === 'usd-cents' ? priceOf(costs, /^(output|completion)_tokens?$/) : null,
  }));
}

/** Costs are cents per `tokens` tokens, under keys that differ by provider. */
function priceOf(costs: Record<string, unknown>, key: RegExp): number | null {
  const { tokens } = costs;
  const [, cents] = Object.entries(costs).find(([name]) => key.test(name)) ?? [];
  if (typeof tokens !== 'number' || tokens <= 0 || typeof cents !== 'number') return null;
  return (cents / 100) * (1_000_000 / tokens);
}

/** Every name that `model` answers to. */
export const namesOf = (model: Model): string[] => [model.id, ...model.aliases];

/** The up to three names that are closest to `wanted`: those that contain it first, then those of few edits. */
export function nearestNames(wanted: string, names: readonly string[]): string[] {
  const needle = wanted.toLowerCase();
  return [...new Set(names)]
    .map((name) => {
      const candidate = name.toLowerCase();
      const whole = distance(needle, candidate);
      // People leave the provider out (“gpt-5” for “openai/gpt-5”), or name another: that is no edit at all.
      const edits = candidate.includes(needle) ? 0 : distance(withoutProvider(needle), withoutProvider(candidate));
      return { name, edits, whole };
    })
    .filter(({ edits }) => edits <= Math.max(2, needle.length / 3))
    .sort((a, b) => a.edits - b.edits || a.whole - b.whole)
    .slice(0, 3)
    .map(({ name }) => name);
}

const withoutProvider = (name: string): string => name.split(/[/:]/).at(-1) ?? name;
