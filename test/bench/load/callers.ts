/** So many callers, each with one request after the other. */

import autocannon from 'autocannon';

import { print, quantile, readOptions } from './options.ts';

interface CallersOptions {
  url: string;
  callers: number;
  seconds: number;
  body: object;
  headers?: Record<string, string>;
}

const { url, callers, seconds, body, headers } = readOptions() as CallersOptions;
const times: number[] = [];
const loading = autocannon({
  url,
  connections: callers,
  duration: seconds,
  method: 'POST',
  headers: { 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
const result = await loading.on('response', (_client, _status, _bytes, ms) => void times.push(ms));
if (result.non2xx > 0 || result.errors > 0)
  throw new Error(`${result.non2xx} refusals and ${result.errors} errors from ${url}.`);
print({
  requests: result['2xx'],
  perSecond: result['2xx'] / result.duration,
  p50: quantile(times, 0.5),
  p99: quantile(times, 0.99),
});
