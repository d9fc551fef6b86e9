import { setTimeout as delay } from 'node:timers/promises';

import { read, send } from './caller.ts';
import { answerTo } from './model.ts';
import { createRandom } from './random.ts';
import { allConnected, startStage, waitUntil } from './stage.ts';

export interface KillReport {
  rounds: number;
  /** Rounds whose call had not begun, or had, when the process died. */
  without: number;
  withCall: number;
  /** Rounds that came to an answer all the same. */
  answered: number;
  /** A key that cost more than one call, or a wrong answer; by round. */
  violations: { round: number; why: string }[];
}

/** From a request's frame to its call and a little further, in milliseconds. */
const spanMs = 20;

/**
 * kill -9 of one process at a random point around the call at the model, over and over, while its caller asks again and
 * again under one Idempotency-Key.
 */
export async function runKillLoop(options: {
  victim: 'extension' | 'bridge';
  rounds: number;
  seed: number;
  onProgress?: (done: number, of: number) => void;
  signal: AbortSignal;
}): Promise<KillReport> {
  const { victim, rounds, seed, onProgress, signal } = options;
  const random = createRandom(seed);
  const report: KillReport = { rounds: 0, without: 0, withCall: 0, answered: 0, violations: [] };
  let armed: 'frame' | 'call' | null = null;
  let killing: Promise<void> = Promise.resolve();

  function strike(at: 'frame' | 'call', afterMs: number): void {
    if (armed !== at) return;
    armed = null;
    const kill = () => (victim === 'bridge' ? stage.restartBridge() : stage.restartExtension(0));
    killing = delay(afterMs).then(kill);
  }

  const stage = await startStage({
    ...{ random, scale: 1, extensions: 1, lanes: 2, pauseMs: () => 3 },
    onAnswer: (_, bytes) => bytes.includes('"type":"request"') && strike('frame', random() * spanMs),
    onHalf: () => strike('call', 0),
  });
  const isUp = () => stage.isBridgeUp && allConnected(stage);
  const callsOf = (prompt: string) => stage.model.calls.filter((call) => call.prompt === prompt);

  async function performRound(round: number): Promise<void> {
    const prompt = `r${round} says?`;
    await waitUntil(isUp, 20_000);
    // One in three is certain to have begun.
    armed = round % 3 === 0 ? 'call' : 'frame';
    for (let tries = 0; tries < 10; tries += 1) {
      const heard = await send({
        port: stage.bridge.port,
        path: '/api/process',
        headers: [`Idempotency-Key: ${prompt.slice(0, -6)}`],
        body: { prompt },
        signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
      });
      if (tries === 0) {
        await killing;
        if (callsOf(prompt).length === 0) report.without += 1;
        else report.withCall += 1;
      }
      const reading = heard.type === 'answer' ? read(heard) : undefined;
      if (reading?.type === 'text') {
        report.answered += 1;
        if (reading.text !== answerTo(prompt).join('')) report.violations.push({ round, why: 'another answer' });
        break;
      }
      if (heard.type === 'answer' && heard.headers.get('x-should-retry') === 'false') break;
      await waitUntil(isUp, 20_000);
      await delay(50);
    }
    const { length } = callsOf(prompt);
    if (length > 1) report.violations.push({ round, why: `${length} calls` });
  }

  try {
    for (let round = 0; round < rounds && !signal.aborted; round += 1) {
      await performRound(round);
      report.rounds += 1;
      onProgress?.(report.rounds, rounds);
    }
    return report;
  } finally {
    await stage.close();
  }
}
