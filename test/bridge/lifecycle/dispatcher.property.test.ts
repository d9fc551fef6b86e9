import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  createPeer,
  createRig,
  end,
  failure,
  graces,
  started,
  type TestCall,
  type TestPeer,
} from './dispatcher-rig.ts';

/** One thing that callers, extensions or time may do next. */
type Step =
  | { do: 'submit' }
  | { do: 'cancel' | 'deliver'; call: number }
  | { do: 'start' | 'finish' | 'break'; at: number; job: number }
  | { do: 'lose' | 'return' | 'restart'; at: number }
  | { do: 'wait'; ms: number };

const at = fc.nat({ max: 1 });
const small = fc.nat({ max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'submit' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'deliver' as const), call: small }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('start' as const, 'finish' as const, 'break' as const),
      at,
      job: small,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'return' as const, 'restart' as const), at }),
  },
  // Never long enough to give a silent lane up: an extension that breaks its word may be sent too much.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 50 }) }) },
);

/** An extension that keeps its word: it runs what it is sent, and says when a lane is free. */
interface Browser {
  peer: TestPeer | undefined;
  run: number;
  /** What its lanes hold, and how much of `peer.sent` it has taken in. */
  jobs: Set<string>;
  begun: Set<string>;
  read: number;
}

const lanes = 2;

function play(steps: readonly Step[]) {
  const rig = createRig();
  const calls: TestCall[] = [];
  /** Every request frame, with the run of the page that it went to. */
  const sent: { requestId: string; to: string }[] = [];
  const begun = new Set<string>();
  let mostJobs = 0;
  const browsers = [0, 1].map((): Browser => ({ peer: undefined, run: 0, jobs: new Set(), begun: new Set(), read: 0 }));

  function takeIn(): void {
    for (const browser of browsers) {
      const { peer } = browser;
      for (const frame of peer?.sent.slice(browser.read) ?? []) {
        if (frame.type !== 'request') continue;
        browser.jobs.add(frame.requestId);
        sent.push({ requestId: frame.requestId, to: peer!.instance });
      }
      browser.read = peer?.sent.length ?? 0;
      mostJobs = Math.max(mostJobs, browser.jobs.size);
    }
  }

  function comeBack(browser: Browser, index: number): void {
    if (browser.peer) return;
    const peer = createPeer(`${index}.${browser.run}`, { lanes, profile: `p${index}` });
    browser.peer = peer;
    browser.read = 0;
    const resume = rig.dispatcher.attach(peer, [...browser.jobs]);
    browser.jobs = new Set(resume.map(({ requestId }) => requestId));
    rig.dispatcher.pump();
  }

  function leave(browser: Browser): void {
    if (browser.peer) rig.dispatcher.detach(browser.peer);
    browser.peer = undefined;
  }

  function answer(browser: Browser, job: number, how: 'start' | 'finish' | 'break'): void {
    const requestId = [...browser.jobs][job % Math.max(1, browser.jobs.size)];
    if (requestId === undefined || !browser.peer) return;
    begun.add(requestId);
    if (how === 'start') return rig.dispatcher.receive(browser.peer, started(requestId));
    browser.jobs.delete(requestId);
    rig.dispatcher.receive(browser.peer, how === 'finish' ? end(requestId, 0) : failure(requestId));
  }

  function act(next: Step): void {
    switch (next.do) {
      case 'submit':
        return void calls.push(rig.submit());
      case 'cancel':
        return calls[next.call]?.cancel();
      case 'deliver': {
        const browser = browsers.find(({ jobs }) => jobs.has(calls[next.call]?.requestId ?? ''));
        const [index, requestId] = [browsers.indexOf(browser!), calls[next.call]?.requestId ?? ''];
        // Done only while its socket is down; the bridge then no longer wants it.
        if (!browser || browser.peer) return;
        begun.add(requestId);
        const outcome = { error: { code: 'upstream_failed', message: 'It failed.' } } as const;
        if (rig.dispatcher.deliver(`${index}.${browser.run}`, requestId, outcome)) browser.jobs.delete(requestId);
        return;
      }
      case 'start':
      case 'finish':
      case 'break':
        return answer(browsers[next.at]!, next.job, next.do);
      case 'lose':
        return leave(browsers[next.at]!);
      case 'return':
        return comeBack(browsers[next.at]!, next.at);
      case 'restart': {
        const browser = browsers[next.at]!;
        leave(browser);
        browser.run += 1;
        browser.jobs.clear();
        return comeBack(browser, next.at);
      }
      case 'wait':
        vi.advanceTimersByTime(next.ms);
    }
  }

  for (const next of steps) {
    act(next);
    takeIn();
  }
  return { rig, calls, sent, begun, browsers, mostJobs: () => mostJobs, leave };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const steps = fc.array(step, { maxLength: 40 });

describe('whatever callers and extensions do', () => {
  it('no extension ever holds more calls than it has lanes', () => {
    fc.assert(
      fc.property(steps, (steps) => {
        expect(play(steps).mostJobs()).toBeLessThanOrEqual(lanes);
      }),
      { numRuns: 300 },
    );
  });

  it('no call is sent twice to the same page, nor to anybody once it has begun', () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const { sent, begun } = play(steps);
        const doubled = sent.filter(({ requestId }, index) =>
          sent.some((other, earlier) => earlier < index && other.requestId === requestId),
        );
        // Nothing is dropped on the wire here, so nothing can have been sent without arriving.
        expect(doubled).toEqual([]);
        for (const requestId of begun) expect(sent.filter((one) => one.requestId === requestId)).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });

  it('every call comes to an end once all extensions are gone for good', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const { rig, calls, browsers, leave } = play(steps);
        for (const browser of browsers) leave(browser);
        await vi.advanceTimersByTimeAsync(graces.lostGraceMs + graces.connectGraceMs);
        for (const call of calls) expect(call.settled()).toBeDefined();
        expect(rig.dispatcher.counts()).toEqual({ queued: 0, running: 0 });
        expect(rig.timersLeft()).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('the counts are those of the calls that are open', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const { rig, calls } = play(steps);
        await vi.advanceTimersByTimeAsync(0);
        const { queued, running } = rig.dispatcher.counts();
        expect(queued + running).toBe(calls.filter((call) => !call.settled()).length);
      }),
      { numRuns: 100 },
    );
  });
});
