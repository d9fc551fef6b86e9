import { useEffect, useState } from 'preact/hooks';

import { say } from '../components/say.ts';
import { isReachable } from '../is-reachable.ts';
import { fetchModels } from '../puter/models.ts';
import type { Settings } from '../settings.ts';

type Outcome = { isGood: boolean; sentence: string };

/** Tries both addresses without sending the token anywhere. */
export function PuterTest({ settings }: { settings: Settings }) {
  const [presses, setPresses] = useState(0);
  /** Null while it is looked for. */
  const [outcomes, setOutcomes] = useState<Outcome[] | null>([]);
  const { apiOrigin, guiOrigin } = settings;
  // What was found at other addresses says nothing of these, and what was typed is saved only after the press.
  useEffect(() => {
    if (presses === 0) return undefined;
    let isCurrent = true;
    setOutcomes(null);
    void Promise.all([testApi(apiOrigin), testGui(guiOrigin)]).then((found) => isCurrent && setOutcomes(found));
    return () => void (isCurrent = false);
  }, [presses, apiOrigin, guiOrigin]);

  return (
    <div class="row test">
      <button id="test" type="button" disabled={outcomes === null} onClick={() => setPresses(presses + 1)}>
        {say(outcomes === null ? 'testing' : 'test')}
      </button>
      <div id="test-outcome" class="grow small" role="status">
        {outcomes?.map(({ isGood, sentence }) => (
          <p key={sentence} class={isGood ? 'good' : 'problem'}>
            {sentence}
          </p>
        ))}
      </div>
    </div>
  );
}

const testApi = (origin: string): Promise<Outcome> =>
  fetchModels(origin).then(
    (models) => ({ isGood: true, sentence: say('test_api_good', origin, String(models.length)) }),
    () => ({ isGood: false, sentence: say('test_api_bad', origin) }),
  );

const testGui = async (origin: string): Promise<Outcome> =>
  (await isReachable(origin, AbortSignal.timeout(5000)))
    ? { isGood: true, sentence: say('test_gui_good', origin) }
    : { isGood: false, sentence: say('test_gui_bad', origin) };
