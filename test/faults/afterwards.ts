import { answerTo } from './model.ts';
import { send } from './caller.ts';
import type { Notices } from './notices.ts';
import type { PlannedRequest } from './plan.ts';
import { indexOf, tagOf, type Given, type Violation } from './run.ts';
import { allConnected, waitUntil, type Stage } from './stage.ts';

type Sizes = Awaited<ReturnType<Stage['bridge']['measure']>>;

/** What was counted before and after. */
export interface Measured {
  baseline: Sizes;
  afterwards: Sizes;
  fetched: number;
  notices: Notices['slowest'];
}

/** A call whose extension vanished is waited for that long. */
const lostGraceMs = 30_000;
/** It may have to wait for another bridge before it can hand an answer in. */
const handOverMs = 10_000;

/** What must hold once all is quiet: of the calls, of what the bridge still has open, and of what it kept. */
export async function checkAfterwards(
  stage: Stage,
  options: {
    plan: readonly PlannedRequest[];
    given: readonly Given[];
    violate: (row: Violation['row'], index: number | null, why: string) => void;
    signal: AbortSignal;
  },
): Promise<Pick<Measured, 'afterwards' | 'fetched'>> {
  const { plan, given, violate, signal } = options;
  const { model, bridge, extensions, lines, kills } = stage;
  const { port } = bridge;

  function checkCalls(): void {
    const planned = new Map(plan.map((request) => [request.index, request]));
    const perId = Map.groupBy(model.calls, ({ requestId }) => requestId);
    const perTag = Map.groupBy(model.calls, ({ prompt }) => tagOf(prompt));
    for (const [id, { length }] of perId) {
      const index = indexOf(perId.get(id)?.[0]?.prompt ?? '');
      if (length > 1) violate('R1', index, `${length} calls of one request id`);
    }
    for (const [tag, { length }] of perTag) {
      const request = planned.get(indexOf(tag));
      // One that says it repeats itself, and comes when the first is over, is another request.
      const mayComeAgain = request?.key === null && request.afterCut === 'repeat';
      if (length > 1 && !mayComeAgain) violate('R1', indexOf(tag), `${length} calls of one key or body`);
    }
  }

  async function checkQuiet(): Promise<Sizes> {
    for (const line of lines) line.heal();
    const isBack = await waitUntil(() => allConnected(stage), 20_000);
    if (!isBack) violate('R4', null, 'an extension did not come back');
    const isIdle = await waitUntil(async () => {
      const status = await stage.readStatus();
      if (!status) return false;
      const { queued, running } = status.queue;
      const busy = status.extensions.reduce((sum, { lanes }) => sum + lanes.busy, 0);
      return queued + running + busy === 0 && status.extensions.length === extensions.length;
    }, lostGraceMs + 15_000);
    if (!isIdle) violate('R4', null, `not idle: ${JSON.stringify(await stage.readStatus())}`);
    const isOver = await waitUntil(() => model.calls.every(({ state }) => state !== 'running'), 15_000);
    if (!isOver) violate('R4', null, 'a call still runs at the model');
    let sizes: Sizes = null;
    // Its own socket, and one for each extension.
    const standing = 1 + extensions.length;
    const isClosed = await waitUntil(
      async () => ((sizes = await bridge.measure())?.sockets ?? 0) <= standing + internals,
      10_000,
    );
    if (!isClosed) violate('R4', null, `sockets left open: ${JSON.stringify(sizes)}`);
    return sizes;
  }

  /** What an extension says that it holds, the next time that it dials. */
  async function checkHeld(): Promise<void> {
    const hellos = extensions.map(({ hellos }) => hellos);
    for (const line of lines) line.poison('reset_peer');
    const hasCome = await waitUntil(() => extensions.every((it, index) => it.hellos > (hellos[index] ?? 0)), 20_000);
    if (!hasCome) violate('R4', null, 'an extension did not come back');
    for (const line of lines) line.heal();
    for (const { name, held } of extensions)
      if (held.length > 0) violate('R4', null, `${name} still keeps ${held.length} answers that nobody wants`);
    await waitUntil(() => allConnected(stage), 20_000);
  }

  async function fetchResult(id: string): Promise<{ status: number; text?: string }> {
    const heard = await send({ port, method: 'GET', path: `/api/result/${id}`, signal });
    if (heard.type !== 'answer') return { status: Number.NaN };
    const { result } = JSON.parse(heard.body) as { result?: string };
    return { status: heard.status, ...(result !== undefined && { text: result }) };
  }

  async function checkKept(): Promise<number> {
    for (const { index, id, text } of given) {
      const kept = await fetchResult(id);
      if (kept.text !== text) violate('R5', index, `was given, and is not kept: ${kept.status}`);
    }
    // Paid, whole, wanted still, and the extension that had it lives: no break of a line may lose that.
    const wanted = new Set(plan.filter(({ key }) => key !== null).map(({ index }) => index));
    const paid = model.calls.filter(({ state, prompt, startedAt, since, extension }) => {
      const killed = kills[Number(extension.slice(1))]?.some((at) => at > startedAt && at < since + handOverMs);
      return state === 'finished' && wanted.has(indexOf(prompt)) && !killed;
    });
    for (const { requestId, prompt } of paid) {
      const kept = await fetchResult(requestId);
      if (kept.text !== answerTo(prompt).join(''))
        violate('R5', indexOf(prompt), `was paid, and is not kept: ${kept.status}`);
    }
    return given.length + paid.length;
  }

  const afterwards = await checkQuiet();
  await checkHeld();
  checkCalls();
  return { afterwards, fetched: await checkKept() };
}

/** Standard output and error, and what Node itself keeps. */
const internals = 3;
