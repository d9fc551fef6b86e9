import { describe, expect, it } from 'vitest';

import { json, refusalOf, useBridge } from './bridge-rig.ts';
import { connectExtension } from './extension-rig.ts';

const chat = (change: object) => json({ messages: [{ role: 'user', content: 'x' }], ...change });

describe('of several choices', () => {
  const rig = useBridge({ withExtension: false, queueTimeoutMs: 100, connectGraceMs: 50 });

  it('M11 one that never went out is no reason to send all of them again, once another had', async () => {
    const extension = await connectExtension(rig.bridge.url, { lanes: 1 });
    const ask = rig.r1(chat({ n: 2 }));
    const requestId = await extension.next('request');
    extension.start(requestId);
    extension.chunk(requestId, 0, 'partial');
    const answer = await ask;
    expect(answer.status).toBe(502);
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(answer.headers.has('retry-after')).toBe(false);
    expect(await extension.next('cancel')).toBe(requestId);
    expect(extension.requests).toEqual([requestId]);
    await extension.close();
  });

  it('M11 none went out, and all may be sent again', async () => {
    const answer = await rig.r1(chat({ n: 2 }));
    expect(refusalOf(answer)).toEqual({ status: 503, code: 'extension_not_connected' });
    expect(answer.headers.get('x-should-retry')).toBe('true');
  });
});
