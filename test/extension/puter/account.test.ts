import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, it, onTestFinished } from 'vitest';

import type { Failure } from '#shared/errors.ts';

import { startAccount } from '../../../extension/puter/account.ts';
import { startStandIn } from '../../puter/stand-in.ts';

const refused: Failure = {
  code: 'puter_not_signed_in',
  message: 'Sign in again.',
  upstream: { status: 401, message: 'Unauthorized' },
};

async function start() {
  const puter = await startStandIn();
  onTestFinished(() => puter.close());
  const session = { token: puter.mintToken(), apiOrigin: puter.apiOrigin };
  const account = startAccount({ session, onChange: () => {} });
  onTestFinished(account.close);
  return { puter, account };
}

it('learns from Puter whose token it is', async () => {
  const { puter, account } = await start();
  expect(account.state()).toEqual({ session: 'signed_in', username: null, reachable: null });
  await expect.poll(account.state).toEqual({ session: 'signed_in', username: puter.username, reachable: true });
});

it('is expired once a call was refused its token, and not any more once one was answered', async () => {
  const { account } = await start();
  await expect.poll(() => account.state().reachable).toBe(true);
  account.learn(refused);
  expect(account.state().session).toBe('expired');
  account.learn(null);
  expect(account.state().session).toBe('signed_in');
});

it('takes nothing in after it was closed: a late refusal is about an older session', async () => {
  const { account } = await start();
  account.close();
  account.learn(refused);
  expect(account.state().session).toBe('signed_in');
});

it('is expired where Puter itself says so, and unreachable where nobody answers', async () => {
  const { puter } = await start();
  puter.expireSession();
  const old = startAccount({ session: { token: 'old', apiOrigin: puter.apiOrigin }, onChange: () => {} });
  onTestFinished(old.close);
  await expect.poll(() => old.state().session).toBe('expired');

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const lost = startAccount({ session: { token: 't', apiOrigin: `http://127.0.0.1:${port}` }, onChange: () => {} });
  onTestFinished(lost.close);
  await expect.poll(() => lost.state().reachable).toBe(false);
});
