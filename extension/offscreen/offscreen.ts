/** Chrome's page that lasts: it holds the station, and asks the service worker for what only that one may do. */

import { askBackground } from '../messages.ts';
import { serveStation } from '../serve-station.ts';
import type { Context } from '../storage.ts';
import { browserName } from './browser-name.ts';

void serveStation({
  browser: browserName(),
  context: askForContext,
  keepSession: (session) => askBackground('keepSession', session),
  keepPairing: (pairing) => askBackground('keepPairing', pairing),
  showState: (state) => askBackground('showState', state),
  reload: () => askBackground('reload'),
});

/** The station cannot work without it, and nobody would start it anew: so this asks until it is told. */
async function askForContext(): Promise<Context> {
  for (;;) {
    try {
      return await askBackground('context');
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
