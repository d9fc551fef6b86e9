import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

import { BridgeError } from '#shared/errors.ts';

/**
 * Keeps web pages out. Programs on this machine send no Origin; browsers always say who asks, and a page can
 * forge neither Origin nor Host nor Sec-Fetch-Site. Strings are compared, never parsed: a parser's idea of a
 * host is where such checks break. Returns the one of `origins` that asks, null for programs and the bridge's page.
 * `hosts` are names that the bridge goes by beside those of this machine.
 */
export function checkCaller(
  request: IncomingMessage,
  origins: readonly string[],
  hosts: readonly string[] = [],
): string | null {
  checkHost(request, hosts);
  // Which of two is meant is not for us to guess.
  if ((request.headersDistinct['origin'] ?? []).length > 1) {
    throw new BridgeError('duplicate_header', 'Send one Origin header, or none.');
  }
  const { origin } = request.headers;
  if (origin !== undefined && origins.includes(origin)) return origin;
  if (origin !== undefined && !ownOrigins(request, hosts).includes(origin)) {
    throw new BridgeError(
      'origin_not_allowed',
      'Web pages may not call this. Call it from a program; --help tells of --allow-origin, which opens the API to pages.',
    );
  }
  const site = request.headers['sec-fetch-site'];
  // A link to the status page is a navigation: it shows the person something and tells the other site nothing.
  const navigation =
    request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate' && isWholePage(request);
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !navigation) {
    throw new BridgeError('cross_site_request', 'Another site may not call the bridge from the browser.');
  }
  if (request.method === 'OPTIONS') {
    throw new BridgeError('cors_not_enabled', 'OPTIONS is for pages of an origin that --allow-origin names.');
  }
  return null;
}

/** False for frames and for what a script fetches, by what the browser says; programs say nothing of it. */
export const isWholePage = ({ headers }: { headers: IncomingHttpHeaders }): boolean =>
  (headers['sec-fetch-dest'] ?? 'document') === 'document';

/** Against DNS rebinding: a page that made its own name point here still sends its own name. */
export function checkHost(request: IncomingMessage, hosts: readonly string[] = []): void {
  const host = request.headers.host?.toLowerCase() ?? '';
  const port = request.socket.localPort;
  const allowed = ['127.0.0.1', 'localhost', '[::1]', ...hosts].flatMap((name) => [name, `${name}:${port}`]);
  if (!allowed.includes(host)) {
    throw new BridgeError('host_not_allowed', `Call the bridge as http://127.0.0.1:${port}.`);
  }
}

const ownOrigins = (request: IncomingMessage, hosts: readonly string[]): string[] =>
  ['127.0.0.1', 'localhost', ...hosts].map((name) => `http://${name}:${request.socket.localPort}`);
