import { bounds } from './notices.ts';
import { phases } from './plan.ts';
import type { FaultReport } from './run.ts';

/** The tables at the end of a fault run. */
export function describeReport(report: FaultReport): string {
  const { strikes, endings, sent, modelCalls, bridgeKills, extensionKills, measured, violations } = report;
  const names = [...new Set([...strikes.keys()].map((name) => name.replace(/, .*/, '')))].toSorted();
  const table = [
    row('', phases),
    ...names.map((name) =>
      row(
        name,
        phases.map((phase) => String(strikes.get(`${name}, ${phase}`) ?? 0)),
      ),
    ),
  ];
  const ended = [...endings]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `    ${String(count).padStart(6)}  ${name}`);
  const noticed = [...measured.notices].map(
    ([name, { ms, times }]) => `    ${name}: ${Math.round(ms)} ms at most, of ${times} (bound ${bounds[name]} ms)`,
  );
  const sizes = (it: typeof measured.baseline) =>
    it ? `${it.sockets} sockets, ${Math.round(it.rss / 2 ** 20)} MiB` : 'not told by this system';
  return [
    '\n  How often each fault struck',
    ...table,
    `\n  ${sent} HTTP requests, ${modelCalls} calls at the model; the bridge was killed ${bridgeKills} times, an extension ${extensionKills} times`,
    ...ended,
    '\n  Noticed',
    ...noticed,
    `\n  The bridge before: ${sizes(measured.baseline)}; after: ${sizes(measured.afterwards)}. ${measured.fetched} answers fetched again by id.`,
    `\n  ${violations.length === 0 ? 'Every property held.' : `${violations.length} violations.`}`,
  ].join('\n');
}

const row = (name: string, cells: readonly string[]) =>
  `    ${name.padEnd(24)}${cells.map((cell) => cell.padStart(16)).join('')}`;
