import { setTimeout as delay } from 'node:timers/promises';

import { answerTo, type ModelCall } from './model.ts';
import { read, send, type Heard } from './caller.ts';
import { makePlan, type Phase, type PlannedRequest } from './plan.ts';
import { createRandom } from './random.ts';
import { checkAfterwards, type Measured } from './afterwards.ts';
import { createNotices } from './notices.ts';
import { allConnected, startStage, waitUntil } from './stage.ts';
import { startToxicProxy, type ToxicProxy } from './toxic-proxy.ts';

export interface FaultRunOptions {
  seed: number;
  requests: number;
  /** The times of toxics are multiplied by this. */
  scale: number;
  /** Of the plan, only this one. */
  only?: number;
  /** At the end, lines go dead without a word, which takes two missed heartbeats to notice. */
  withDeadLines: boolean;
  onProgress?: (done: number, of: number) => void;
  signal: AbortSignal;
}

/** A property that did not hold, and for which request. */
export interface Violation {
  row: 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6';
  index: number | null;
  why: string;
}

export interface FaultReport {
  violations: Violation[];
  /** HTTP requests that were sent, and how they ended. */
  sent: number;
  endings: Map<string, number>;
  /** Of each fault, `side what, phase`, how often it struck. */
  strikes: Map<string, number>;
  bridgeKills: number;
  extensionKills: number;
  modelCalls: number;
  measured: Measured;
}

/** What is under way for one caller. */
interface Active {
  request: PlannedRequest;
  line: ToxicProxy;
  isStruck: boolean;
  struckExtension: number | null;
}

/** An answer that a caller was given whole. */
export interface Given {
  index: number;
  id: string;
  text: string;
}

const extensions = 3;
const lanes = 3;
const callers = 14;
/** Longer than anything may take here, the deadline of a request included. */
const patienceMs = 60_000;

