import { readFile } from 'node:fs/promises';

import { BridgeError } from '#shared/errors.ts';

import type { Audience } from '../audience.ts';
import { findExtensionFolder } from '../extension-folder.ts';
import type { Reply, Route } from '../http/route.ts';
import type { StatusHub } from '../status.ts';
import { renderStatusPage } from './status-page.ts';

/** What a person or a monitor looks at: the page, its files, the status, and whether anybody is home. */
export function createPageRoutes({ status, audience }: { status: StatusHub; audience: Audience }): Route[] {
  function readStatus(): Reply {
    audience.look();
    return { status: 200, body: status.read() };
  }

  return [
    {
      method: 'GET',
      path: '/health',
      fromExtension: true,
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
        exchange.hangUp.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true });
        return undefined;
      },
    },
    {
      method: 'GET',
      path: '/',
      handle(exchange) {
        const { accept = '', host } = exchange.headers;
        if (accept.includes('application/json') && !accept.includes('text/html')) return readStatus();
        audience.look();
        const text = renderStatusPage(status.read(), `http://${host}`, findExtensionFolder());
        return { status: 200, text, contentType: 'text/html; charset=utf-8' };
      },
    },
    {
      method: 'GET',
      path: '/style.css',
      handle: () => file(new URL('../../shared/style/style.css', import.meta.url), 'text/css'),
    },
    { method: 'GET', path: '/page.css', handle: () => file(new URL('page.css', import.meta.url), 'text/css') },
    {
      method: 'GET',
      path: '/icon.svg',
      handle: () => file(new URL('../../extension/icons/icon.svg', import.meta.url), 'image/svg+xml'),
    },
    {
      method: 'GET',
      path: '/page.js',
      // Made by `npm run build`; without it the page is right when loaded, and only does not follow.
      handle: () => file(new URL('../../dist/bridge/page.js', import.meta.url), 'text/javascript'),
    },
  ];
}

async function file(url: URL, type: string): Promise<Reply> {
  try {
    return { status: 200, text: await readFile(url, 'utf8'), contentType: `${type}; charset=utf-8` };
  } catch (cause) {
    throw new BridgeError('not_found', 'This file was not built. Run “npm run build”.', { cause });
  }
}
