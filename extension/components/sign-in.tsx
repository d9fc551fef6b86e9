import { useState } from 'preact/hooks';

import type { SignInOutcome } from '../background/sign-in.ts';
import { askBackground } from '../messages.ts';
import { say } from './say.ts';

/** Signing in with one button, and with a second way once the first did not lead there. */
export function SignIn({ label }: { label: string }) {
  const [isAsking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState<SignInOutcome | null>(null);

  async function ask(way: 'signIn' | 'signInInTab'): Promise<void> {
    setAsking(true);
    setOutcome(null);
    const failed: SignInOutcome = { status: 'failed', sentence: 'no_answer' };
    setOutcome(await askBackground(way).catch(() => failed));
    setAsking(false);
  }

  return (
    <div class="sign-in">
      <button type="button" class="primary" disabled={isAsking} onClick={() => void ask('signIn')}>
        {isAsking ? say('sign_in_waiting') : label}
      </button>
      <p role="alert" class={outcome?.status === 'failed' ? 'problem small' : 'small'}>
        {outcome?.sentence && say(outcome.sentence)}
      </p>
      {outcome?.status === 'failed' && (
        <button type="button" class="quiet" onClick={() => void ask('signInInTab')}>
          {say('sign_in_use_tab')}
        </button>
      )}
    </div>
  );
}
