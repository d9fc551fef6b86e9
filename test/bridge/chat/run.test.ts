import { describe, expect, it } from 'vitest';

import type { ChatEvent, Finish } from '#shared/chat.ts';
import { BridgeError } from '#shared/errors.ts';

import { Run } from '../../../bridge/chat/run.ts';
import { EventQueue } from '../../../bridge/lifecycle/event-queue.ts';
import { createReader, readAll } from '../flow-rig.ts';

const said = (text: string): ChatEvent => ({ type: 'text', text });
const finish: Finish = { type: 'finish', finishReason: 'stop', model: null, usage: null };

/** A chat that says what it is told to, and counts what was taken of that. */
function start(onOver: (end: object) => Promise<Finish> = async () => finish) {
  let takes = 0;
  const source = new EventQueue<ChatEvent>(
    () => 1,
    () => (takes += 1),
  );
  const ends: object[] = [];
  const tell = (end: object) => {
    ends.push(end);
    return onOver(end);
  };
  const run = new Run(source, {
    ended: (events) => tell({ events: [...events] }),
    failed: async (error) => void (await tell({ error })),
  });
  const say = (...events: ChatEvent[]) => events.forEach((event) => source.push(event));
  return { run, ends, say, source, takes: () => takes };
}

/** Texts that follow each other as one. */
function inOrder(events: readonly ChatEvent[]): (string | ChatEvent)[] {
  const whole: (string | ChatEvent)[] = [];
  for (const event of events) {
    const last = whole.at(-1);
    if (event.type !== 'text') whole.push(event);
    else if (typeof last === 'string') whole[whole.length - 1] = last + event.text;
    else whole.push(event.text);
  }
  return whole;
}

describe('a run', () => {
  it('gives every reader all of it, also one that comes late', async () => {
    const { run, say, ends } = start();
    const first = createReader(run.read());
    const one = first.next();
    say(said('a'));
    expect(await one).toEqual(said('a'));
    const late = readAll(run.read());
    say(said('b'), finish);
    expect(await late).toEqual([said('a'), said('b'), finish]);
    expect([await first.next(), await first.next()]).toEqual([said('b'), finish]);
    expect(await readAll(run.read())).toEqual([said('a'), said('b'), finish]);
    expect(ends).toHaveLength(1);
  });

  it('joins words that all have read, so that a late reader has them in fewer pieces, and in their order', async () => {
    const { run, say, ends } = start();
    const letters = 'abcdefghijklmnopqrst'.split('');
    const thought: ChatEvent = { type: 'reasoning', text: 'Hm.' };
    const heard: ChatEvent[] = [];
    const first = readAll(run.read(), heard);
    say(...letters.map(said), thought, said('u'));
    const late = readAll(run.read());
    say(said('v'), finish);
    await first;
    expect(heard).toEqual([...letters.map(said), thought, said('u'), said('v'), finish]);
    const pieces = await late;
    expect(pieces.length).toBeLessThan(heard.length / 2);
    expect(inOrder(pieces)).toEqual([letters.join(''), thought, 'uv', finish]);
    expect(ends).toEqual([{ events: pieces }]);
  });

  it('joins nothing that a slow reader has yet to read', async () => {
    const { run, say } = start();
    const letters = 'abcdefghijklmnopqrst'.split('');
    const slow = createReader(run.read());
    const fast = readAll(run.read());
    say(...letters.map(said));
    expect(await slow.next()).toEqual(said('a'));
    say(finish);
    for (const letter of letters.slice(1)) expect(await slow.next()).toEqual(said(letter));
    expect(await slow.next()).toEqual(finish);
    expect(await fast).toEqual([...letters.map(said), finish]);
  });

  it('hands on what comes before the next comes', () => {
    const { run, say } = start();
    const heard: ChatEvent[] = [];
    void readAll(run.read(), heard);
    say(said('a'));
    expect(heard).toEqual([said('a')]);
  });

  it('takes no more than its fastest reader wants', async () => {
    const { run, say, takes } = start();
    const [fast, slow] = [createReader(run.read()), createReader(run.read())];
    say(said('a'), said('b'), said('c'));
    expect(takes()).toBe(0);
    await slow.next();
    expect(takes()).toBe(1);
    expect([await fast.next(), await fast.next()]).toEqual([said('a'), said('b')]);
    expect(takes()).toBe(2);
    expect(await slow.next()).toEqual(said('b'));
    expect(takes()).toBe(2);
  });

  it('goes to its end by itself once it is told to', async () => {
    const { run, say, ends } = start();
    const finished = run.finish();
    say(said('a'), finish);
    await finished;
    expect(ends).toEqual([{ events: [said('a'), finish] }]);
  });

  it('is over for its readers only once who was told of its end is done with it, and as they have it', async () => {
    const recorded = Promise.withResolvers<Finish>();
    const { run, say, ends } = start(() => recorded.promise);
    const heard: ChatEvent[] = [];
    const whole = readAll(run.read(), heard);
    say(said('a'), finish);
    expect([heard, ends]).toEqual([[said('a')], [{ events: [said('a'), finish] }]]);
    const counted = { ...finish, usage: { inputTokens: 1, outputTokens: 2 } };
    recorded.resolve(counted);
    expect(await whole).toEqual([said('a'), counted]);
  });

  it('fails for every reader, after what had come', async () => {
    const { run, say, source, ends } = start();
    const error = new BridgeError('upstream_failed', 'It broke.');
    const [reader, slow] = [createReader(run.read()), createReader(run.read())];
    const one = reader.next();
    say(said('a'));
    expect(await one).toEqual(said('a'));
    source.fail(error);
    await expect(reader.next()).rejects.toBe(error);
    expect(await slow.next()).toEqual(said('a'));
    await expect(slow.next()).rejects.toBe(error);
    await expect(readAll(run.read())).rejects.toBe(error);
    await run.finish();
    expect(ends).toEqual([{ error }]);
  });

  it('fails with an error of our own where the bridge is at fault', async () => {
    const { run, source, ends } = start();
    source.fail(new TypeError('no such thing'));
    await expect(readAll(run.read())).rejects.toMatchObject({ code: 'internal_error' });
    expect(ends).toHaveLength(1);
  });

  it('fails where its end cannot be told', async () => {
    const { run, say, ends } = start((end) =>
      'error' in end ? Promise.resolve(finish) : Promise.reject(new Error('full')),
    );
    say(finish);
    await expect(readAll(run.read())).rejects.toMatchObject({ code: 'internal_error' });
    expect(ends).toHaveLength(2);
  });

  it('goes on for the others where one reader fails by itself', async () => {
    const { run, say } = start();
    const failures: unknown[] = [];
    const broken = run.read();
    broken.pipe({
      write() {
        throw new Error('A bug.');
      },
      fail: (reason) => void failures.push(reason),
    });
    broken.resume();
    const whole = readAll(run.read());
    say(said('a'), finish);
    expect(await whole).toEqual([said('a'), finish]);
    expect(failures).toEqual([new Error('A bug.')]);
  });

  it('takes nothing for a reader that failed by itself', () => {
    const { run, say, takes } = start();
    const broken = run.read();
    broken.pipe({
      write() {
        throw new Error('A bug.');
      },
      fail() {},
    });
    broken.resume();
    say(said('a'), said('b'));
    broken.resume();
    expect(takes()).toBe(1);
  });
});
