import { distance } from 'fastest-levenshtein';
import * as v from 'valibot';

const modelsSchema = v.object({
  models: v.array(
    v.object({
      id: v.string(),
      aliases: v.optional(v.array(v.string())),
      puterId: v.optional(v.string()),
    }),
  ),
});

/** Every name that Puter's list of chat models answers to; empty where the list cannot be had. */
export async function fetchModelNames(apiOrigin: string): Promise<string[]> {
  try {
    const response = await fetch(`${apiOrigin}/puterai/chat/models/details`, { signal: AbortSignal.timeout(5000) });
    const { models } = v.parse(modelsSchema, await response.json());
    return models.flatMap(({ id, aliases = [], puterId }) => [
      id,
      ...aliases,
      ...(puterId === undefined ? [] : [puterId]),
    ]);
  } catch {
    return [];
  }
}

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
