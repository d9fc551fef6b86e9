/** The small window behind the icon: how things are now, and the one thing to do about it. */

import { CopyButton, Copyable } from '../components/copyable.tsx';
import type { View } from '../components/follow.tsx';
import { Hops, LightLine } from '../components/hops.tsx';
import { say } from '../components/say.ts';
import { askBackground } from '../messages.ts';
import { AllowanceBar } from './allowance.tsx';
import { FinishedCalls, RunningCalls } from './calls.tsx';

export function Popup({ state, status }: View) {
  const { hasSession, paused } = state;
  const { bridgeAddress } = state.settings;
  const isSignedIn = state.hops.session.state === 'signed_in';
  return (
    <>
      <header class="row">
        <img src="icons/icon-32.png" width="22" height="22" alt="" />
        <h1 class="grow">{say('name')}</h1>
        <button id="pause" type="button" onClick={() => void askBackground('pause', !paused)}>
          {say(paused ? 'resume' : 'pause')}
        </button>
      </header>
      <main>
        <LightLine light={status.light} />
        <Hops state={state} status={status} />
        {state.durability === 'degraded' && (
          <p id="durability" class="warning" role="status">
            {say('not_durable')}
          </p>
        )}
        <RunningCalls calls={state.running} queued={state.queued ?? 0} />
        {isSignedIn && <AllowanceBar allowance={state.allowance} plan={state.plan} lanes={state.lanes} />}
        <FinishedCalls calls={state.finished} />
        <section class="row" aria-label={say('connect')}>
          <Copyable text={bridgeAddress} label={say('base_url')} />
          <CopyButton text={curl(bridgeAddress)}>{say('copy_curl')}</CopyButton>
        </section>
      </main>
      <footer class="row">
        <a id="options" href="options.html" target="_blank">
          {say('options')}
        </a>
        <a id="page" class="grow" href={`${bridgeAddress}/`} target="_blank" rel="noreferrer">
          {say('bridge_page')}
        </a>
        {hasSession && (
          <button
            id="sign-out"
            type="button"
            class="quiet"
            title={say('sign_out_hint')}
            onClick={() => void askBackground('signOut')}
          >
            {say('sign_out')}
          </button>
        )}
      </footer>
    </>
  );
}

const curl = (address: string): string =>
  `curl ${address}/api/process -H 'Content-Type: application/json' -d '{"prompt":"Say hello"}'`;
