import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { accountIn, createPeer, createRig, end, graces, signedIn, signedOut, type Rig } from './dispatcher-rig.ts';

/** Extensions that are connected and yet take no requests: paused, signed out, or at the end of their session. */

let rig: Rig;
beforeEach(() => {
  vi.useFakeTimers();
  rig = createRig();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('while every extension is paused', () => {
  it('requests fail at once', async () => {
    const peer = createPeer('a', { paused: true });
    rig.connect(peer);
    expect(await rig.submit().outcome).toEqual({ code: 'paused' });
    expect(peer.sent).toEqual([]);
  });

  it('those that wait fail, and those that run go on', async () => {
    const peer = createPeer('a');
    rig.connect(peer);
    const [running, waiting] = [rig.submit(), rig.submit()];
    peer.paused = true;
    rig.dispatcher.pump();
    expect(await waiting.outcome).toEqual({ code: 'paused' });
    expect(peer.idsOf('cancel')).toEqual([]);
    rig.dispatcher.receive(peer, end(running.requestId, 0));
    expect(await running.outcome).toEqual({ text: '' });
  });

  it('the pause is the reason, whatever the session is', async () => {
    rig.connect(createPeer('a', { paused: true, account: accountIn('expired') }));
    expect(await rig.submit().outcome).toEqual({ code: 'paused' });
  });
});

it('goes on as soon as the person resumes', () => {
  const peer = createPeer('a', { paused: true });
  rig.connect(peer);
  rig.submit();
  peer.paused = false;
  rig.dispatcher.pump();
  const { requestId } = rig.submit();
  expect(peer.idsOf('request')).toEqual([requestId]);
});

it('gives everything to the extension that is not paused, and makes the rest wait for it', () => {
  const [paused, awake] = [createPeer('paused', { lanes: 9, paused: true }), createPeer('awake')];
  rig.connect(paused);
  rig.connect(awake);
  const [first] = [rig.submit(), rig.submit()];
  expect([paused.sent, awake.idsOf('request')]).toEqual([[], [first.requestId]]);
  expect(rig.dispatcher.counts()).toEqual({ queued: 1, running: 1 });
});

describe('while the one extension that takes requests is away, and another is paused', () => {
  function lose() {
    const [paused, awake] = [createPeer('paused', { paused: true }), createPeer('awake')];
    rig.connect(paused);
    rig.connect(awake);
    const [running, waiting] = [rig.submit(), rig.submit()];
    rig.dispatcher.detach(awake);
    return { paused, running, waiting };
  }

  it('what waits goes on when it is back', async () => {
    const { running, waiting } = lose();
    const again = createPeer('awake', { lanes: 2 });
    rig.connect(again, [running.requestId]);
    expect(again.idsOf('request')).toEqual([waiting.requestId]);
    await vi.advanceTimersByTimeAsync(graces.connectGraceMs);
    expect(waiting.settled()).toBeUndefined();
  });

  it('what waits goes to the other one as soon as that takes any', () => {
    const { paused, waiting } = lose();
    paused.paused = false;
    rig.dispatcher.pump();
    expect(paused.idsOf('request')).toEqual([waiting.requestId]);
  });

  it('what waits is told why nobody takes it when it does not come back', async () => {
    const { waiting } = lose();
    rig.dispatcher.pump();
    await vi.advanceTimersByTimeAsync(graces.connectGraceMs - 1);
    expect(waiting.settled()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2);
    expect(waiting.settled()).toEqual({ code: 'paused' });
  });
});

it('says that a session ended where one did, even though another is signed out', async () => {
  rig.connect(createPeer('a', { account: signedOut }));
  rig.connect(createPeer('b', { account: accountIn('expired') }));
  expect(await rig.submit().outcome).toEqual({ code: 'puter_session_expired' });
});

it('looks only at the sessions of extensions that are not paused', async () => {
  rig.connect(createPeer('a', { account: signedIn, paused: true }));
  rig.connect(createPeer('b', { account: accountIn('expired'), paused: true }));
  rig.connect(createPeer('c', { account: signedOut }));
  expect(await rig.submit().outcome).toEqual({ code: 'puter_not_signed_in' });
});

it.each(['signed_in', 'verification_required', 'app_blocked', 'unknown'] as const)(
  'lets Puter itself answer where the session is %s',
  (state) => {
    const peer = createPeer('a', { account: accountIn(state) });
    rig.connect(peer);
    const { requestId } = rig.submit();
    expect(peer.idsOf('request')).toEqual([requestId]);
  },
);
