import * as v from 'valibot';

import { BridgeError } from '#shared/errors.ts';
import { frameToExtensionSchema } from '#shared/protocol.ts';

import { isWholePage } from '../http/guards.ts';
import type { Reply, Route } from '../http/route.ts';
import type { Peer } from '../lifecycle/peer.ts';
import { html } from '../page/html.ts';
import { renderPage } from '../page/layout.ts';
import { say } from '../say.ts';
import type { SignIns } from './sign-ins.ts';

/**
 * Where Puter's sign-in page returns to when the extension could only open it in a tab. The token goes straight on
 * to the extension that asked; the redirect takes it out of the address bar, and nothing here keeps or repeats it.
 */
export function createAuthRoutes(signIns: SignIns<Peer>): Route[] {
  return [
    {
      method: 'GET',
      path: '/auth/callback',
      access: 'secret',
      once: true,
      takesToken: true,
      handle(exchange) {
        if (!isWholePage(exchange)) {
          throw new BridgeError('cross_site_request', 'A sign-in comes back as a page of its own, not inside another.');
        }
        const query = exchange.query();
        const frame = {
          type: 'token',
          state: only(query.getAll('state')),
          token: only(query.getAll('token')),
        };
        const checked = v.safeParse(frameToExtensionSchema, frame);
        const extension = checked.success && checked.output.type === 'token' && signIns.take(checked.output.state);
        if (!checked.success || !extension) return { status: 303, location: '/auth/failed' };
        extension.send(checked.output);
        return { status: 303, location: '/auth/signed-in' };
      },
    },
    { method: 'GET', path: '/auth/signed-in', access: 'open', handle: () => outcome(200, 'green', 'auth_signed_in') },
    { method: 'GET', path: '/auth/failed', access: 'open', handle: () => outcome(400, 'red', 'auth_failed') },
  ];
}

/** Two of a kind are not a sign-in of Puter's: which of them counts is not for us to guess. */
const only = (values: string[]): string | undefined => (values.length === 1 ? values[0] : undefined);

function outcome(status: number, color: 'green' | 'red', key: 'auth_signed_in' | 'auth_failed'): Reply {
  const main = html`<div class="light" data-color="${color}">
        <span class="dot" aria-hidden="true"></span><h1>${say(key)}</h1>
      </div>
      <p>${say(`${key}_next`)}</p>`;
  return { status, text: renderPage(main), contentType: 'text/html; charset=utf-8' };
}
