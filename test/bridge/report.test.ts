import { beforeEach, describe, expect, it } from 'vitest';

import type { BridgeStatus } from '#shared/status.ts';

import { createReporter, nextStep } from '../../bridge/report.ts';
import { createStatus, extensionStatus } from './status-example.ts';

const way = { url: 'http://127.0.0.1:5001', extensionPath: '/here/dist/extension-chrome', isBuilt: () => true };
const signedIn = { signed_in: true, username: 'ada', reachable: true };
const connected = createStatus({ extensions: [extensionStatus] });
const ready = createStatus({ extensions: [extensionStatus], puter: signedIn });

describe('the next step', () => {
  it.each<[string, BridgeStatus, string]>([
    ['no extension is connected', createStatus(), `pick ${way.extensionPath}`],
    ['nobody is signed in', connected, 'choose “Sign in to Puter”'],
    ['Puter cannot be reached', { ...ready, puter: { ...signedIn, reachable: false } }, 'check its network'],
    ['Puter was not tried yet', { ...ready, puter: { ...signedIn, reachable: null } }, 'Ready: curl'],
    ['everything is there', ready, `Ready: curl ${way.url}/api/process`],
  ])('when %s says what to do about it', (_, status, words) => {
    expect(nextStep(status, way)).toContain(words);
  });

  it('is to build the extension where that was not done', () => {
    const next = nextStep(createStatus(), { ...way, isBuilt: () => false });
    expect(next).toContain('npm run build');
    expect(next).not.toContain('Load unpacked');
  });

  it('names one thing at a time, that of the first broken hop', () => {
    const nothing = createStatus({ puter: { signed_in: false, username: null, reachable: false } });
    expect(nextStep(nothing, way)).not.toMatch(/Sign in|network/);
  });
});

describe('the terminal', () => {
  let lines: string[] = [];
  let report: (status: BridgeStatus) => void;
  beforeEach(() => {
    lines = [];
    report = createReporter({ ...way, print: (line) => lines.push(line) });
  });
  const since = (step: () => void): string[] => {
    lines = [];
    step();
    return lines;
  };

  it('tells each hop once, as it comes up', () => {
    expect(since(() => report(createStatus()))).toEqual([nextStep(createStatus(), way)]);
    expect(since(() => report(connected))).toEqual([
      '  ✓ extension 1.2.3 in Chrome 156, 3 calls at once',
      nextStep(connected, way),
    ]);
    expect(since(() => report(ready))).toEqual([
      '  ✓ signed in to Puter as ada',
      '  ✓ Puter answers',
      nextStep(ready, way),
    ]);
  });

  it('says nothing while nothing changes but the load', () => {
    report(ready);
    const busier = { ...ready, extensions: [{ ...extensionStatus, lanes: { busy: 3, free: 0 } }] };
    expect(since(() => report({ ...busier, queue: { queued: 4, running: 3 } }))).toEqual([]);
  });

  it('tells what is gone, and then what to do', () => {
    report(ready);
    expect(since(() => report(connected))).toEqual([
      '  ✗ gone: signed in to Puter as ada',
      '  ✗ gone: Puter answers',
      nextStep(connected, way),
    ]);
  });

  it('tells of a session whose name is not known yet', () => {
    expect(since(() => report({ ...ready, puter: { ...signedIn, username: null } }))).toContain(
      '  ✓ signed in to Puter',
    );
  });
});
