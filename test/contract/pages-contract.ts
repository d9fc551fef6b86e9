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

    it('at /api/status the light, the three hops and the queue, busy while calls run and free after', async () => {
      const { lanes } = subject();
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
      const hop = (state: string, cause: RegExp) => ({
        state,
        color: 'green',
        since: time,
        until: null,
        cause: expect.stringMatching(cause) as string,
        fix: null,
      });
      const puter = { signed_in: true, username: expect.any(String) as string, reachable: true };
      const status = (busy: number, queue: object) => ({
        status: 200,
        body: {
          light:
            busy > 0
              ? { color: 'yellow', badge: String(busy), sentence: `Processing ${busy} requests.` }
              : { color: 'green', badge: '✓', sentence: 'Ready.' },
          hops: {
            bridge: hop('connected', /^Connected to .+\.$/),
            session: hop('signed_in', /^Signed in as .+\.$/),
            puter: hop('reachable', /^Puter answers\.$/),
          },
          bridge: {
            version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
            uptime_ms: expect.any(Number) as number,
          },
          extensions: [
            {
              browser: expect.any(String) as string,
              version: expect.any(String) as string,
              since: time,
              paused: false,
              lanes: { busy, free: lanes - busy },
              puter,
            },
          ],
          puter,
          queue,
          durability: 'full',
          notices: [],
        },
      });
      const release = await fillLanes(subject());
      expect(await get(subject(), '/api/status')).toEqual(status(lanes, { queued: 1, running: lanes }));
      // What the bridge holds back did not reach the models either.
      const running = () => subject().calls.filter((call) => call.status === 'running').length;
      await expect.poll(running).toBe(lanes);
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
      expect(page).toContain(`Processing ${subject().lanes} requests.`);
      expect(page).toContain(`${subject().lanes} of ${subject().lanes} lanes busy`);
      expect(page).toContain(`${subject().lanes} running, 1 waiting`);
      expect(page).toMatch(/Signed in as \w+/);
      expect(page).toContain(`curl ${subject().url}/api/process`);
    });

    const at = async (accept: string) => {
      const response = await fetch(subject().url, { headers: { Accept: accept } });
      return { type: response.headers.get('content-type'), text: await response.text() };
    };

    it.each(['application/json', 'application/json, text/plain, */*'])(
      'at / the same JSON as at /api/status to whoever asks for %s',
      async (accept) => {
        // A lane of the test before may be freed between the two readings.
        const busy = async () => (await get(subject(), '/api/status')).body['extensions'];
        await expect.poll(busy).toMatchObject([{ lanes: { busy: 0 } }]);
        const { type, text } = await at(accept);
        expect(type).toBe('application/json; charset=utf-8');
        const { body } = await get(subject(), '/api/status');
        expect(JSON.parse(text)).toEqual({
          ...body,
          bridge: { ...(body['bridge'] as object), uptime_ms: expect.any(Number) as number },
        });
      },
    );

    it.each(['*/*', 'text/html', 'text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8', ''])(
      'at / the page to whoever asks for “%s”',
      async (accept) => {
        expect(await at(accept)).toEqual({
          type: 'text/html; charset=utf-8',
          text: expect.stringMatching(/^<!doctype html>/) as string,
        });
      },
    );

    it.each(['/style.css', '/page.css', '/icon.svg'])('what the page loads: %s', async (path) => {
      const page = await (await fetch(subject().url)).text();
      expect(page).toContain(`href="${path}"`);
      const response = await fetch(`${subject().url}${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(
        path.endsWith('css') ? 'text/css; charset=utf-8' : 'image/svg+xml; charset=utf-8',
      );
    });
  });
}
