import { render, type FunctionComponent } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

import { describeHops, type HopStatus } from '#shared/hops.ts';

import { askBackground, statePort } from '../messages.ts';
import type { ExtensionState } from '../state.ts';
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
  return state && <Page state={state} status={describeHops(state.hops, state.running.length, say)} />;
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
