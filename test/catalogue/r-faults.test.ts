import { beforeAll, describe, expect, it } from 'vitest';

import { allFaults } from '../faults/plan.ts';
import { runFaults, type FaultReport, type Violation } from '../faults/run.ts';

/** A small one of what `npm run faults` does with a thousand requests: each fault, at each phase, once. */

describe('with every toxic on every line, at every phase of a request, and both processes killed in between', () => {
  let report: FaultReport;

  beforeAll(async () => {
    const { signal } = new AbortController();
    report = await runFaults({ seed: 1, requests: 80, scale: 0.03, withDeadLines: false, signal });
  }, 120_000);

  const against = (row: Violation['row']) => report.violations.filter((violation) => violation.row === row);

  it('R1 no request and no Idempotency-Key costs a second call', () => {
    expect(against('R1')).toEqual([]);
    expect(report.modelCalls).toBeGreaterThan(40);
    // A phase that a request never comes to, strikes nobody: most do.
    expect(report.strikes.size).toBeGreaterThan(allFaults.length / 2);
    expect([report.bridgeKills, report.extensionKills].map((kills) => kills > 0)).toEqual([true, true]);
  });

  it('R2 every request ends in one whole answer or a closed socket, and never in a short stream', () => {
    expect(against('R2')).toEqual([]);
    expect(report.sent).toBeGreaterThanOrEqual(80);
    expect(report.endings.get('answered')).toBeGreaterThan(30);
  });

  it('R3 a good answer says what the model said', () => {
    expect(against('R3')).toEqual([]);
  });

  it('R4 nothing is left open afterwards, neither in the bridge nor in an extension', () => {
    expect(against('R4')).toEqual([]);
  });

  it('R5 what was given, or paid and wanted, can be fetched by its id', () => {
    expect(against('R5')).toEqual([]);
    expect(report.measured.fetched).toBeGreaterThan(40);
  });

  it('R6 a line that breaks is noticed in time', () => {
    expect(against('R6')).toEqual([]);
    expect(report.measured.notices.size).toBeGreaterThan(0);
  });
});
