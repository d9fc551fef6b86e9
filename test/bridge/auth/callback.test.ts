import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Bridge } from '../../../bridge/bridge.ts';
import { account, greet, ids, type Client } from '../connection/connections-rig.ts';
import { sendRaw, type RawAnswer } from '../raw-socket.ts';
import { startTemporaryBridge } from '../temporary-bridge.ts';

/** Puter's sign-in page comes back to the bridge: the row of ways in which that can go. */

const state = '0190a8f0-0000-4000-8000-0000000000aa';
const otherState = '0190a8f0-0000-4000-8000-0000000000bb';
const token = 'eyJhbGciOi.SECRET-TOKEN.x-_~';
const good = `state=${state}&token=${token}`;
/** What Chrome sends when Puter's page sends the person back. */
const navigation = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];

let bridge: Bridge;
let client: Client;
let printed: string;
const unexpected: unknown[] = [];

beforeEach(async () => {
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  }
  bridge = await startTemporaryBridge({}, (error) => unexpected.push(error));
  client = await signInBy({});
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await bridge.close();
  if (unexpected.length > 0 || printed.includes('SECRET-TOKEN'))
    throw new Error('This went to a log.', { cause: [printed, unexpected] });
});

async function signInBy(change: Parameters<typeof greet>[1], itsState = state): Promise<Client> {
  const it = await greet(bridge.url, change);
  await it.next();
  it.send({ type: 'sign_in', state: itsState });
  // Frames are read in order: once the bridge knows this, it knows of the sign-in.
  const lanes = 7 + bridge.status.read().extensions.length;
  it.send({ type: 'status', lanes, rate: 30, paused: false, account });
  await expect.poll(() => bridge.status.read().extensions.map(({ lanes }) => lanes.free)).toContain(lanes);
  return it;
}

async function ask(path: string, headers = navigation, method = 'GET'): Promise<RawAnswer> {
  const { port } = new URL(bridge.url);
  const answer = await sendRaw(Number(port), [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...headers]);
  expect(JSON.stringify([...answer.headers]) + answer.body).not.toMatch(/SECRET-TOKEN|0190a8f0/);
  return answer;
}
const comeBack = (query: string, headers?: string[], method?: string): Promise<RawAnswer> =>
  ask(`/auth/callback?${query}`, headers, method);
const leadsTo = async (query: string, headers?: string[]): Promise<string | number> => {
  const { status, headers: answered } = await comeBack(query, headers);
  return status === 303 ? (answered.get('location') ?? 'nowhere') : status;
};
/** The frames that the extension has by the time that it has seen whatever was sent before. */
async function received(): Promise<unknown[]> {
  const before = client.left().length;
  await fetch(`${bridge.url}/api/status`);
  await expect.poll(() => client.left().length).toBeGreaterThan(before);
  return client.left().filter(({ type }) => type !== 'status');
}

describe('the token', () => {
  it('goes at once to the extension that asked, and out of the address bar', async () => {
    const { status, headers, body } = await comeBack(good);
    expect([status, headers.get('location'), body]).toEqual([303, '/auth/signed-in', '']);
    expect(await client.next()).toEqual({ type: 'token', state, token });
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
  });

  it('arrives decoded, as long as a frame may hold it', async () => {
    const long = `a+b/c= ${'x'.repeat(8192 - 7)}`;
    expect(await leadsTo(`${new URLSearchParams({ token: long, state }).toString()}&more=ignored`)).toBe(
      '/auth/signed-in',
    );
    expect(await client.next()).toEqual({ type: 'token', state, token: long });
  });

  it('comes from a program or a browser that says nothing of itself, too', async () => {
    expect(await leadsTo(good, [])).toBe('/auth/signed-in');
  });

  it('goes to no other extension', async () => {
    const other = await signInBy({ profile: ids.otherProfile, instance: ids.otherInstance }, otherState);
    expect(await leadsTo(`state=${otherState}&token=${token}`)).toBe('/auth/signed-in');
    expect(await other.next()).toEqual({ type: 'token', state: otherState, token });
    expect(await received()).toEqual([]);
  });
});

