import { useEffect, useRef, useState } from 'preact/hooks';

import { readCode } from '#shared/pairing/code.ts';
import type { MessageKey } from '#shared/say.ts';

import { askStation } from '../messages.ts';
import type { PairingProblem } from '../relay/endings.ts';
import { say } from './say.ts';

const sentences = {
  wrong_code: 'pair_wrong_code',
  code_expired: 'pair_code_expired',
  too_many_tries: 'pair_too_many_tries',
  other_bridge: 'pair_other_bridge',
  no_answer: 'pair_no_answer',
} as const satisfies Record<PairingProblem, MessageKey>;

/** Where the person types the code that the bridge shows, once. */
export function Pairing({ bridgeAddress }: { bridgeAddress: string }) {
  const [typed, setTyped] = useState('');
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState<MessageKey | null>(null);
  const field = useRef<HTMLInputElement>(null);
  // The popup is opened for this; on a page where somebody does something else, the focus stays there.
  useEffect(() => void (document.activeElement === document.body && field.current?.focus()), []);

  async function pair(): Promise<void> {
    if (isAsking) return;
    const code = readCode(typed);
    if (code === null) return complain('pair_malformed');
    setAsking(true);
    setProblem(null);
    const found = await askStation('pair', code).catch((): PairingProblem => 'no_answer');
    setAsking(false);
    if (found !== null) complain(sentences[found]);
  }

  function complain(sentence: MessageKey): void {
    setProblem(sentence);
    field.current?.focus();
    field.current?.select();
  }

  return (
    <form
      class="pair"
      onSubmit={(event) => {
        event.preventDefault();
        void pair();
      }}
    >
      <label for="pairing-code">{say('pair_code')}</label>
      <div class="row">
        <input
          id="pairing-code"
          class="grow"
          value={typed}
          ref={field}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          placeholder="XXXX-XXXX"
          aria-describedby="pairing-hint pairing-problem"
          aria-invalid={problem !== null}
          onInput={({ currentTarget }) => {
            setTyped(currentTarget.value);
            setProblem(null);
          }}
        />
        <button type="submit" class="primary" aria-disabled={isAsking}>
          {say(isAsking ? 'pair_waiting' : 'fix_pair')}
        </button>
      </div>
      <p id="pairing-problem" role="alert" class="problem small">
        {problem && say(problem)}
      </p>
      <p id="pairing-hint" class="muted small">
        {say('pair_hint')}{' '}
        <a href={`${bridgeAddress}/`} target="_blank" rel="noreferrer">
          {say('pair_page')}
        </a>
      </p>
    </form>
  );
}
