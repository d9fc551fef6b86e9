import type { LaneName } from '../lanes/lane-messages.ts';

/**
 * puter.js reads these while it loads: import this module before it. Without the first it opens a socket of its
 * own and calls Puter twice at every start; the second silences an advertisement in the console.
 */
const { apiOrigin, guiOrigin } = JSON.parse(self.name) as LaneName;
Object.assign(globalThis, {
  puter_socket_enabled: false,
  PUTER_QUIET: true,
  PUTER_API_ORIGIN: apiOrigin,
  PUTER_ORIGIN: guiOrigin,
});
