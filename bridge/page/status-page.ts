import { hopNames, type Hop, type HopName } from '#shared/hops.ts';
import type { BridgeStatus, ExtensionStatus } from '#shared/status.ts';

import { describeFix } from '../fix.ts';
import type { PairingView } from '../pairing/offers.ts';
import { say } from '../say.ts';
import { html, type Html } from './html.ts';
import { renderPage } from './layout.ts';

/** The three hops as they are now, and how to call the bridge. */
export function renderStatusPage(options: {
  status: BridgeStatus;
  /** Null while no extension asks to be paired. */
  pairing: PairingView | null;
  url: string;
  /** Null where it was not built. */
  extensionFolder: string | null;
}): string {
  const { status, pairing, url, extensionFolder } = options;
  const call = `curl ${url}/api/process \\\n  -H 'Content-Type: application/json' \\\n  -d '{"prompt": "Say hello"}'`;
  const { light, hops, queue, extensions, notices } = status;
  // Each child of #live is exchanged by itself when it changes, so that only what is new is read out.
  const main = html`<h1>${say('name')}</h1>
      <p class="muted">${say('page_lead')}</p>
      <h2 class="visually-hidden">${say('page_state')}</h2>
      <section id="live" class="card" aria-live="polite">
        <p class="light" data-color="${light.color}"><span class="dot" aria-hidden="true"></span>${light.sentence}</p>
        ${pairing?.code ? renderCode(pairing, pairing.code) : ''}
        ${hopNames.map((name) => renderHop(name, hops[name], extensionFolder))}
        <p class="queue muted">${say('page_queue', String(queue.running), String(queue.queued))}</p>
        <ul class="muted">${extensions.map(renderExtension)}</ul>
        ${notices.map((notice) => html`<p class="warning">${notice}</p>`)}
      </section>
      <template id="gone">
        <p class="light" data-color="red"><span class="dot" aria-hidden="true"></span>${say('page_gone')}</p>
      </template>
      <h2>${say('page_call')}</h2>
      <pre tabindex="0"><code>${call}</code></pre>
      <p class="muted">${say('page_call_answer')}</p>
      <p><a href="/api/status">${say('page_status_json')}</a></p>`;
  return renderPage(main, html`<script type="module" src="/page.js"></script>`);
}

/** What there is for whoever shows no key: nothing of the state. The script asks for the rest with the key typed in. */
export function renderLockedPage(url: string): string {
  const call = `curl ${url}/api/process \\\n  -H 'Authorization: Bearer <key>' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"prompt": "Say hello"}'`;
  const main = html`<h1>${say('name')}</h1>
      <p class="muted">${say('page_lead')}</p>
      <section id="live" class="card" aria-live="polite">
        <form id="unlock">
          <p>${say('page_locked')}</p>
          <label for="key">${say('page_locked_key')}</label>
          <div class="row">
            <input id="key" class="grow" type="password" autocomplete="off" required>
            <button type="submit" class="primary">${say('page_locked_show')}</button>
          </div>
          <p id="wrong" class="problem" hidden>${say('page_locked_wrong')}</p>
        </form>
      </section>
      <template id="gone">
        <p class="light" data-color="red"><span class="dot" aria-hidden="true"></span>${say('page_gone')}</p>
      </template>
      <h2>${say('page_call')}</h2>
      <pre tabindex="0"><code>${call}</code></pre>
      <p class="muted">${say('page_call_answer')}</p>`;
  return renderPage(main, html`<script type="module" src="/page.js"></script>`);
}

const renderHop = (name: HopName, { color, since, cause, fix }: Hop, extensionFolder: string | null): Html =>
  html`<div class="hop" data-color="${color}">
          <span class="dot" aria-hidden="true"></span><h3>${say(`hop_${name}`)}</h3>
          <p class="grow">${cause}
            ${fix ? describeFix(fix, extensionFolder).map((way) => html`<span class="fix">${way}</span>`) : ''}
            <time class="muted small" datetime="${since}">${say('page_since', tellTime(since))}</time></p>
        </div>
        `;

const renderCode = ({ browser, origin }: PairingView, code: string): Html =>
  html`<div class="pairing">
          <p>${say('page_pairing', browser)}</p>
          <p id="pairing-code"><code>${code}</code></p>
          <p class="muted small">${say('page_pairing_once', origin)}</p>
        </div>`;

function renderExtension({ browser, version, paused, lanes }: ExtensionStatus): Html {
  const line = paused
    ? say('page_extension_paused', browser, version)
    : say('page_extension', browser, version, String(lanes.busy), String(lanes.busy + lanes.free));
  return html`<li>${line}</li>`;
}

/** With the day, so that it needs no other wording tomorrow. The bridge and the browser are on one machine. */
const tellTime = (iso: string): string =>
  new Date(iso).toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
