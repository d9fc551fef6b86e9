import { useEffect, useState } from 'preact/hooks';

import type { SignInOutcome } from '../background/sign-in.ts';
import { askBackground } from '../messages.ts';
import { followSignInOutcome } from '../storage.ts';
import { say } from './say.ts';

/** Signing in with one button, and with a second way once the first did not lead there. */
export function SignIn({ label, awaitsTab }: { label: string; awaitsTab: boolean }) {
  const [isAsking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState<SignInOutcome | null>(null);
  // The popup closes when Puter's window opens: how that goes shows when it is opened again.
  useEffect(() => followSignInOutcome(setOutcome), []);

  async function ask(way: 'signIn' | 'signInInTab'): Promise<void> {
    if (isAsking) return;
    setAsking(true);
    const failed: SignInOutcome = { status: 'failed', sentence: 'no_answer' };
    setOutcome(await askBackground(way).catch(() => failed));
    setAsking(false);
  }

  // While this page asks, its button says so.
  const told = isAsking ? null : outcome;
  const isInTab = told?.status === 'in_tab';
  // What to do in a tab counts only for as long as something can come of it.
  const isOver = isInTab && !awaitsTab;
  return (
    <div class="sign-in">
      <button type="button" class="primary" aria-disabled={isAsking} onClick={() => void ask('signIn')}>
        {isAsking ? say('sign_in_waiting') : label}
      </button>
      <p role="alert" class={told?.status === 'failed' ? 'problem small' : 'small'}>
        {told?.sentence && !isOver && say(told.sentence)}
      </p>
      {told && (isOver || !isInTab) && (
        <button type="button" class="quiet" onClick={() => void ask('signInInTab')}>
          {say('sign_in_use_tab')}
        </button>
      )}
    </div>
  );
}
