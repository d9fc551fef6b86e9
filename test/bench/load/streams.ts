/** So many streams at once, read to their ends, of each server in turn (like load/callers.ts). */

import { Agent, request } from 'node:http';

import { print, quantile, readOptions } from './options.ts';

export interface StreamsOptions {
  urls: readonly string[];
  streams: number;
  /** First, and not counted. */
  warmUpTurns: number;
  turns: number;
  /** What each stream is made of. */
  chunks: number;
  /** From which to which of them is measured what one is late by: not where all streams begin at once, or end. */
  counted: readonly [number, number];
  body: object;
}

/** What came from one server. */
export interface StreamsResult {
  perSecond: number;
  /** Milliseconds on its way, of each text that says when it was sent. */
  p50: number;
  p99: number;
}

const { urls, streams, warmUpTurns, turns, chunks, counted, body } = readOptions() as StreamsOptions;
const agent = new Agent({ keepAlive: true });
const sums = urls.map(() => ({ seconds: 0, delays: new Array<number>() }));

for (let turn = -warmUpTurns; turn < turns; turn += 1) {
  for (const [at, url] of urls.entries()) {
    const startedAt = performance.now();
    const delays = await Promise.all(Array.from({ length: streams }, () => readStream(url)));
    if (turn < 0) continue;
    const sum = sums[at]!;
    sum.seconds += (performance.now() - startedAt) / 1000;
    for (const ofStream of delays) sum.delays.push(...ofStream.slice(...counted));
  }
}

const results: StreamsResult[] = sums.map(({ seconds, delays }) => ({
  perSecond: (streams * turns * chunks) / seconds,
  p50: quantile(delays, 0.5),
  p99: quantile(delays, 0.99),
}));
print(results);

function readStream(url: string): Promise<number[]> {
  const delays: number[] = [];
  const options = { agent, method: 'POST', headers: { 'Content-Type': 'application/json' } };
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}.`));
      let last: Buffer = Buffer.alloc(0);
      const readTimes = createTimeReader((sentAt) => delays.push(microseconds() / 1000 - sentAt / 1000));
      response.on('data', (bytes: Buffer) => {
        readTimes(bytes);
        last = bytes;
      });
      response.on('end', () => {
        if (last.toString('utf8').endsWith('data: [DONE]\n\n')) resolve(delays);
        else reject(new Error(`A stream of ${url} ended too early.`));
      });
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}

/**
 * Finds each `@MICROSECONDS@` in a text that comes in pieces, and makes neither strings nor anything else of it: this
 * program shares a core with the extensions, and would measure how long it collects garbage itself.
 */
function createTimeReader(onTime: (microseconds: number) => void): (bytes: Uint8Array) => void {
  const [mark, zero] = [0x40, 0x30];
  let time: number | null = null;
  return (bytes) => {
    for (let at = 0; at < bytes.length; at += 1) {
      if (time === null) {
        at = bytes.indexOf(mark, at);
        if (at < 0) return;
        time = 0;
      } else if (bytes[at] === mark) {
        onTime(time);
        time = null;
      } else {
        time = time * 10 + bytes[at]! - zero;
      }
    }
  };
}

/** By the clock that all processes of a machine share. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
