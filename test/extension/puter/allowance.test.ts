import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import { fetchAllowance, monthEnd } from '../../../extension/puter/allowance.ts';
import { startStandIn } from '../../puter/stand-in.ts';

const now = () => Date.UTC(2026, 10, 24);
const { signal } = new AbortController();

async function serve(answer: { status?: number; body: string }) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(answer.status ?? 200).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, apiOrigin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const tell = async (body: unknown) => {
  const { apiOrigin } = await serve({ body: JSON.stringify(body) });
  return fetchAllowance({ token: 't', apiOrigin, now, signal });
};

describe('the allowance', () => {
  it('is told by Puter to whoever has the token, in dollars, until the month’s end', async () => {
    const puter = await startStandIn();
    onTestFinished(() => puter.close());
    const { apiOrigin } = puter;
    const asked = { apiOrigin, now, signal };
    expect(await fetchAllowance({ ...asked, token: puter.mintToken() })).toEqual({
      total: 0.25,
      left: 0.25,
      unit: 'dollars',
      resetsAt: Date.UTC(2026, 11),
    });
    expect(await fetchAllowance({ ...asked, token: 'wrong' })).toBeUndefined();
  });

  it('is asked for with the token, past every cache', async () => {
    const { requests, apiOrigin } = await serve({ body: '{}' });
    await fetchAllowance({ token: 'secret', apiOrigin, now, signal });
    const [request] = requests;
    expect(request?.url).toBe('/metering/usage');
    expect(request?.headers).toMatchObject({ authorization: 'Bearer secret', 'cache-control': 'no-cache' });
  });

  it.each([
    ['microcents', { monthUsageAllowance: 100_000_000, remaining: 1_000_000 }, { total: 1, left: 0.01 }],
    ['another unit', { monthUsageAllowance: 100_000_000, remaining: 0, unit: 'usd' }, { total: 1, left: 0 }],
    ['an overdraft', { monthUsageAllowance: 100_000_000, remaining: -5 }, { total: 1, left: 0 }],
  ])('is read as dollars from %s', async (_, allowanceInfo, expected) => {
    expect(await tell({ allowanceInfo })).toMatchObject({ ...expected, unit: 'dollars' });
  });

  it('is read as credits where Puter says so', async () => {
    const allowanceInfo = { monthUsageAllowance: 500, remaining: 20, unit: 'credits' };
    expect(await tell({ allowanceInfo })).toMatchObject({ total: 500, left: 20, unit: 'credits' });
  });

  it.each([
    null,
    [],
    'soon',
    {},
    { allowanceInfo: null },
    { allowanceInfo: { monthUsageAllowance: 1 } },
    { allowanceInfo: { monthUsageAllowance: '1', remaining: 1 } },
    { allowanceInfo: { monthUsageAllowance: 1, remaining: null } },
  ])('is unknown where Puter tells %j', async (body) => {
    expect(await tell(body)).toBeUndefined();
  });

  it('is unknown where the answer is a page, nobody answers, or it is no longer wanted', async () => {
    const { apiOrigin } = await serve({ status: 502, body: '<html>' });
    expect(await fetchAllowance({ token: 't', apiOrigin, now, signal })).toBeUndefined();
    expect(await fetchAllowance({ token: 't', apiOrigin: 'http://127.0.0.1:1', now, signal })).toBeUndefined();
    const { requests, ...live } = await serve({ body: '{}' });
    expect(await fetchAllowance({ token: 't', ...live, now, signal: AbortSignal.abort() })).toBeUndefined();
    expect(requests).toEqual([]);
  });
});

describe('the month’s end', () => {
  it.each([
    ['2026-11-24T12:00:00Z', '2026-12-01T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00.000Z'],
    ['2027-01-01T00:00:00Z', '2027-02-01T00:00:00.000Z'],
    ['2028-02-29T00:00:00Z', '2028-03-01T00:00:00.000Z'],
    ['2026-11-30T23:30:00-02:00', '2027-01-01T00:00:00.000Z'],
  ])('after %s is %s', (time, end) => {
    expect(new Date(monthEnd(Date.parse(time))).toISOString()).toBe(end);
  });

  it('is the first of a month in UTC and at most 31 days ahead, always', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0) }), (time) => {
        const end = monthEnd(time);
        expect(new Date(end).toISOString()).toMatch(/-01T00:00:00\.000Z$/);
        expect(end - time).toBeGreaterThan(0);
        expect(end - time).toBeLessThanOrEqual(31 * 24 * 60 * 60 * 1000);
      }),
    );
  });
});
