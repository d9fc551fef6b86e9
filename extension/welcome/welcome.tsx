/** Shown once, after the installation: three steps that tick themselves. */

import type { ComponentChildren } from 'preact';

import { Copyable } from '../components/copyable.tsx';
import type { View } from '../components/follow.tsx';
import { Remedy, startCommand } from '../components/hops.tsx';
import { say } from '../components/say.ts';
import { TryIt } from './try-it.tsx';

export function Welcome({ state, status }: View) {
  const { bridge, session } = status.hops;
  const { bridgeAddress } = state.settings;
  const hasBridge = bridge.color === 'green';
  const isSignedIn = session.color === 'green';
  const hasAnswer = state.finished.some(({ failure }) => failure === null);
  const isReady = hasBridge && isSignedIn;
  return (
    <main>
      <header>
        <img src="icons/icon.svg" width="56" height="56" alt="" />
        <h1>{say('welcome_title')}</h1>
        <p class="muted">{say('welcome_lead')}</p>
      </header>
      <ol>
        <Step id="step-bridge" isDone={hasBridge} title={say('step_bridge')} words={bridge.cause}>
          {bridge.fix === 'start_bridge' ? (
            <>
              <p>{say('step_bridge_how')}</p>
              <Copyable text={startCommand(bridgeAddress)} label={say('fix_start_bridge')} />
            </>
          ) : (
            bridge.fix && <Remedy fix={bridge.fix} state={state} />
          )}
        </Step>
        <Step id="step-sign-in" isDone={isSignedIn} title={say('step_sign_in')} words={session.cause}>
          {session.fix === 'sign_in' && <p>{say('step_sign_in_how')}</p>}
          {session.fix && <Remedy fix={session.fix} state={state} />}
        </Step>
        <Step
          id="step-answer"
          isDone={hasAnswer}
          title={say('step_answer')}
          words={isReady ? '' : say('step_answer_wait')}
        >
          <TryIt bridgeAddress={bridgeAddress} isReady={isReady} />
        </Step>
      </ol>
      {isReady && hasAnswer && <p id="all-done">{say('welcome_done')}</p>}
    </main>
  );
}

function Step(props: { id: string; isDone: boolean; title: string; words: string; children: ComponentChildren }) {
  const { id, isDone, title, words, children } = props;
  return (
    <li id={id} class="card step" data-done={isDone}>
      <span class="tick" aria-hidden="true" />
      <div class="grow">
        <h2>
          {title} <span class="visually-hidden">{say(isDone ? 'step_done' : 'step_open')}</span>
        </h2>
        <p class="muted" role="status">
          {words}
        </p>
        {children}
      </div>
    </li>
  );
}
