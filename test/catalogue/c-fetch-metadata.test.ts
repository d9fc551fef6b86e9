import { expect, it } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import { refusalOf, useBridge } from './bridge-rig.ts';

/** What browsers say of who asks, and for what. */

const rig = useBridge();
const refused = { status: 403, code: 'cross_site_request' };

it.each(['cross-site', 'same-site', 'CROSS-SITE', 'x', ''])('C1 C4 Sec-Fetch-Site: “%s” is refused', async (site) => {
  expect(refusalOf(await rig.r0([`Sec-Fetch-Site: ${site}`]))).toEqual(refused);
  for (const startLine of ['GET /health', 'GET /', 'GET /nothing', 'GET /v1/models'])
    expect(refusalOf(await rig.send(startLine, [`Sec-Fetch-Site: ${site}`]))).toEqual(refused);
});

it.each([
  ['same-origin', 'cross-site'],
  ['cross-site', 'same-origin'],
])('C1 it is said once, not %s and %s', async (...sites) => {
  const answer = await rig.r0(sites.map((site) => `Sec-Fetch-Site: ${site}`));
  expect(refusalOf(answer)).toEqual({ status: 400, code: 'duplicate_header' });
});

it('C2 same-origin and none are processed', async () => {
  rig.expectCalls(2);
  for (const site of ['same-origin', 'none']) expect((await rig.r0([`Sec-Fetch-Site: ${site}`])).status).toBe(200);
});

it('C4 a link may lead to a page of its own, and nothing else comes that way', async () => {
  const link = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate'];
  expect((await rig.send('GET /', link)).status).toBe(200);
  expect((await rig.send('GET /', [...link, 'Sec-Fetch-Dest: document'])).status).toBe(200);
  expect(refusalOf(await rig.r0(link))).toEqual(refused);
  for (const place of ['iframe', 'frame', 'embed', 'object', 'empty', ''])
    expect(refusalOf(await rig.send('GET /', [...link, `Sec-Fetch-Dest: ${place}`]))).toEqual(refused);
  const withOrigin = await rig.send('GET /', [...link, 'Origin: https://evil.com']);
  expect(refusalOf(withOrigin)).toEqual({ status: 403, code: 'origin_not_allowed' });
});

it('C5 programs say nothing of it, and our extension is known by its Origin', async () => {
  rig.expectCalls(2);
  expect((await rig.r0()).status).toBe(200);
  expect((await rig.r0([`Origin: ${extensionOrigin}`, 'Sec-Fetch-Site: cross-site'])).status).toBe(200);
});
