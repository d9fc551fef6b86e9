import { expect, it } from 'vitest';

import { canary, refusalOf, useBridge } from './bridge-rig.ts';

const rig = useBridge();

it.each(['token', 'api_key', 'key', 'access_token', 'TOKEN', 'a=1&token', '%74oken', 'token[]=x&key'])(
  'D9 ?%s=… is refused at every route, whatever the header says',
  async (name) => {
    for (const path of [
      '/health',
      '/',
      '/api/status',
      '/api/result/x',
      '/v1/models',
      '/v1/nothing',
      '/nothing',
      '/auth/failed',
    ]) {
      const answer = await rig.send(`GET ${path}?${name}=${canary}`, ['Authorization: Bearer any']);
      expect(refusalOf(answer)).toEqual({ status: 400, code: 'token_in_query' });
    }
    const chat = await rig.send(`POST /v1/chat/completions?${name}=${canary}`, ['Authorization: Bearer any']);
    expect(refusalOf(chat)).toEqual({ status: 400, code: 'token_in_query' });
  },
);

it('D9 comes after the guards against pages, and does not take a word inside another for a key', async () => {
  expect(refusalOf(await rig.g0(['Host: evil.com']))).toMatchObject({ code: 'host_not_allowed' });
  const page = await rig.send('GET /health?token=x', ['Origin: https://evil.com']);
  expect(refusalOf(page)).toMatchObject({ code: 'origin_not_allowed' });
  for (const query of ['', '?', '?x=token', '?tokens=1', '?keyboard=1', '?x=%'])
    expect((await rig.send(`GET /health${query}`)).status).toBe(200);
});

it('D9 the sign-in that comes back in a tab is the one that has a token in its address', async () => {
  const { status, headers } = await rig.send(`GET /auth/callback?state=x&token=${canary}`);
  expect([status, headers.get('location')]).toEqual([303, '/auth/failed']);
});
