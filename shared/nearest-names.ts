import { distance } from 'fastest-levenshtein';

import { maxNameChars } from './models.ts';

/** The up to three names that are closest to `wanted`: those that contain it first, then those of few edits. */
export function nearestNames(wanted: string, names: readonly string[]): string[] {
  // Beside a text of that length no name is near, and the comparison would take its time.
  if (wanted.length > maxNameChars) return [];
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
