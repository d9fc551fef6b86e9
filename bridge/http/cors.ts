import type { IncomingHttpHeaders } from 'node:http';

/** Lets a page of `origin` read an answer, and of its headers those that it can act on. Never with credentials. */
export const sharingHeaders = (origin: string) => ({
  'Access-Control-Allow-Origin': origin,
  'Access-Control-Expose-Headers': 'x-request-id, x-puter-bridge-fidelity, x-should-retry, retry-after',
  Vary: 'Origin',
});

/** What official clients send; a family goes by its beginning. */
const allowedHeader =
  /^(authorization|content-type|x-api-key|api-key|x-request-id|idempotency-key|user-agent|http-referer|x-title|(anthropic|openai|x-stainless|x-puter-bridge)-[\w!#$%&'*+.^`|~-]+)$/;

/** What a browser asks before it sends JSON, a key or a header of a client's own. `methods` are those of the path. */
export function preflightHeaders(headers: IncomingHttpHeaders, methods: string): Record<string, string> {
  const asked = (headers['access-control-request-headers'] ?? '').toLowerCase().split(',');
  const allowed = asked.map((name) => name.trim()).filter((name) => allowedHeader.test(name));
  return {
    'Access-Control-Allow-Methods': methods,
    ...(allowed.length > 0 && { 'Access-Control-Allow-Headers': [...new Set(allowed)].join(', ') }),
    // Some versions of Chrome ask it of what is on this machine; those since 142 ask the person instead.
    ...(headers['access-control-request-private-network'] === 'true' && {
      'Access-Control-Allow-Private-Network': 'true',
    }),
    'Access-Control-Max-Age': '600',
    Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network',
  };
}
