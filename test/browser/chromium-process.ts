import { Readable, Writable } from 'node:stream';

import type { ConnectionTransport } from 'puppeteer-core';

import { startBrowserProcess, type BrowserProcess } from './browser-process.ts';

export interface ChromiumProcessOptions {
  executable: string;
  profileDir: string;
  headed: boolean;
  /** Beside those that every test has. */
  flags: readonly string[];
}

/** One Chromium and its DevTools pipe. */
export interface ChromiumProcess extends BrowserProcess {
  readonly transport: ConnectionTransport;
}

/** Starts the browser; whatever ends this Node process ends the browser, too. */
export async function startChromiumProcess(options: ChromiumProcessOptions): Promise<ChromiumProcess> {
  const started = await startBrowserProcess({ ...options, args: chromiumFlags(options) });
  return { ...started, transport: pipeTransport(started.stdio) };
}

// Not puppeteer's defaults: those switch off timer throttling, occlusion and the popup blocker, and a test
// should meet the browser people have. What is left: silence towards the network, and no first-run questions.
function chromiumFlags({ profileDir, headed, flags }: ChromiumProcessOptions): string[] {
  return [
    `--user-data-dir=${profileDir}`,
    '--remote-debugging-pipe',
    // Extensions.loadUnpacked asks for this one; --load-extension is ignored by branded Chrome from 137 on.
    '--enable-unsafe-extension-debugging',
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-search-engine-choice-screen',
    '--hide-crash-restore-bubble',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
    '--disable-breakpad',
    '--disable-features=MediaRouter,OptimizationHints,Translate',
    '--password-store=basic',
    '--use-mock-keychain',
    // Containers often have a /dev/shm of 64 MB, which crashes renderers.
    ...(process.platform === 'linux' ? ['--disable-dev-shm-usage'] : []),
    // Chromium refuses to start its sandbox as root, which is what containers run as.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ...(headed ? [] : ['--headless=new', '--disable-gpu', '--mute-audio', '--window-size=1280,900']),
    ...flags,
    'about:blank',
  ];
}

/** DevTools messages are JSON texts divided by a NUL. Puppeteer has such a class but does not export it. */
function pipeTransport(stdio: BrowserProcess['stdio']): ConnectionTransport {
  const [, , , toBrowser, fromBrowser] = stdio;
  if (!(toBrowser instanceof Writable && fromBrowser instanceof Readable)) throw new Error('The pipe is not open.');
  let pending = '';
  const transport: ConnectionTransport = {
    send: (message) => toBrowser.write(`${message}\0`),
    close: () => toBrowser.end(),
  };
  toBrowser.on('error', () => {}); // EPIPE: the browser is gone, and 'close' below says so.
  fromBrowser.setEncoding('utf8').on('data', (text: string) => {
    const messages = (pending + text).split('\0');
    pending = messages.pop() ?? '';
    // A turn each: puppeteer's promises must settle between two messages, as they do with a WebSocket.
    for (const message of messages) setImmediate(() => transport.onmessage?.(message));
  });
  fromBrowser.on('close', () => transport.onclose?.());
  return transport;
}
