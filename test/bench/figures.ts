import type { Contestant, Note } from './bench.ts';

/** What was measured, round by round. */
export interface Figures {
  note: Note;
  names(): string[];
  /** Who has that figure, in the order in which they were measured. */
  contestants(figure: string): Contestant[];
  /** One value a round. */
  values(figure: string, who: Contestant): number[];
}

export function createFigures(): Figures {
  const figures = new Map<string, Map<Contestant, number[]>>();
  const of = (figure: string) => figures.get(figure) ?? new Map<Contestant, number[]>();
  return {
    note(figure, who, value) {
      const them = of(figure);
      figures.set(figure, them);
      them.set(who, [...(them.get(who) ?? []), value]);
    },
    names: () => [...figures.keys()],
    contestants: (figure) => [...of(figure).keys()],
    values: (figure, who) => of(figure).get(who) ?? [],
  };
}

export interface Summary {
  median: number;
  min: number;
  max: number;
}

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) };
}

/** Each value against the one of the same round: what made a round slow made it slow for both. */
export const compare = (
  values: readonly number[],
  reference: readonly number[],
  how: (value: number, reference: number) => number,
): Summary => summarise(values.map((value, round) => how(value, reference[round] ?? Number.NaN)));
