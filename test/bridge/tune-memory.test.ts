import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

const ring = fileURLToPath(new URL('ring.ts', import.meta.url));
const flags = ['--max-semi-space-size=1', '--min-semi-space-size=1', '--initial-old-space-size=400'];

it('frees what lives for a moment, where V8 by itself keeps it because its like once lived for long', () => {
  const left = (kind: 'tuned' | 'plain'): number =>
    Number(execFileSync(process.execPath, [...flags, ring, kind], { encoding: 'utf8' }));
  expect(left('tuned')).toBeLessThan(left('plain') / 2);
});
