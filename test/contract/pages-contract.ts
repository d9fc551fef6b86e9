import { describe, expect, it } from 'vitest';

import { fillLanes, get, type Subject } from './process-contract.ts';

/** What a person or a monitor looks at. */
export function describePages(subject: () => Subject): void {
  describe('shows', () => {
    it('at /health that it is there, and nothing else', async () => {
      const response = await fetch(`${subject().url}/health`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
      expect(await response.text()).toBe('{"status":"ok"}');
    });

    it('at /api/status the three hops and the queue, busy while calls run and free after', async () => {
      const { lanes } = subject();
      const puter = { signed_in: true, username: expect.any(String) as string, reachable: true };
      const status = (busy: number, queue: object) => ({
        status: 200,
        body: {
          bridge: {
            version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
            uptime_ms: expect.any(Number) as number,
          },
          extensions: [
            {
              browser: expect.any(String) as string,
              version: expect.any(String) as string,
              since: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
              lanes: { busy, free: lanes - busy },
              puter,
            },
          ],
          puter,
          queue,
        },
      });
      const release = await fillLanes(subject());
      expect(await get(subject(), '/api/status')).toEqual(status(lanes, { queued: 1, running: lanes }));
      // What the bridge holds back did not reach the models either.
      expect(subject().calls.filter((call) => call.status === 'running').length).toBe(lanes);
      await release();
      await expect.poll(() => get(subject(), '/api/status')).toEqual(status(0, { queued: 0, running: 0 }));
    });

    it('at / a page with the state in words and how to call it', async () => {
      const release = await fillLanes(subject());
      const response = await fetch(subject().url);
      const page = await response.text();
      await release();
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page).toMatch(/^<!doctype html>/);
      expect(page).toContain('Requests are answered');
      expect(page).toContain(`${subject().lanes} of ${subject().lanes} lanes busy`);
      expect(page).toContain(`${subject().lanes} running, 1 waiting`);
      expect(page).toMatch(/Signed in as \w+/);
      expect(page).toContain(`curl ${subject().url}/api/process`);
    });
  });
}
