import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';

import { maxCallerChars } from '#shared/protocol.ts';

import { readName } from '../../../bridge/http/caller.ts';
import { anyString } from '../../shared/arbitraries.ts';
import { greet } from '../connection/connections-rig.ts';
import { sendRaw } from '../raw-socket.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';

const read = (name: string) => readName({ 'user-agent': name });

describe('the caller', () => {
  it.each([
    ['curl/8.5.0', 'curl/8.5.0'],
    ['  python-requests/2.32  ', 'python-requests/2.32'],
    ['a\r\nb\tc\0d', 'abcd'],
    ['\u001b[31mred\u0085', '[31mred'],
    // Turns the rest of the line around where it is shown.
    ['\u202eevil', 'evil'],
    ['half \ud83e a pair', 'half  a pair'],
    ['\u{1f98a} whole', '\u{1f98a} whole'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ])('of %j is shown as %j', (sent, shown) => {
    expect(read(sent)).toBe(shown);
  });

  it.each(['', ' ', '\0\r\n'])('is nobody where it says %j', (sent) => {
    expect(read(sent)).toBeNull();
    expect(readName({})).toBeNull();
  });

  it('is cut to what a frame may hold, and never in the middle of a character', () => {
    expect(read('x'.repeat(maxCallerChars + 1))).toBe('x'.repeat(maxCallerChars));
    expect(read('x'.repeat(maxCallerChars - 1) + '\u{1f98a}')).toBe('x'.repeat(maxCallerChars - 1));
    expect(read('x'.repeat(maxCallerChars - 2) + '\u{1f98a}')).toBe('x'.repeat(maxCallerChars - 2) + '\u{1f98a}');
  });

  it('is one clean line whatever it sends', () => {
    fc.assert(
      fc.property(anyString(500), (sent) => {
        const shown = read(sent) ?? '';
        expect(shown.length).toBeLessThanOrEqual(maxCallerChars);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

it.each([
  [['User-Agent: curl/8.5.0'], 'curl/8.5.0'],
  [['user-agent: \t a\tb '], 'ab'],
  [[`User-Agent: ${'x'.repeat(5000)}`], 'x'.repeat(maxCallerChars)],
  [['User-Agent: "}],\\u0000<b>'], '"}],\\u0000<b>'],
  [['User-Agent:'], null],
  [[], null],
])('goes with the request to the extension: %j', async (headers, caller) => {
  const bridge = await startTemporaryBridge();
  onTestFinished(() => bridge.close());
  const client = await greet(bridge.url);
  await client.next();
  const { port } = new URL(bridge.url);
  const body = '{"prompt":"x","wait":false}';
  const head = ['POST /api/process HTTP/1.1', `Host: 127.0.0.1:${port}`, 'Content-Type: application/json'];
  await sendRaw(Number(port), [...head, `Content-Length: ${body.length}`, ...headers], body);
  expect(await client.next()).toMatchObject({ type: 'request', caller });
});
