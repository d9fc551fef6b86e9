import { useEffect, useState } from 'preact/hooks';

import type { SignInOutcome } from '../background/sign-in.ts';
import { askBackground } from '../messages.ts';
import { readSignInOutcome } from '../storage.ts';
import { say } from './say.ts';

/** Signing in with one button, and with a second way once the first did not lead there. */
export function SignIn({ label, awaitsTab }: { label: string; awaitsTab: boolean }) {
  const [isAsking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState<SignInOutcome | null>(null);
  // The popup closes when Puter's window opens: how that went shows when it is opened again.
  useEffect(() => void readSignInOutcome().then(setOutcome), []);

  async function ask(way: 'signIn' | 'signInInTab'): Promise<void> {
    if (isAsking) return;
    setAsking(true);
    setOutcome(null);
    const failed: SignInOutcome = { status: 'failed', sentence: 'no_answer' };
    setOutcome(await askBackground(way).catch(() => failed));
    setAsking(false);
  }

  const isInTab = outcome?.status === 'in_tab';
  // What to do in a tab counts only for as long as something can come of it.
  const isOver = isInTab && !awaitsTab;
  return (
    <div class="sign-in">
      <button type="button" class="primary" aria-disabled={isAsking} onClick={() => void ask('signIn')}>
        {isAsking ? say('sign_in_waiting') : label}
      </button>
      <p role="alert" class={outcome?.status === 'failed' ? 'problem small' : 'small'}>
        {outcome?.sentence && !isOver && say(outcome.sentence)}
      </p>
      {outcome && (isOver || !isInTab) && (
        <button type="button" class="quiet" onClick={() => void ask('signInInTab')}>
          {say('sign_in_use_tab')}
        </button>
      )}
    </div>
  );
}
