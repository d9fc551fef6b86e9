import { describe, expect, it } from 'vitest';

import type { ChatEvent } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { Run } from '../../../bridge/chat/run.ts';

const said = (text: string): ChatEvent => ({ type: 'text', text });
const finish: ChatEvent = { type: 'finish', finishReason: 'stop', model: null, usage: null };

/** A chat that says what it is told to, when it is told to, and counts how often it was asked. */
function start() {
  let controller!: ReadableStreamDefaultController<ChatEvent>;
  let pulls = 0;
  const events = new ReadableStream<ChatEvent>(
    { start: (it) => void (controller = it), pull: () => void (pulls += 1) },
    { highWaterMark: 0 },
  );
  const ends: object[] = [];
  const run = new Run(events, async (end) => void ends.push(end));
  return { run, ends, say: (event: ChatEvent) => controller.enqueue(event), controller, pulls: () => pulls };
}

const read = (run: Run) => run[Symbol.asyncIterator]();

async function readAll(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const all: ChatEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('a run', () => {
  it('gives every reader all of it, also one that comes late', async () => {
    const { run, say, ends } = start();
    const first = read(run);
    const one = first.next();
    say(said('a'));
    expect((await one).value).toEqual(said('a'));
    const late = readAll(run);
    say(said('b'));
    say(finish);
    expect(await late).toEqual([said('a'), said('b'), finish]);
    expect(await readAll(first)).toEqual([said('b'), finish]);
    expect(await readAll(run)).toEqual([said('a'), said('b'), finish]);
    expect(ends).toHaveLength(1);
  });

  it('asks for no more than its fastest reader wants', async () => {
    const { run, say, pulls } = start();
    const reader = read(run);
    say(said('a'));
    say(said('b'));
    await reader.next();
    const before = pulls();
    await Promise.resolve();
    expect(pulls()).toBe(before);
  });

  it('goes to its end by itself once it is told to', async () => {
    const { run, say, ends } = start();
    const finished = run.finish();
    say(said('a'));
    say(finish);
    await finished;
    expect(ends).toEqual([{ events: [said('a'), finish] }]);
  });

  it('tells of its end before a reader can', async () => {
    const { run, say, ends } = start();
    say(finish);
    const { value } = await read(run).next();
    expect(value).toEqual(finish);
    expect(ends).toHaveLength(1);
  });

  it('fails for every reader, after what had come', async () => {
    const { run, say, controller, ends } = start();
    const error = new BridgeError('upstream_failed', 'It broke.');
    const reader = read(run);
    const one = reader.next();
    say(said('a'));
    expect((await one).value).toEqual(said('a'));
    controller.error(error);
    await expect(reader.next()).rejects.toBe(error);
    await expect(readAll(run)).rejects.toBe(error);
    await run.finish();
    expect(ends).toEqual([{ error }]);
  });

  it('without an end is an error of our own', async () => {
    const { run, controller, ends } = start();
    controller.close();
    await expect(readAll(run)).rejects.toMatchObject({ code: 'internal_error' });
    expect(ends).toHaveLength(1);
  });
});
