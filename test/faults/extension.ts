import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { LinkState } from '../../extension/relay/endings.ts';

const entry = fileURLToPath(new URL('extension-process.ts', import.meta.url));

export interface ExtensionSettings {
  /** Of the bridge, or of the line to it. */
  address: string;
  modelUrl: string;
  profile: string;
  name: string;
  lanes: number;
}

/** What its process tells: how its socket is, and what it still holds when it says hello. */
export type ExtensionNews = { type: 'link'; state: LinkState['state'] } | { type: 'hello'; held: string[] };

/** A browser with the extension, as far as the bridge can tell. It can be killed, and comes back as the same profile. */
export interface Extension {
  readonly name: string;
  readonly isConnected: boolean;
  /** What it held at its last hello. */
  readonly held: readonly string[];
  /** How often it said hello. */
  readonly hellos: number;
  /** When its socket last became usable, and when it last ceased to be. */
  readonly connectedAt: number;
  readonly lostAt: number;
  start(): void;
  /** kill -9; resolves once it is gone. */
  kill(): Promise<void>;
}

export function createExtension(settings: ExtensionSettings): Extension {
  let child: ChildProcess | undefined;
  let [isConnected, hellos, connectedAt, lostAt] = [false, 0, -Infinity, -Infinity];
  let held: readonly string[] = [];

  function hear(news: ExtensionNews): void {
    if (news.type === 'hello') {
      held = news.held;
      hellos += 1;
    } else if ((news.state === 'connected') !== isConnected) {
      isConnected = !isConnected;
      if (isConnected) connectedAt = performance.now();
      else lostAt = performance.now();
    }
  }

  return {
    name: settings.name,
    get isConnected() {
      return isConnected;
    },
    get held() {
      return held;
    },
    get hellos() {
      return hellos;
    },
    get connectedAt() {
      return connectedAt;
    },
    get lostAt() {
      return lostAt;
    },
    start() {
      const it = fork(entry, [JSON.stringify(settings)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      child = it;
      it.on('message', (news) => it === child && hear(news as ExtensionNews));
    },
    async kill() {
      const it = child;
      child = undefined;
      if (isConnected) hear({ type: 'link', state: 'no_bridge' });
      if (!it || it.exitCode !== null || it.signalCode !== null) return;
      const ended = once(it, 'exit');
      it.kill('SIGKILL');
      await ended;
    },
  };
}
