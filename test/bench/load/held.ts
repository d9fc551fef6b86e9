/** So many requests that are never answered, held until this is ended. */

import { Agent, request } from 'node:http';

import { readOptions } from './options.ts';

interface HeldOptions {
  url: string;
  count: number;
  body: object;
}

const { url, count, body } = readOptions() as HeldOptions;
const agent = new Agent({ maxSockets: Infinity });
const text = JSON.stringify(body);
const atOnce = 100;

for (let sent = 0; sent < count; sent += atOnce) await Promise.all(Array.from({ length: atOnce }, send));
console.log('ready');
setInterval(() => {}, 60_000);

function send(): Promise<void> {
  const asked = request(url, { agent, method: 'POST', headers: { 'Content-Type': 'application/json' } });
  asked.on('response', ({ statusCode }) => {
    throw new Error(`${url} answered ${statusCode}.`);
  });
  return new Promise((resolve) => asked.end(text, () => resolve()));
}
