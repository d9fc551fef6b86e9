import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { beginExchange } from '#shared/pairing/exchange.ts';

const common = {
  code: 'K7QM2XRD',
  nonce: '01'.repeat(32),
  origin: 'moz-extension://0190a8f0-0000-7000-8000-000000000000',
  profile: '0190a8f0-0000-7000-8000-00000000000a',
  browser: 'Firefox 153',
  host: '127.0.0.1:5001',
};

/** The secrets that both sides come to where one knows something else. */
function pair(change: Partial<typeof common> = {}): (string | null)[] {
  const extension = beginExchange({ ...common, role: 'extension', random: randomBytes(32), ...change });
  const bridge = beginExchange({ ...common, role: 'bridge', random: randomBytes(32) });
  return [extension.secretWith(bridge.share), bridge.secretWith(extension.share)];
}

describe('a pairing', () => {
  it('ends with one secret of 256 bits, another one each time', () => {
    const [[one, same], [other]] = [pair(), pair()] as const;
    expect(one).toMatch(/^[\da-f]{64}$/);
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });

  it.each([
    ['the code', { code: 'K7QM2XRE' }],
    ['the nonce', { nonce: '02'.repeat(32) }],
    ['the origin', { origin: 'moz-extension://0190a8f0-0000-7000-8000-000000000001' }],
    ['the profile', { profile: '0190a8f0-0000-7000-8000-00000000000b' }],
    ['the browser', { browser: 'Firefox 154' }],
    ['the address', { host: '127.0.0.1:5002' }],
  ])('ends with two secrets where %s is not the same', (_, change) => {
    const [one, other] = pair(change);
    expect(one).not.toBe(other);
  });

  it('ends with none where the other side sends no share', () => {
    const exchange = beginExchange({ ...common, role: 'bridge', random: randomBytes(32) });
    expect(exchange.secretWith('00'.repeat(32))).toBeNull();
    expect(exchange.secretWith('ff'.repeat(32))).toBeNull();
  });
});
