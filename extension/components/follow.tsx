import { render, type FunctionComponent } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

import { describeHops, type HopStatus } from '#shared/hops.ts';

import { askBackground, statePort } from '../messages.ts';
import type { ExtensionState } from '../state.ts';
import { keepFocus } from './keep-focus.ts';
import { say } from './say.ts';

/** What a page draws: how things are, and in words. */
export interface View {
  state: ExtensionState;
  status: HopStatus;
}

/** Draws the page as soon as the background page told how things are, and again after every change. */
export function startPage(Page: FunctionComponent<View>): void {
  render(<Following Page={Page} />, document.body);
}

function Following({ Page }: { Page: FunctionComponent<View> }) {
  const [state, setState] = useState<ExtensionState | null>(null);
  // Not after the first paint, which would be one of an empty page.
  useLayoutEffect(() => follow(setState), []);
  useEffect(keepFocus, []);
  if (!state) return <Waiting />;
  return <Page state={state} status={describeHops(state.hops, state.running.length, say)} />;
}

/** Nothing for as long as a start takes, then the one thing that helps. */
function Waiting() {
  const [isLong, setIsLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLong(true), 2000);
    return () => clearTimeout(timer);
  }, []);
  if (!isLong) return null;
  return (
    <main>
      <h1>{say('name')}</h1>
      <p role="alert">{say('no_background')}</p>
      <button type="button" class="primary" onClick={() => chrome.runtime.reload()}>
        {say('fix_reload')}
      </button>
    </main>
  );
}

function follow(listener: (state: ExtensionState | null) => void): void {
  const port = chrome.runtime.connect({ name: statePort });
  const tellSeen = () => port.postMessage(document.visibilityState === 'visible');
  port.onMessage.addListener(listener);
  document.addEventListener('visibilitychange', tellSeen);
  tellSeen();
  // Should the background page be gone, it is woken and followed again.
  port.onDisconnect.addListener(() => {
    // Reading it tells Chrome that we know why.
    void chrome.runtime.lastError;
    document.removeEventListener('visibilitychange', tellSeen);
    // What it said last is not true any more.
    listener(null);
    const again = () => setTimeout(follow, 200, listener);
    // Not at once: where it cannot be woken, this would ask without a pause.
    void askBackground('wake').then(again, again);
  });
}