describe('the sign-in fails', () => {
  it.each([
    ['a state that nobody waits for', `state=${otherState}&token=${token}`],
    ['a state that is none', `state=x&token=${token}`],
    ['no state', `token=${token}`],
    ['no token', `state=${state}`],
    ['an empty token', `state=${state}&token=`],
    ['a token that is too long', `state=${state}&token=${'x'.repeat(8193)}`],
    ['two states', `state=${state}&${good}`],
    ['two states, one of them wrong', `${good}&state=${otherState}`],
    ['two tokens', `${good}&token=other`],
    ['a state in brackets', `state[]=${state}&token=${token}`],
    ['capitals', good.replace('state', 'STATE')],
    ['nothing at all', ''],
  ])('with %s, and the extension is told nothing', async (_, query) => {
    expect(await leadsTo(query)).toBe('/auth/failed');
    expect(await received()).toEqual([]);
    expect(await leadsTo(good)).toBe('/auth/signed-in');
  });

  it('the second time', async () => {
    expect(await leadsTo(good)).toBe('/auth/signed-in');
    expect(await leadsTo(good)).toBe('/auth/failed');
    await client.next();
    expect(await received()).toEqual([]);
  });

  it('after five minutes', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    client = await signInBy({ instance: ids.otherInstance });
    vi.advanceTimersByTime(5 * 60_000);
    expect(await leadsTo(good)).toBe('/auth/failed');
    vi.useRealTimers();
    expect(await received()).toEqual([]);
  });

  it('with the state of an attempt that a newer one replaced', async () => {
    await signInBy({}, otherState);
    expect(await leadsTo(good)).toBe('/auth/failed');
    expect(await leadsTo(`state=${otherState}&token=${token}`)).toBe('/auth/signed-in');
  });

  it('when the extension is gone meanwhile, also where it comes back', async () => {
    client.socket.terminate();
    await expect.poll(() => bridge.status.read().extensions).toEqual([]);
    client = await greet(bridge.url);
    await client.next();
    expect(await leadsTo(good)).toBe('/auth/failed');
    expect(await received()).toEqual([]);
  });
});

describe('the state is not used up', () => {
  it.each([
    ['HEAD', 405, [], 'HEAD'],
    ['HEAD of another site', 403, navigation, 'HEAD'],
    ['POST', 405, [], 'POST'],
    ['a frame on another site', 403, navigation.with(2, 'Sec-Fetch-Dest: iframe'), 'GET'],
    ['a frame on any page', 403, ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Dest: iframe'], 'GET'],
    ['an object on another site', 403, navigation.with(2, 'Sec-Fetch-Dest: object'), 'GET'],
    ['a fetch from another site', 403, ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors'], 'GET'],
    ['an image on another site', 403, ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors'], 'GET'],
    ['a fetch of our own page', 403, ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Dest: empty'], 'GET'],
    ['a page that says its Origin', 403, ['Origin: https://evil.example'], 'GET'],
  ])('by %s', async (_, status, headers, method) => {
    const answer = await comeBack(good, headers, method);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'GET' : undefined);
    expect(await received()).toEqual([]);
    expect(await leadsTo(good)).toBe('/auth/signed-in');
  });
});

describe('the page that the person then sees', () => {
  it.each([
    ['/auth/signed-in', 200, /You can close this tab/],
    ['/auth/failed', 400, /press “Sign in to Puter” in the extension again/],
  ])('%s says what to do next', async (path, status, words) => {
    // A redirect stays the navigation of the site where it began.
    const { headers, body, ...answer } = await ask(path);
    expect([answer.status, headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
    expect(body).toMatch(words);
    expect(body).toContain('<html lang="en">');
    expect([headers.get('referrer-policy'), headers.get('cache-control')]).toEqual(['no-referrer', 'no-store']);
  });
});
