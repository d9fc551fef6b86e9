import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, it, onTestFinished } from 'vitest';

import { startProcess, type BridgeProcess } from '../../catalogue/bridge-process.ts';

/** A bridge that has written more to its log than fits between it and a reader that reads nothing. */
async function startUnread(env: Record<string, string> = {}): Promise<BridgeProcess> {
  const bridge = await startProcess({ env });
  bridge.child.stderr?.pause();
  const ask = async () => {
    for (let index = 0; index < 500; index += 1) {
      const answer = await fetch(`${bridge.url}/health`, { signal: AbortSignal.timeout(5000) });
      expect(await answer.text()).toBe('{"status":"ok"}');
    }
  };
  await Promise.all(Array.from({ length: 8 }, ask));
  return bridge;
}

const linesOf = (bridge: BridgeProcess) =>
  bridge
    .stderr()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it('loses lines and no answers where nobody reads them, and goes on with whole ones once somebody does', async () => {
  const bridge = await startUnread();
  bridge.child.stderr?.resume();
  const isThere = (method: string) => linesOf(bridge).some((line) => line['method'] === method);
  await expect.poll(() => isThere('GET')).toBe(true);
  await expect
    .poll(async () => {
      await fetch(`${bridge.url}/health`, { method: 'HEAD' });
      return isThere('HEAD');
    })
    .toBe(true);
  expect(linesOf(bridge).length).toBeLessThan(4000);
});

it('says what found no room as soon as there is some, although nothing more happens', async () => {
  const script = `
    import { writeSync } from 'node:fs';
    import { openStandardError } from '${import.meta.resolve('../../../bridge/log/standard-error.ts')}';
    const log = openStandardError();
    for (const size of [1000, 1]) try { for (;;) writeSync(2, 'x'.repeat(size)); } catch {}
    log.write('at last');
    setTimeout(() => {}, 60_000);
    setImmediate(() => console.log('full'));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (said += text));
  await expect.poll(() => said.endsWith('at last')).toBe(true);
});

it('keeps no bridge from stopping that nobody reads', async () => {
  const bridge = await startUnread();
  const exit = once(bridge.child, 'exit');
  bridge.child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});

it('says last why the process ends, also where its reader is late', async () => {
  const plant = `process.on('SIGWINCH', () => { throw new TypeError() })`;
  const bridge = await startUnread({ NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(plant)}` });
  bridge.child.kill('SIGWINCH');
  bridge.child.stderr?.resume();
  expect(await bridge.ended).toEqual([1, null]);
  expect(linesOf(bridge).at(-1)).toMatchObject({ level: 'fatal', err: { name: 'TypeError' } });
});
