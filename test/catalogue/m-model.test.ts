import { expect, it } from 'vitest';

import {
  isTerminal,
  queued,
  transition,
  type RequestEvent,
  type RequestState,
} from '../../bridge/lifecycle/request-state.ts';
import { alphabet } from '../bridge/lifecycle/request-events.ts';

/** Every order in which things can happen to one request, as far as they change something. */

const depth = 8;

/** What went out, and came back, is read off the events alone, not off the states that are to be judged by it. */
function problemOf(path: readonly RequestEvent[]): string | undefined {
  let wentOut = false;
  let begun = false;
  let answered = false;
  let isLost = false;
  let mayGoOut = true;
  for (const { type } of path) {
    switch (type) {
      case 'dispatched':
        if (!mayGoOut) return 'went out twice without evidence';
        [wentOut, begun, answered, isLost, mayGoOut] = [true, false, false, false, false];
        break;
      case 'started':
        begun = true;
        break;
      case 'chunk':
        if (!wentOut || isLost) return 'took a piece from nobody';
        answered = true;
        break;
      case 'lost':
        isLost = true;
        break;
      case 'resumed':
        isLost = false;
        break;
      case 'never_started':
        // Said by the extension that it went to, of a call that nobody saw begin.
        mayGoOut = isLost && !begun && !answered;
        break;
      case 'refused':
        // Said by Puter, of a call of whose answer there is nothing.
        mayGoOut = wentOut && !isLost && !answered;
        break;
      case 'ended':
        if (!wentOut || isLost || mayGoOut) return 'ended for nobody who had it';
        break;
      case 'delivered':
        if (!wentOut || mayGoOut) return 'was answered by nobody who had it';
        break;
      case 'failed':
      case 'cancelled':
      case 'timed_out':
        break;
    }
  }
  return undefined;
}

it('M9 goes out at most once without evidence, ends once, and is over then, in every order of eight events', () => {
  const problems = new Set<string>();
  const reached = new Set<string>();
  let paths = 0;

  function walk(state: RequestState, path: readonly RequestEvent[]): void {
    reached.add(state.status);
    const problem = problemOf(path);
    if (problem !== undefined) problems.add(`${path.map(({ type }) => type).join(', ')}: ${problem}`);
    if (isTerminal(state)) {
      paths += 1;
      for (const event of alphabet) if (transition(state, event) !== state) problems.add(`${event.type} after the end`);
      return;
    }
    for (const type of ['cancelled', 'timed_out'] as const)
      if (!isTerminal(transition(state, { type }))) problems.add(`${state.status} cannot be ended`);
    if (path.length === depth) return void (paths += 1);
    for (const event of alphabet) {
      const next = transition(state, event);
      // What changes nothing leads to the orders that begin here anyhow.
      if (next !== state) walk(next, [...path, event]);
    }
  }
  walk(queued, []);

  expect([...problems]).toEqual([]);
  expect(paths).toBeGreaterThan(5000);
  expect([...reached].sort()).toEqual([
    'cancelled',
    'dispatched',
    'failed',
    'queued',
    'started',
    'streaming',
    'succeeded',
    'timed_out',
    'unknown',
  ]);
});
