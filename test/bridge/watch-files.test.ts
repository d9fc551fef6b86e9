import { unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, it, onTestFinished, vi } from 'vitest';

import { watchFiles } from '../../bridge/watch-files.ts';
import { createTemporaryFolder } from '../temporary-folder.ts';

it.each(['one.json', 'other.json'])('tells that %s comes and goes', async (name) => {
  const { dir, remove } = await createTemporaryFolder('watched');
  const onChange = vi.fn<() => void>();
  onTestFinished(remove);
  onTestFinished(watchFiles(dir, ['one.json', 'other.json'], onChange));
  for (const act of [() => writeFile(path.join(dir, name), '{}'), () => unlink(path.join(dir, name))]) {
    onChange.mockClear();
    await act();
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), { timeout: 3000 });
  }
});

it('looks again every ten seconds, for where the system tells nothing', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const onChange = vi.fn<() => void>();
  const stop = watchFiles('/nowhere', ['one.json'], onChange);
  vi.advanceTimersByTime(20_000);
  expect(onChange).toHaveBeenCalledTimes(2);
  stop();
  vi.advanceTimersByTime(20_000);
  expect(onChange).toHaveBeenCalledTimes(2);
});
