import { expect, it, onTestFinished, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import { defaultLimits } from '../../bridge/limits.ts';
import type { LinkState } from '../../extension/relay/endings.ts';
import { startLink } from '../../extension/relay/link.ts';
import { hello } from '../bridge/connection/connections-rig.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { actAsExtensionPage } from '../extension/relay/extension-page.ts';
import { createRandom } from '../faults/random.ts';
import { startToxicProxy } from '../faults/toxic-proxy.ts';

const count = 20;

it('M14 twenty extensions come back to a bridge that was restarted: each in its own time, and few at once', async () => {
  const { dials, mostPending } = watchDials();
  const first = await startTemporaryBridge();
  const port = Number(new URL(first.url).port);
  const links = await Promise.all(Array.from({ length: count }, () => startOne(port)));
  const connected = () => links.filter(({ state }) => state() === 'connected').length;
  await expect.poll(connected, { timeout: 20_000 }).toBe(count);

  const closedAt = performance.now();
  await first.close();
  const waitsOf = (address: string) => {
    const times = (dials.get(address) ?? []).filter((time) => time > closedAt);
    return times.map((time, index) => time - (times[index - 1] ?? closedAt));
  };
  await expect
    .poll(() => Math.min(...links.map(({ address }) => waitsOf(address).length)), { timeout: 20_000 })
    .toBeGreaterThan(1);
  // The ceilings are 500 ms and 1000 ms: anywhere below them, and not all at one place.
  for (const [nth, ceilingMs] of [500, 1000].entries()) {
    const waits = links.map(({ address }) => waitsOf(address)[nth] ?? Number.NaN);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(ceilingMs / 4);
    expect(Math.min(...waits)).toBeLessThan(ceilingMs / 2);
  }

  const second = await startTemporaryBridge({ port });
  onTestFinished(() => second.close());
  // The worst that can be: all of them at the same moment.
  for (const { retry } of links) retry();
  await expect.poll(connected, { timeout: 20_000 }).toBe(count);
  expect(second.status.read().extensions).toHaveLength(count);
  expect(mostPending()).toBeGreaterThan(0);
  expect(mostPending()).toBeLessThanOrEqual(defaultLimits.maxPendingHandshakes);
});

/** One extension, known by the line that it dials. */
async function startOne(port: number) {
  const line = await startToxicProxy({ target: () => port, random: createRandom(14), scale: 1 });
  const address = `http://127.0.0.1:${line.port}`;
  let state: LinkState['state'] = 'connecting';
  const frame = hello({ instance: crypto.randomUUID(), profile: crypto.randomUUID() });
  if (frame.type !== 'hello') throw new Error('No hello.');
  const link = startLink({
    ...{ address, origin: extensionOrigin },
    pairing: () => null,
    onPaired: () => {},
    isWatched: () => false,
    hello: () => frame,
    onWelcome: () => {},
    onFrame: () => {},
    onState: (it) => void ({ state } = it),
  });
  onTestFinished(async () => {
    link.close();
    await line.close();
  });
  return { address, state: () => state, retry: link.retry };
}

/** When each address was dialled, and how many sockets were open at most that had not said hello. */
function watchDials(): { dials: Map<string, number[]>; mostPending: () => number } {
  actAsExtensionPage();
  const dials = new Map<string, number[]>();
  const pending = new Set<WebSocket>();
  let most = 0;
  const { fetch: pageFetch, WebSocket: PageSocket } = globalThis;
  vi.stubGlobal('fetch', (url: string, init: RequestInit = {}) => {
    const { origin } = new URL(url);
    if (init.mode !== 'no-cors') dials.set(origin, [...(dials.get(origin) ?? []), performance.now()]);
    return pageFetch(url, init);
  });
  vi.stubGlobal(
    'WebSocket',
    class extends PageSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        this.addEventListener('open', () => void (most = Math.max(most, pending.add(this).size)));
        this.addEventListener('close', () => void pending.delete(this));
      }
      override send(data: string): void {
        // The bridge counts it a little longer: until it has read this.
        pending.delete(this);
        super.send(data);
      }
    },
  );
  return { dials, mostPending: () => most };
}
