import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/** What Puter says in a turn of the event loop: each text is a line of its own there. */
export type Turn = readonly string[];

/** How many lines come in one piece from the network, in a burst. */
const linesATurn = 20;

/** What the fake extension answers a model of that name; a model that says nothing is never done. */
export async function* answer(model: string): AsyncGenerator<Turn> {
  const [kind = '', first = '0', second = '0'] = model.split(':');
  const [count, ms] = [Number(first), Number(second)];
  switch (kind) {
    case 'burst':
      for (let line = 0; line < count; line += linesATurn) {
        yield Array.from({ length: Math.min(linesATurn, count - line) }, (_, at) => `word ${line + at} `);
        await nextTurn();
      }
      return;
    case 'paced':
      for (let line = 0; line < count; line += 1) {
        await delay(ms);
        yield [`@${process.hrtime.bigint() / 1000n}@`];
      }
      return;
    case 'large':
      for (let left = count; left > 0; left -= 50_000) {
        yield ['x'.repeat(Math.min(left, 50_000))];
        await nextTurn();
      }
      return;
    case 'hold':
      await new Promise<never>(() => {});
      return;
    default:
      yield ['Hello!'];
  }
}
