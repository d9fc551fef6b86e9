import { beforeEach, describe, expect, it } from 'vitest';

import type { HopFacts } from '#shared/hops.ts';
import type { BridgeStatus } from '#shared/status.ts';

import type { PairingView } from '../../../bridge/pairing/offers.ts';
import { createReporter, nextStep } from '../../../bridge/command-line/reporter.ts';
import { createStatus, extensionStatus, readyFacts } from '../status-example.ts';

const extensionFolder = '/here/dist';
const way = { url: 'http://127.0.0.1:5001', extensionFolder };
const withFacts = (change: Partial<HopFacts> = {}) =>
  createStatus({ extensions: [extensionStatus], facts: { ...readyFacts, ...change } });

const { session, puter, bridge } = readyFacts;
const connected = withFacts({ session: { ...session, state: 'signed_out' }, puter: { ...puter, state: 'unknown' } });
const ready = withFacts();

describe('the next step', () => {
  it.each<[string, BridgeStatus, string]>([
    ['no extension is connected', createStatus(), `pick ${extensionFolder}`],
    ['nobody is signed in', connected, 'press “Sign in to Puter”'],
    ['the session ended', withFacts({ session: { ...session, state: 'expired' } }), 'press “Sign in to Puter”'],
    ['the person paused', withFacts({ bridge: { ...bridge, state: 'paused' } }), 'press “Resume”'],
    ['Puter cannot be reached', withFacts({ puter: { ...puter, state: 'unreachable' } }), 'Check the network'],
    ['Puter was not asked yet', withFacts({ puter: { ...puter, state: 'unknown' } }), 'Puter was not asked yet.'],
    ['everything is there', ready, `Ready: curl ${way.url}/api/process`],
  ])('when %s says what to do about it', (_, status, words) => {
    expect(nextStep(status, way)).toContain(words);
  });

  it('is to build the extension where that was not done', () => {
    const next = nextStep(createStatus(), { ...way, extensionFolder: null });
    expect(next).toContain('npm run build');
    expect(next).not.toContain('Load unpacked');
  });

  it('is to wait where nothing else helps', () => {
    const until = puter.since + 60_000;
    const next = nextStep(withFacts({ puter: { ...puter, state: 'rate_limited', until } }), way);
    expect(next).toMatch(/again at \d\d:01:00\.$/);
  });

  it('names one thing at a time, that of the first broken hop', () => {
    const nothing = withFacts({
      bridge: { ...bridge, state: 'paused' },
      session: { ...session, state: 'signed_out' },
      puter: { ...puter, state: 'unreachable' },
    });
    expect(nextStep(nothing, way)).not.toMatch(/Sign in|network/);
  });
});

describe('the terminal', () => {
  let lines: string[] = [];
  let pairing: PairingView | null = null;
  let report: (status: BridgeStatus) => void;
  beforeEach(() => {
    lines = [];
    pairing = null;
    const findExtensionFolder = () => extensionFolder;
    const print = (line: string) => lines.push(line);
    report = createReporter({ url: way.url, findExtensionFolder, pairing: () => pairing, print });
  });
  const since = (step: () => void): string[] => {
    lines = [];
    step();
    return lines;
  };

  it('tells each hop once, as it comes up', () => {
    expect(since(() => report(createStatus()))).toEqual([nextStep(createStatus(), way)]);
    expect(since(() => report(connected))).toEqual(['  ✓ Extension 1.2.3 in Chrome 156.', nextStep(connected, way)]);
    expect(since(() => report(ready))).toEqual(['  ✓ Signed in as ada.', '  ✓ Puter answers.', nextStep(ready, way)]);
  });

  it('believes in a session only once Puter was asked, and says nothing of lanes that come with the plan', () => {
    report(createStatus());
    const started = withFacts({ puter: { ...puter, state: 'unknown' } });
    expect(since(() => report(started))).toEqual(['  ✓ Extension 1.2.3 in Chrome 156.', 'Puter was not asked yet.']);
    const more = { ...ready, extensions: [{ ...extensionStatus, lanes: { busy: 0, free: 20 } }] };
    expect(since(() => report(more))).toEqual(['  ✓ Signed in as ada.', '  ✓ Puter answers.', nextStep(ready, way)]);
  });

  it('says nothing while nothing changes but the load', () => {
    report(ready);
    const busier = createStatus({
      facts: readyFacts,
      extensions: [{ ...extensionStatus, lanes: { busy: 3, free: 0 } }],
      queue: { queued: 4, running: 3 },
    });
    expect(busier.light.color).toBe('yellow');
    expect(since(() => report(busier))).toEqual([]);
  });

  it('tells what is gone, and then what to do', () => {
    report(ready);
    expect(since(() => report(connected))).toEqual([
      '  ✗ gone: Signed in as ada.',
      '  ✗ gone: Puter answers.',
      nextStep(connected, way),
    ]);
  });

  it('tells of a session whose name is not known yet', () => {
    expect(since(() => report(withFacts({ session: { ...session, detail: null } })))).toContain('  ✓ Signed in.');
  });

  it('shows a code that pairs once, and a new one again', () => {
    report(ready);
    const asked = { origin: 'moz-extension://x', browser: 'Firefox 153', since: new Date() };
    const show = (code: string | null) => {
      pairing = { ...asked, code };
      return since(() => report(ready));
    };
    const line = 'Firefox 153 (moz-extension://x) asks to be paired. If that is you, type this code in its popup: ';
    expect(show('ABCD-2345')).toEqual([`${line}ABCD-2345`]);
    expect(show('ABCD-2345')).toEqual([]);
    expect(show(null)).toEqual([]);
    expect(show('WXYZ-6789')).toEqual([`${line}WXYZ-6789`]);
  });

  it('tells once what is wrong with what is kept', () => {
    report(ready);
    const troubled = { ...ready, durability: 'degraded' as const, notices: ['The disk is full.'] };
    expect(since(() => report(troubled))).toEqual(['  ! The disk is full.']);
    expect(since(() => report(troubled))).toEqual([]);
  });

  it('lets no name begin a line of its own or give the terminal an order', () => {
    pairing = { origin: 'moz-extension://x', browser: 'a\n\u001B[2Jb\u2028', since: new Date(), code: 'ABCD-2345' };
    expect(since(() => report(ready)).at(-1)).toMatch(/^a\[2Jb \(moz/);
  });
});
