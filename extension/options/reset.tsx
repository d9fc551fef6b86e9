import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { say } from '../components/say.ts';
import { askBackground } from '../messages.ts';
import { defaultSettings } from '../settings.ts';

/** Back to the defaults, asked once more before it is done. */
export function Reset({ onDone }: { onDone: () => void }) {
  const [step, setStep] = useState<'offered' | 'asked' | 'kept' | 'done'>('offered');
  const keep = useRef<HTMLButtonElement>(null);
  const offer = useRef<HTMLButtonElement>(null);
  // The button that was pressed goes: before the page sees that and moves the focus to its top, it gets a place here.
  useLayoutEffect(() => {
    if (step === 'asked') keep.current?.focus();
    else if (step !== 'offered') offer.current?.focus();
  }, [step]);

  async function reset(): Promise<void> {
    await askBackground('changeSettings', defaultSettings);
    setStep('done');
    onDone();
  }
  return (
    <section class="reset row" aria-label={say('reset')}>
      {step === 'asked' ? (
        <>
          <span class="grow" role="alert">
            {say('reset_question')}
          </span>
          <button key="confirm" id="reset-confirm" type="button" class="primary" onClick={() => void reset()}>
            {say('reset_confirm')}
          </button>
          <button key="keep" type="button" ref={keep} onClick={() => setStep('kept')}>
            {say('keep')}
          </button>
        </>
      ) : (
        <>
          <button key="offer" id="reset" type="button" ref={offer} onClick={() => setStep('asked')}>
            {say('reset')}
          </button>
          <span role="status" class="good">
            {step === 'done' && say('reset_done')}
          </span>
        </>
      )}
    </section>
  );
}
