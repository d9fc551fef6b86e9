import { expect, it } from 'vitest';

import { blockedPorts } from '#shared/blocked-ports.ts';

it('are those that Node’s fetch takes for bad, too, by the same standard', async () => {
  const reasons = await Promise.all(
    [...blockedPorts].map((port) => fetch(`http://127.0.0.1:${port}`).catch((error: Error) => error.cause)),
  );
  expect(reasons.map(String)).toEqual(reasons.map(() => 'Error: bad port'));
  // As many as the standard has above 0.
  expect(reasons).toHaveLength(82);
});

it.each([80, 443, 5000, 5001, 5002, 8000, 8080, 8443])('are not %i, where people expect something', (port) => {
  expect(blockedPorts.has(port)).toBe(false);
});
