import { beforeEach, describe, expect, it } from 'vitest';

import { createActivity, type Activity } from '../../../extension/relay/activity.ts';

let time = 0;
let changes = 0;
let activity: Activity;
beforeEach(() => {
  time = 1000;
  changes = 0;
  activity = createActivity({ now: () => time, onChange: () => (changes += 1) });
});

const call = (requestId: string) => ({ requestId, model: 'gpt-5', caller: 'curl/8' });
const answered = { usage: null };

function run(requestId: string, outcome: Parameters<Activity['finish']>[1] = answered): void {
  activity.start(call(requestId));
  activity.finish(requestId, outcome);
}

describe('a call', () => {
  it('runs from its start until it is told how it ended', () => {
    activity.start(call('a'));
    expect(activity.running()).toEqual([{ ...call('a'), startedAt: 1000 }]);
    expect(activity.finished()).toEqual([]);
    time = 3500;
    activity.finish('a', { usage: { inputTokens: 11, outputTokens: 7 } });
    expect(activity.running()).toEqual([]);
    expect(activity.finished()).toEqual([
      { ...call('a'), startedAt: 1000, finishedAt: 3500, tokens: 18, failure: null },
    ]);
  });

  it('has no tokens where Puter counted none', () => {
    run('a');
    expect(activity.finished()).toMatchObject([{ tokens: null, failure: null }]);
  });

  it('has 0 tokens, and not an unknown number, where Puter counted 0', () => {
    run('a', { usage: { inputTokens: 0, outputTokens: 0 } });
    expect(activity.finished()).toMatchObject([{ tokens: 0 }]);
  });

  it('that failed keeps the reason, cut, and nothing else of it', () => {
    const upstream = { message: 'the prompt, repeated' };
    run('a', { failure: { code: 'upstream_failed', message: 'x'.repeat(500), upstream, suggestions: ['gpt-5'] } });
    expect(activity.finished()).toMatchObject([{ tokens: null }]);
    expect(activity.finished()[0]?.failure).toEqual({ code: 'upstream_failed', message: 'x'.repeat(200) });
  });

  it('took no time, and not less than none, where the clock was set back meanwhile', () => {
    activity.start(call('a'));
    time = 400;
    activity.finish('a', answered);
    expect(activity.finished()).toMatchObject([{ startedAt: 1000, finishedAt: 1000 }]);
  });

  it('ends once: what is told of it later, or of one that never ran, changes nothing', () => {
    run('a');
    const before = activity.finished();
    expect(changes).toBe(2);
    activity.finish('a', { failure: { code: 'cancelled', message: 'm' } });
    activity.finish('never', answered);
    expect(activity.finished()).toEqual(before);
    expect(changes).toBe(2);
  });
});

describe('the calls', () => {
  it('that run are in the order of their start', () => {
    for (const id of ['b', 'a', 'c']) activity.start(call(id));
    activity.finish('a', answered);
    expect(activity.running().map(({ requestId }) => requestId)).toEqual(['b', 'c']);
  });

  it('that ended are the last ten, newest first', () => {
    for (let index = 0; index < 12; index += 1) run(String(index));
    const ids = activity.finished().map(({ requestId }) => requestId);
    expect(ids).toEqual(['11', '10', '9', '8', '7', '6', '5', '4', '3', '2']);
  });

  it('are in the order of their end, whichever began first', () => {
    for (const id of ['a', 'b']) activity.start(call(id));
    for (const id of ['b', 'a']) activity.finish(id, answered);
    expect(activity.finished().map(({ requestId }) => requestId)).toEqual(['a', 'b']);
  });

  it('are told of at every change, and given out as copies', () => {
    run('a');
    expect(changes).toBe(2);
    activity.finished().length = 0;
    expect(activity.finished()).toHaveLength(1);
  });
});
