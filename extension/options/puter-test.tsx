import { useEffect, useRef, useState } from 'preact/hooks';

import { say } from '../components/say.ts';
import { isReachable } from '../is-reachable.ts';
import { fetchModels } from '../puter/models.ts';
import type { Settings } from '../settings.ts';

type Outcome = { isGood: boolean; sentence: string };

/** Tries both addresses without sending the token anywhere. */
export function PuterTest({ settings }: { settings: Settings }) {
  const [isTesting, setTesting] = useState(false);
  const [outcomes, setOutcomes] = useState<Outcome[]>([]);
  const { apiOrigin, guiOrigin } = settings;
  const addresses = `${apiOrigin} ${guiOrigin}`;
  const latest = useRef(addresses);
  latest.current = addresses;
  // What was found at other addresses says nothing of these, nor what is still being looked for there.
  useEffect(() => setOutcomes([]), [addresses]);

  async function test(): Promise<void> {
    setTesting(true);
    const found = await Promise.all([testApi(apiOrigin), testGui(guiOrigin)]);
    setTesting(false);
    if (latest.current === addresses) setOutcomes(found);
  }

  return (
    <div class="row test">
      <button id="test" type="button" disabled={isTesting} onClick={() => void test()}>
        {say(isTesting ? 'testing' : 'test')}
      </button>
      <div id="test-outcome" class="grow small" role="status">
        {outcomes.map(({ isGood, sentence }) => (
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