/** Sends the planned requests, lets each meet its fault, and checks what must hold of every one and of all; rejects where it is stopped. */
export async function runFaults(options: FaultRunOptions): Promise<FaultReport> {
  const { seed, requests, scale, only, withDeadLines, onProgress, signal } = options;
  const random = createRandom(seed ^ 0x5e_ed);
  const plan = makePlan(seed, requests, extensions).filter(({ index }) => only === undefined || index === only);
  const active = new Map<string, Active>();
  const given: Given[] = [];
  const violations: Violation[] = [];
  const [endings, strikes] = [new Map<string, number>(), new Map<string, number>()];
  let [sent, done, extensionKills] = [0, 0, 0];
  const violate = (row: Violation['row'], index: number | null, why: string) => violations.push({ row, index, why });
  const reach = (phase: Phase) => (call: ModelCall) =>
    arrive(tagOf(call.prompt), phase, Number(call.extension.slice(1)));
  const stage = await startStage({
    ...{ random, scale, extensions, lanes },
    pauseMs: () => 2 + Math.random() * 20,
    onHalf: reach('mid-stream'),
    onLast: reach('before ack'),
    onAnswer(extension, bytes) {
      const frames = bytes.toString('latin1').matchAll(/"type":"request".*?"content":"(r\S+) /g);
      for (const [, tag = ''] of frames) arrive(tag, 'before started', extension);
    },
    onCut: (extension) => notices.extensionCut(extension),
  });
  const notices = createNotices(stage, (why) => violate('R6', null, why));

  function arrive(tag: string, phase: Phase, extension: number): void {
    const it = active.get(tag);
    const fault = it?.request.fault;
    if (!it || it.isStruck || fault?.phase !== phase) return;
    it.isStruck = true;
    count(strikes, `${fault.side} ${fault.what}, ${phase}`);
    if (fault.what === 'kill bridge') void stage.restartBridge();
    else if (fault.what === 'kill extension') {
      extensionKills += 1;
      void stage.restartExtension(extension);
    } else if (fault.side === 'caller') it.line.poison(fault.what);
    else {
      it.struckExtension = extension;
      stage.lines[extension]?.poison(fault.what);
    }
  }

  /** One HTTP request, from dialling to the end of its socket, and what must hold of it. */
  async function attempt(it: Active, nth: number, line: ToxicProxy): Promise<Heard> {
    const { request } = it;
    const { index, path, key, isStream } = request;
    const isSame = key !== null || request.afterCut === 'repeat';
    const tag = isSame ? `r${index}` : `r${index}.${nth}`;
    const prompt = `${tag} says?`;
    const body =
      path === '/api/process'
        ? { prompt, timeout_ms: 40_000 }
        : { model: 'm', stream: isStream, messages: [{ role: 'user', content: prompt }] };
    const headers = [`User-Agent: caller-${index % 5}`];
    if (key !== null) headers.push(`Idempotency-Key: ${key}`);
    if (nth > 0 && isSame) headers.push(`x-stainless-retry-count: ${nth}`);
    active.set(tag, it);
    const kills = stage.isBridgeUp ? stage.bridgeKills : null;
    sent += 1;
    const patience = AbortSignal.timeout(patienceMs);
    const heard = await send({
      ...{ port: line.port, path, headers, body },
      signal: AbortSignal.any([signal, patience]),
      onOpen: () => arrive(tag, 'queued', request.extension),
    });
    active.delete(tag);
    const ending = judge(heard, prompt, index);
    count(endings, ending);
    if (patience.aborted) violate('R2', index, `no answer within ${patienceMs / 1000} s`);
    const isBlameless = kills === stage.bridgeKills && !(it.isStruck && request.fault?.side === 'caller');
    if (heard.type === 'cut' && isBlameless && !signal.aborted && !patience.aborted)
      violate('R2', index, 'the socket was closed although nothing was wrong with it');
    return heard;
  }

  function judge(heard: Heard, prompt: string, index: number): string {
    if (heard.type === 'cut') return heard.began ? 'cut within the answer' : 'cut before it';
    if (heard.type === 'garbage') {
      violate('R2', index, heard.why);
      return 'garbage';
    }
    const reading = read(heard);
    if (reading.type === 'short') violate('R2', index, `a clean end without an end: ${heard.status}`);
    if (reading.type !== 'text') return reading.type === 'error' ? `error ${reading.code}` : 'short';
    const expected = answerTo(prompt).join('');
    if (reading.text !== expected) violate('R3', index, `another text: ${reading.text.length} of ${expected.length}`);
    given.push({ index, id: reading.id, text: reading.text });
    return 'answered';
  }

  async function perform(request: PlannedRequest, line: ToxicProxy): Promise<void> {
    const it: Active = { request, line, isStruck: false, struckExtension: null };
    for (let nth = 0; nth < (request.key === null ? 3 : 20) && !signal.aborted; nth += 1) {
      await waitUntil(() => stage.isBridgeUp || signal.aborted, patienceMs);
      const heard = await attempt(it, nth, line);
      line.heal();
      if (!shallRepeat(request, heard)) break;
      await delay(50 + random() * 300);
    }
    if (it.struckExtension !== null) stage.lines[it.struckExtension]?.heal();
    done += 1;
    onProgress?.(done, plan.length);
  }

  /** One caller after another request, as long as there are any. */
  async function call(queue: PlannedRequest[]): Promise<void> {
    let current: PlannedRequest | undefined;
    const line = await startToxicProxy({
      ...{ target: () => stage.bridge.port, random, scale },
      onCut: () => current && notices.callerCut(current, stage.model.calls.findLast(isOf(current))),
    });
    for (current = queue.shift(); current && !signal.aborted; current = queue.shift()) await perform(current, line);
    await line.close();
  }

  try {
    await waitUntil(() => allConnected(stage), 10_000);
    const baseline = await stage.bridge.measure();
    const queue = [...plan];
    await Promise.all(Array.from({ length: callers }, () => call(queue)));
    signal.throwIfAborted();
    if (withDeadLines) await notices.deadLines();
    const measured = {
      baseline,
      ...(await checkAfterwards(stage, { plan, given, violate, signal })),
      notices: notices.slowest,
    };
    const { bridgeKills, model } = stage;
    return {
      violations,
      sent,
      endings,
      strikes,
      bridgeKills,
      extensionKills,
      modelCalls: model.calls.length,
      measured,
    };
  } finally {
    await stage.close();
  }
}

function shallRepeat({ key, afterCut }: PlannedRequest, heard: Heard): boolean {
  if (heard.type === 'cut') return key !== null || afterCut !== 'stop';
  return key !== null && heard.type === 'answer' && heard.headers.get('x-should-retry') === 'true';
}

/** What a prompt begins with: of which request it is. */
export const tagOf = (prompt: string): string => prompt.replace(/ .*/s, '');
export const indexOf = (prompt: string): number => Number(/^r(\d+)/.exec(prompt)?.[1]);
const isOf =
  ({ index }: PlannedRequest) =>
  ({ prompt }: ModelCall) =>
    indexOf(prompt) === index;

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
