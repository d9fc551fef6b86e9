import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { accountIn, createPeer, createRig, end, signedIn, signedOut, type Rig } from './dispatcher-rig.ts';

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
