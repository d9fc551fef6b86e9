/**
 * So many callers, each with one request after the other, of each server in turn: the machine may be busier at one moment
 * than at another, and so it is for all of them.
 */

import { setTimeout as delay } from 'node:timers/promises';

import autocannon from 'autocannon';

import { readCpuMs } from '../processes.ts';
import { print, quantile, readOptions } from './options.ts';

export interface CallersOptions {
  servers: readonly { url: string; pid: number; headers?: Record<string, string> | undefined }[];
  callers: number;
  /** First, and not counted: Node makes code fast that ran for long enough, and is slow while it does. */
  warmUpTurns: number;
  turns: number;
  body: object;
}

/** What the callers of one server met. */
export interface CallersResult {
  perSecond: number;
  /** Milliseconds until an answer. */
  p50: number;
  p99: number;
  /** Of the server's processor, for one request. */
  cpuMicros: number;
}

const turnSeconds = 1;
/** Longer than a bridge waits with its database. */
const putOffMs = 600;

const { servers, callers, warmUpTurns, turns, body } = readOptions() as CallersOptions;
const sums = servers.map(() => ({ seconds: 0, cpuMs: 0, times: new Array<number>() }));

for (let turn = -warmUpTurns; turn < turns; turn += 1) {
  for (const [at, server] of servers.entries()) {
    const sum = sums[at]!;
    const cpuBefore = readCpuMs(server.pid);
    const startedAt = performance.now();
    const times: number[] = [];
    const loading = autocannon({
      url: server.url,
      connections: callers,
      duration: turnSeconds,
      sampleInt: 100,
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...server.headers },
      body: JSON.stringify(body),
    });
    const result = await loading.on('response', (_client, _status, _bytes, ms) => void times.push(ms));
    if (result.non2xx > 0 || result.errors > 0)
      throw new Error(`${result.non2xx} refusals and ${result.errors} errors from ${server.url}.`);
    if (turn < 0) continue;
    sum.seconds += (performance.now() - startedAt) / 1000;
    sum.times.push(...times);
    // What a server puts off is its own to pay, and not for the next one to wait for.
    await delay(putOffMs);
    sum.cpuMs += readCpuMs(server.pid) - cpuBefore;
  }
}

const results: CallersResult[] = sums.map(({ seconds, cpuMs, times }) => ({
  perSecond: times.length / seconds,
  p50: quantile(times, 0.5),
  p99: quantile(times, 0.99),
  cpuMicros: (cpuMs * 1000) / times.length,
}));
print(results);
