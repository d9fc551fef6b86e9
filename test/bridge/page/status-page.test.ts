import { describe, expect, it } from 'vitest';

import { renderStatusPage } from '../../../bridge/page/status-page.ts';
import type { PairingView } from '../../../bridge/pairing/offers.ts';
import { createStatus, extensionStatus, readyFacts } from '../status-example.ts';

const url = 'http://127.0.0.1:5001';
const render = (
  change: Parameters<typeof createStatus>[0],
  extensionFolder: string | null = '/here/dist',
  pairing: PairingView | null = null,
) => renderStatusPage({ status: createStatus(change), pairing, url, extensionFolder });
const { bridge, session, puter } = readyFacts;

describe('the page', () => {
  it('shows the light, and each hop with its colour, its cause and since when', () => {
    const page = render({ facts: readyFacts, extensions: [extensionStatus], queue: { queued: 4, running: 1 } });
    expect(page).toMatch(/class="light" data-color="yellow">.*Processing 1 request\./);
    expect(page.match(/class="hop" data-color="green"/g)).toHaveLength(3);
    for (const words of ['Connected to Chrome 156.', 'Signed in as ada.', 'Puter answers.', '1 running, 4 waiting'])
      expect(page).toContain(words);
    expect(page).toContain('Chrome 156, version 1.2.3: 1 of 3 lanes busy');
    expect(page.match(/<time[^>]* datetime="2026-11-24T00:00:00.000Z">Since \d+ Nov, \d\d:\d\d\./g)).toHaveLength(3);
    expect(page).toContain(`curl ${url}/api/process`);
  });

  it('says what is wrong with what is kept', () => {
    expect(render({ notices: ['The disk is <full>.'] })).toContain('<p class="warning">The disk is &lt;full&gt;.</p>');
    expect(render({})).not.toContain('class="warning"');
  });

  it.each([
    ['how to load the extension', createStatus().hops && {}, 'pick /here/dist/extension-chrome'],
    ['where to resume', { facts: { ...readyFacts, bridge: { ...bridge, state: 'paused' } } }, 'press “Resume”'],
    [
      'where to sign in',
      { facts: { ...readyFacts, session: { ...session, state: 'expired' } } },
      'press “Sign in to Puter”',
    ],
    [
      'where to try again',
      { facts: { ...readyFacts, puter: { ...puter, state: 'unreachable' } } },
      'press “Retry now”',
    ],
  ] as const)('says %s, once', (_, change, words) => {
    expect(render(change).split(words)).toHaveLength(2);
  });

  it('tells the way to load the extension into each browser by itself', () => {
    expect(render({}).match(/class="fix">In \w+/g)).toEqual(['class="fix">In Chrome', 'class="fix">In Firefox']);
  });

  it('says to build the extension first where that was not done', () => {
    expect(render({}, null)).toContain('npm run build');
    expect(render({}, null)).not.toContain('Load unpacked');
  });

  it('gives no advice on what is well', () => {
    expect(render({ facts: readyFacts })).not.toContain('class="fix"');
  });

  it('says of an extension that it is paused', () => {
    expect(render({ extensions: [{ ...extensionStatus, paused: true }] })).toContain('version 1.2.3: paused');
  });

  it('shows what an extension says of itself as text', () => {
    const attack = '</section><script>alert(1)</script>';
    const page = render({
      extensions: [{ ...extensionStatus, browser: attack, version: attack }],
      facts: {
        bridge: { ...bridge, detail: attack },
        session: { ...session, detail: attack },
        puter: { ...puter, detail: attack },
      },
    });
    expect(page).not.toContain('<script>alert');
    expect(page.split('&lt;script&gt;alert(1)')).toHaveLength(5);
  });

  it('shows the code that pairs an extension, and who asks for it, as text', () => {
    const asked = { origin: 'moz-extension://x', browser: '<b>Firefox', since: new Date(), code: 'ABCD-2345' };
    const page = render({}, null, asked);
    expect(page).toContain('<p id="pairing-code"><code>ABCD-2345</code></p>');
    expect(page).toContain('&lt;b&gt;Firefox asks to be paired.');
    expect(page).toContain('Asked by moz-extension://x.');
    expect(render({}, null, { ...asked, code: null })).not.toContain('pairing-code');
  });

  it('shows the Host that it was asked under as text', () => {
    const options = { status: createStatus(), pairing: null, url: 'http://"><img src=x>', extensionFolder: null };
    expect(renderStatusPage(options)).not.toContain('<img');
  });
});
