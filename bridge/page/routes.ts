import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';

import { BridgeError } from '#shared/errors.ts';

import type { Audience } from '../audience.ts';
import { findExtensionFolder } from '../extension-folder.ts';
import type { Reply, Route } from '../http/route.ts';
import { onAbort } from '../on-abort.ts';
import type { PairingView } from '../pairing/offers.ts';
import type { StatusHub } from '../status.ts';
import { renderLockedPage, renderStatusPage } from './status-page.ts';

/** What a person or a monitor looks at: the page, its files, the status, and whether anybody is home. */
export function createPageRoutes(options: {
  status: StatusHub;
  audience: Audience;
  /** Aborts when the bridge begins to stop: whoever follows it would keep it from doing so. */
  stopping: AbortSignal;
  /** Aborts with the first key. */
  locked: AbortSignal;
  /** Shown on the page alone: no other web page can read that. */
  pairing: () => PairingView | null;
}): Route[] {
  const { status, audience, stopping, locked, pairing } = options;

  function readStatus(): Reply {
    audience.look();
    return { status: 200, body: status.read() };
  }

  return [
    {
      method: 'GET',
      path: '/health',
      access: 'open',
      fromExtension: 'any',
      fromAllowedOrigins: true,
      handle: () => ({ status: 200, body: { status: 'ok' } }),
    },
    {
      method: 'GET',
      path: '/api/status',
      fromAllowedOrigins: true,
      handle(exchange) {
        if (!exchange.headers.accept?.includes('text/event-stream')) return readStatus();
        const events = exchange.startEvents();
        // A bridge that was restarted is followed again within a second.
        events.sendRaw('retry: 1000');
        events.send(status.read());
        const stops = [status.watch(events.send), audience.follow()];
        const end = () => {
          for (const stop of stops.splice(0)) stop();
          events.end();
        };
        exchange.hangUp.on(end);
        stops.push(onAbort(stopping, end));
        if (!exchange.revoked) {
          const lockOut = () => {
            // Told once more, the page asks anew, and is told that it needs a key.
            events.send(status.read());
            end();
          };
          stops.push(onAbort(locked, lockOut));
        }
        return undefined;
      },
    },
    {
      method: 'GET',
      path: '/',
      access: 'open',
      handle(exchange) {
        const { headers, problem } = exchange;
        if (headers.accept?.includes('application/json') && !headers.accept.includes('text/html')) {
          if (problem) throw problem;
          return readStatus();
        }
        const url = `http://${headers.host}`;
        if (!problem) audience.look();
        const text = problem
          ? renderLockedPage(url)
          : renderStatusPage({
              status: status.read(),
              pairing: isReadByPerson(headers) ? pairing() : null,
              url,
              extensionFolder: findExtensionFolder(),
            });
        return { status: 200, text, contentType: 'text/html; charset=utf-8' };
      },
    },
    {
      method: 'GET',
      path: '/style.css',
      access: 'open',
      handle: () => file(new URL('../../shared/style/style.css', import.meta.url), 'text/css'),
    },
    {
      method: 'GET',
      path: '/page.css',
      access: 'open',
      handle: () => file(new URL('page.css', import.meta.url), 'text/css'),
    },
    {
      method: 'GET',
      path: '/icon.svg',
      access: 'open',
      handle: () => file(new URL('../../extension/icons/icon.svg', import.meta.url), 'image/svg+xml'),
    },
    {
      method: 'GET',
      path: '/page.js',
      access: 'open',
      // Made by `npm run build`; without it the page is right when loaded, and only does not follow.
      handle: () => file(new URL('../../dist/bridge/page.js', import.meta.url), 'text/javascript'),
    },
  ];
}

/**
 * The page in a tab, or what that fetches for itself, as browsers say and no script of another origin can: an extension
 * that may read all websites shall not read the code that pairs it.
 */
const isReadByPerson = (headers: IncomingHttpHeaders): boolean =>
  headers['sec-fetch-dest'] === 'document' || headers['sec-fetch-site'] === 'same-origin';

async function file(url: URL, type: string): Promise<Reply> {
  try {
    return { status: 200, text: await readFile(url, 'utf8'), contentType: `${type}; charset=utf-8` };
  } catch (cause) {
    throw new BridgeError('not_found', 'This file was not built. Run “npm run build”.', { cause });
  }
}
