import { BridgeError } from '#shared/errors.ts';

import type { Route } from '../../http/route.ts';
import { reportError } from './errors.ts';

/** Gives OpenAI's routes what all of them have, and the paths below /v1 without one an answer in the same shape. */
export function createOpenaiRoutes(routes: readonly Route[], options: { newRequestId: () => string }): Route[] {
  const common = {
    reportError,
    fromAllowedOrigins: true,
    // Where a call was made, its own id takes the place of this one.
    headers: () => ({ 'x-request-id': `req_${options.newRequestId()}` }),
  } as const;
  const names = routes
    .filter(({ path }) => path.startsWith('/v1/'))
    .map(({ method, path }) => `${method} ${path.replace(/\*(\w+)/g, '{$1}')}`);
  const missing: Route = {
    method: '*',
    path: '/v1{/*rest}',
    handle() {
      throw new BridgeError('not_found', `The bridge does not have this route. It has ${names.join(', ')}.`);
    },
  };
  return [...routes, missing].map((route) => ({ ...common, ...route }));
}
