import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

import { BridgeError } from '#shared/errors.ts';

/**
 * Who may ask, and how. Each guard throws a `BridgeError` or lets the request go on to the next; they stand here in
 * the order in which they answer, so that every request has one answer. What is no HTTP was refused before (server.ts);
 * the key, route and method come after (app.ts), and then the body (body.ts). The extension's socket passes the same
 * ones (upgrade.ts).
 *
 * Strings are compared, never parsed: a parser's idea of a host is where such checks break.
 */

/** What the place that a request goes to lets in. */
export interface Place {
  /** Names that the bridge goes by beside those of this machine. */
  hosts: readonly string[];
  /** Whether pages of this origin may ask, beside the bridge's own. */
  takes: (origin: string) => boolean;
  /** Puter's sign-in page hands its token over by the address. */
  takesToken: boolean;
}

/** Returns the origin that asks where the place takes it, null for programs and the bridge's page. */
export function checkRequest(request: IncomingMessage, { hosts, takes, takesToken }: Place): string | null {
  checkHost(request, hosts);
  checkDoubled(request);
  const origin = checkOrigin(request, { hosts, takes });
  if (origin === null) checkSite(request);
  if (!takesToken) checkQuery(request);
  if (origin === null) checkOptions(request);
  return origin;
}

/** Before all others, since the target decides on the place. Nobody who means the bridge asks it as a proxy. */
export function checkTarget({ url = '' }: IncomingMessage): void {
  const path = pathOf(url);
  if (path.startsWith('/') && !path.startsWith('//') && !path.includes('\\') && !path.includes('#')) return;
  throw new BridgeError('invalid_request_target', 'Ask for a path of the bridge, such as /health.');
}

/** Against DNS rebinding: a page that made its own name point here still sends its own name. */
export function checkHost(request: IncomingMessage, hosts: readonly string[]): void {
  const given = request.headers.host?.toLowerCase();
  if (given === undefined || isDoubled(request, 'host')) throw new BridgeError('invalid_host', 'Send one Host header.');
  // A Unix socket has no port.
  const { localPort: port } = request.socket;
  const ending = port === undefined ? '' : `:${port}`;
  const isOurs = (name: string) => ownHosts.includes(name) || name === '[::1]' || hosts.includes(name);
  if (isOurs(given) || (given.endsWith(ending) && isOurs(given.slice(0, given.length - ending.length)))) return;
  throw new BridgeError('host_not_allowed', `Call the bridge as http://127.0.0.1${ending}.`);
}

const ownHosts = ['127.0.0.1', 'localhost'];

/** Which of two is meant is not for us to guess, where it decides who asks or how the body is read. */
export function checkDoubled(request: IncomingMessage): void {
  if (!hasDoubled(request)) return;
  const doubled = deciding.find((name) => isDoubled(request, name));
  if (doubled !== undefined) throw new BridgeError('duplicate_header', `Send one ${doubled} header, or none.`);
}

const isDoubled = (request: IncomingMessage, name: string): boolean =>
  hasDoubled(request) && (request.headersDistinct[name]?.length ?? 0) > 1;

/** Few requests have any header twice, and only for them is it worth to gather all that each header said. */
const hasDoubled = ({ headers, rawHeaders }: IncomingMessage): boolean =>
  Object.keys(headers).length * 2 < rawHeaders.length;

const deciding = [
  ...['origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest', 'authorization', 'x-api-key', 'api-key'],
  ...['content-type', 'content-encoding', 'expect', 'idempotency-key'],
];

/** Programs on this machine send no Origin; browsers always do, and a page can forge neither it nor Sec-Fetch-Site. */
function checkOrigin(request: IncomingMessage, { hosts, takes }: Pick<Place, 'hosts' | 'takes'>): string | null {
  const { origin } = request.headers;
  if (origin === undefined) return null;
  if (takes(origin)) return origin;
  const { localPort: port } = request.socket;
  if ([...ownHosts, ...hosts].some((name) => port !== undefined && origin === `http://${name}:${port}`)) return null;
  throw new BridgeError(
    'origin_not_allowed',
    'Web pages may not call this. Call it from a program; --help tells of --allow-origin, which opens the API to pages.',
  );
}

function checkSite(request: IncomingMessage): void {
  const site = request.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  // A link to the status page is a navigation: it shows the person something and tells the other site nothing.
  if (request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate' && isWholePage(request)) return;
  throw new BridgeError('cross_site_request', 'Another site may not call the bridge from the browser.');
}

/** False for frames and for what a script fetches, by what the browser says; programs say nothing of it. */
export const isWholePage = ({ headers }: { headers: IncomingHttpHeaders }): boolean =>
  (headers['sec-fetch-dest'] ?? 'document') === 'document';

/** An address ends up in histories and logs, a header does not. */
function checkQuery({ url = '' }: IncomingMessage): void {
  const at = url.indexOf('?');
  if (at === -1) return;
  for (const name of new URLSearchParams(url.slice(at)).keys()) {
    if (!secretNames.has(name.toLowerCase())) continue;
    throw new BridgeError('token_in_query', 'Send a key as “Authorization: Bearer …”, never in the address.');
  }
}

const secretNames = new Set(['token', 'api_key', 'key', 'access_token']);

function checkOptions({ method }: IncomingMessage): void {
  if (method !== 'OPTIONS') return;
  throw new BridgeError('cors_not_enabled', 'OPTIONS is for pages of an origin that --allow-origin names.');
}

/** Without the query. */
function pathOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? url : url.slice(0, at);
}
