import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';

import type { TestProject } from 'vitest/node';

import { approve, waitForText } from '../browser/person.ts';
import { ask, startRig, until, type Rig } from '../browser/rig.ts';
import { createKillableBridge } from '../faults/bridge.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    patience: string;
  }
}

/**
 * What takes minutes in Firefox, which suspends an event page after half a minute: it begins with the run, so that nobody
 * waits for it. Each returns what came of it, which patience.patient.test.ts asks for in the end.
 */
const scenarios: Record<string, (rig: Rig) => Promise<object>> = {
  /** Nobody asks anything for three minutes. */
  async idle(rig: Rig) {
    let losses = 0;
    rig.bridge.status.watch(({ extensions }) => void (losses += extensions.length === 0 ? 1 : 0));
    await pause(180_000);
    const { status, body } = await ask(rig.bridge.url, { prompt: 'Still there?' });
    return { losses, status, result: body['result'] };
  },

  /** An answer of 120 words, a second for each. */
  async stream(rig: Rig) {
    const start = performance.now();
    const { status, body } = await ask(rig.bridge.url, { prompt: 'x', model: 'two-minutes', timeout_ms: 300_000 });
    return { status, words: String(body['result']).trim().split(' ').length, ms: performance.now() - start };
  },

  /** The bridge goes, and comes back long after. */
  async sleep(rig: Rig) {
    await rig.stopBridge();
    const line = await listenForDials(Number(new URL(rig.bridge.url).port));
    const fallAsleep = () => until(() => line.silenceMs() > 10_000, 120_000);
    await fallAsleep();
    await until(() => line.silenceMs() < 1000, 120_000);
    await fallAsleep();
    const popup = await rig.browser.openPage('popup.html');
    await until(() => line.silenceMs() < 1000);
    // Looked at, it stays awake.
    await pause(45_000);
    const silenceMs = line.silenceMs();
    await line.close();
    const start = performance.now();
    await rig.restartBridge();
    await until(() => rig.bridge.status.read().extensions.length === 1);
    const backMs = performance.now() - start;
    await popup.close();
    return { silenceMs, backMs };
  },

  /** A call ends while no bridge is there, and the bridge comes back long after. */
  async heldAnswer(rig: Rig) {
    await rig.stopBridge();
    const bridge = createKillableBridge({ stateDir: rig.stateDir, port: Number(new URL(rig.bridge.url).port) });
    try {
      await bridge.start();
      const started = rig.puter.nextCall();
      const { body } = await ask(rig.bridge.url, { prompt: 'x', model: 'slow-stream', wait: false });
      const call = await started;
      await bridge.kill();
      const ending = await call.closed;
      await pause(60_000);
      await bridge.start();
      const result = () => fetch(`${rig.bridge.url}/api/result/${String(body['request_id'])}`);
      await until(async () => (await result()).status !== 202);
      return { ending, answer: await (await result()).json() };
    } finally {
      await bridge.kill();
    }
  },

  /** Somebody takes a minute at Puter's page, without a bridge that would keep the extension awake. */
  async slowSignIn(rig: Rig) {
    await rig.stopBridge();
    const popup = await rig.browser.openPage('popup.html');
    // Whatever moves on the page has moved then, and the mouse meets what it aims at.
    await waitForText(popup, '#sentence', /No bridge/);
    await popup.locator('#sign-out').click();
    await waitForText(popup, '#hop-session', /Not signed in/);
    await popup.close();
    const options = await rig.browser.openPage('options.html');
    await options.locator('.sign-in .primary').click();
    const window = await rig.browser.waitForPage(/action=authme/);
    await options.close();
    await pause(60_000);
    await approve(window);
    // A new tab would open in that window, and be closed with it.
    await until(async () => (await rig.browser.openTabs()).length === 0);
    const later = await rig.browser.openPage('popup.html');
    return { account: await waitForText(later, '#hop-session', /Signed in/) };
  },
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Stands at the bridge's port, and lets nobody in. */
async function listenForDials(port: number) {
  let last = performance.now();
  const server = createServer((socket) => {
    last = performance.now();
    socket.destroy();
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    silenceMs: () => performance.now() - last,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Begins all of them, one browser after the other, and tells at `/<name>` what came of each once it is over. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const rigs: Rig[] = [];
  let earlier: Promise<unknown> = Promise.resolve();
  const outcomes = new Map<string, Promise<object>>(
    Object.entries(scenarios).map(([name, play]) => {
      const opened = earlier.then(async () => {
        const rig = await startRig({ browser: 'firefox' });
        rigs.push(rig);
        await rig.ready();
        return rig;
      });
      earlier = opened.catch(() => {});
      const outcome = opened.then(play).catch((error: unknown) => ({ error: String(error) }));
      return [`/${name}`, outcome] as const;
    }),
  );
  const server = createHttpServer((request, response) => {
    void outcomes.get(request.url ?? '')?.then((outcome) => response.end(JSON.stringify(outcome)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  project.provide('patience', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    await Promise.all(rigs.map((rig) => rig.close()));
  };
}
