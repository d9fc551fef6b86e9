/** So many streams at once, read to their ends, so many times. */

import { Agent, request } from 'node:http';

import { print, quantile, readOptions } from './options.ts';

interface StreamsOptions {
  url: string;
  streams: number;
  times: number;
  /** What each stream is made of. */
  chunks: number;
  body: object;
  headers?: Record<string, string>;
}

const { url, streams, times, chunks, body, headers } = readOptions() as StreamsOptions;
const agent = new Agent({ keepAlive: true });
/** Of each text that says when it was sent. */
const delays: number[] = [];

const startedAt = performance.now();
for (let time = 0; time < times; time += 1) await Promise.all(Array.from({ length: streams }, readStream));
const seconds = (performance.now() - startedAt) / 1000;
print({
  perSecond: (streams * times * chunks) / seconds,
  p50: quantile(delays, 0.5),
  p99: quantile(delays, 0.99),
});

function readStream(): Promise<void> {
  const options = { agent, method: 'POST', headers: { 'Content-Type': 'application/json', ...headers } };
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}.`));
      let last = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        for (const [, sentAt] of text.matchAll(/@(\d+)@/g)) delays.push(microseconds() / 1000 - Number(sentAt) / 1000);
        last = text;
      });
      response.on('end', () => {
        if (last.endsWith('data: [DONE]\n\n')) resolve();
        else reject(new Error(`A stream of ${url} ended too early.`));
      });
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}

/** By the clock that all processes of a machine share. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
