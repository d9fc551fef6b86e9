import { setFlagsFromString } from 'node:v8';

/**
 * V8 for thousands of requests that each live for a moment, so that its young generation frees nearly all of them. Only
 * once all is loaded: what Node brings along compiled is of no use to it any more after that. How large that generation
 * may grow is fixed before any code runs, so that it stands in `npm start`: half of what Node takes, for held requests
 * fill it.
 */
export function tuneMemory(): void {
  // What some line made that lived for long is made among the old from then on, dead or alive until a full collection, and
  // with it whatever hangs on it: with 256 callers that is every request.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // To wake threads for it takes longer than they save.
  setFlagsFromString('--no-parallel-scavenge');
}
