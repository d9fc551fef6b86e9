import { useState } from 'preact/hooks';
import * as v from 'valibot';

import { duration } from '../components/format.ts';
import { say } from '../components/say.ts';

/** What the bridge answers; see README of the project for the whole of it. */
const answerSchema = v.variant('status', [
  v.object({ status: v.literal('success'), result: v.string(), model: v.string(), duration_ms: v.number() }),
  v.object({ status: v.literal('error'), error: v.string() }),
]);

type Shown = { text: string; about: string | null; isGood: boolean };

/** A prompt of one's own, answered the way every caller is: by HTTP through the bridge. */
export function TryIt({ bridgeAddress, isReady }: { bridgeAddress: string; isReady: boolean }) {
  const [prompt, setPrompt] = useState(say('try_prompt'));
  const [isAsking, setAsking] = useState(false);
  const [shown, setShown] = useState<Shown | null>(null);

  async function ask(): Promise<void> {
    setAsking(true);
    setShown(null);
    setShown(await askBridge(bridgeAddress, prompt));
    setAsking(false);
  }

  return (
    <form
      class="try"
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      <label for="prompt">{say('try_label')}</label>
      <div class="row">
        <input
          id="prompt"
          class="grow"
          value={prompt}
          autocomplete="off"
          onInput={({ currentTarget }) => setPrompt(currentTarget.value)}
        />
        <button id="try" type="submit" class="primary" disabled={!isReady || isAsking || prompt.trim() === ''}>
          {say(isAsking ? 'try_waiting' : 'try_send')}
        </button>
      </div>
      <div id="answer" aria-live="polite">
        {shown && (
          <>
            <p class={shown.isGood ? 'answer' : 'answer problem'}>{shown.text}</p>
            <p class="muted small">{shown.about}</p>
          </>
        )}
      </div>
    </form>
  );
}

async function askBridge(bridgeAddress: string, prompt: string): Promise<Shown> {
  try {
    const response = await fetch(`${bridgeAddress}/api/process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ prompt }),
    });
    const answer = v.parse(answerSchema, await response.json());
    if (answer.status === 'error') return { text: answer.error, about: null, isGood: false };
    const model = answer.model === 'default' ? say('model_default') : answer.model;
    const about = say('try_about', model, duration(answer.duration_ms));
    return { text: answer.result, about, isGood: true };
  } catch {
    return { text: say('try_failed', bridgeAddress), about: null, isGood: false };
  }
}
