import type { Reporter, TestModule } from 'vitest/node';

import { rows } from './rows.ts';

type Outcome = 'passed' | 'failed';

/** Prints, after a run with tests of the catalogue in it, how each group of rows stands. */
export class CatalogueReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const outcomes = readOutcomes(modules.filter(({ moduleId }) => moduleId.includes('/test/catalogue/')));
    if (outcomes.size > 0) console.log(renderTable(outcomes));
  }
}

/** Of each row that was run: it passed where all of its tests did. */
function readOutcomes(modules: readonly TestModule[]): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      for (const id of idsOf(test.name)) {
        if (state === 'failed') outcomes.set(id, 'failed');
        else if (state === 'passed' && !outcomes.has(id)) outcomes.set(id, 'passed');
      }
    }
  }
  return outcomes;
}

/** A title begins with the rows that it is about: “C1 …”, or “C1 C4 …”. */
export const idsOf = (title: string): string[] => /^(?:[A-Z]\d+\s+)+/.exec(title)?.[0].trim().split(/\s+/) ?? [];

export function renderTable(outcomes: ReadonlyMap<string, Outcome>): string {
  const lines = Object.entries(rows).map(([group, numbers]) => {
    const ids = numbers.map((number) => `${group}${number}`);
    const [passed, failed, untested] = [
      ids.filter((id) => outcomes.get(id) === 'passed'),
      ids.filter((id) => outcomes.get(id) === 'failed'),
      ids.filter((id) => !outcomes.has(id)),
    ];
    const counts = [passed.length, ids.length - untested.length, ids.length].map((count) => String(count).padStart(6));
    return [
      `    ${group}${counts.join('')}`,
      failed.length > 0 ? `failed: ${failed.join(' ')}` : '',
      untested.length > 0 ? `not run: ${untested.length === ids.length ? 'all' : untested.join(' ')}` : '',
    ]
      .filter(Boolean)
      .join('  ');
  });
  const strangers = [...outcomes.keys()].filter((id) => !rows[id.charAt(0)]?.includes(Number(id.slice(1))));
  return [
    '',
    ' Catalogue of attacks and bad input',
    ' group passed   run  rows',
    ...lines,
    ...(strangers.length > 0 ? [` In no group: ${strangers.join(' ')}`] : []),
    '',
  ].join('\n');
}
