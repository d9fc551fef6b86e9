import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { readFolder, zip } from '../../extension/build/zip.ts';
import { startBrowserProcess, type BrowserProcess } from './browser-process.ts';

const POLL_MS = 20;

/** One Firefox, and where it listens for WebDriver BiDi. */
export interface FirefoxProcess extends BrowserProcess {
  /** Rejects when the browser ends before it listens. */
  readonly endpoint: Promise<string>;
}

export async function startFirefoxProcess(options: {
  executable: string;
  profileDir: string;
  headed: boolean;
}): Promise<FirefoxProcess> {
  const { executable, profileDir, headed } = options;
  // Without system access, Firefox 153 goes to no page of an extension.
  const remote = ['--remote-debugging-port=0', '--remote-allow-system-access'];
  const args = ['--no-remote', '--profile', profileDir, ...remote, ...(headed ? [] : ['--headless'])];
  const started = await startBrowserProcess({ executable, profileDir, args });
  return { ...started, endpoint: findEndpoint(started) };
}

/** Firefox says it on stderr. */
async function findEndpoint({ stderr, exited }: BrowserProcess): Promise<string> {
  let isOver = false;
  void exited.then(() => (isOver = true));
  for (;;) {
    const [, address] = /^WebDriver BiDi listening on (ws:\/\/\S+)/m.exec(stderr()) ?? [];
    if (address !== undefined) return `${address}/session`;
    if (isOver) throw new Error('The browser ended.');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Makes a new profile that is silent towards the network, asks nothing at its first start, and in which the extension
 * `id` has the host name `uuid`, which is random elsewhere.
 */
export async function prepareFirefoxProfile(profileDir: string, { id, uuid }: Addon): Promise<void> {
  const preferences = {
    'extensions.webextensions.uuids': JSON.stringify({ [id]: uuid }),
    // An ESR, as other than a release, then takes what Mozilla has not signed, and what lies in the profile.
    'xpinstall.signatures.required': false,
    'extensions.autoDisableScopes': 0,
    'browser.startup.page': 0,
    'browser.startup.homepage': 'about:blank',
    'browser.newtabpage.enabled': false,
    'browser.aboutwelcome.enabled': false,
    'browser.shell.checkDefaultBrowser': false,
    'browser.sessionstore.resume_from_crash': false,
    'browser.safebrowsing.update.enabled': false,
    'browser.region.network.url': '',
    'app.normandy.enabled': false,
    'app.update.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'extensions.getAddons.cache.enabled': false,
    'extensions.update.enabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'services.settings.server': 'data:,',
  };
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  await writeFile(path.join(profileDir, 'user.js'), lines.join(''));
}

export interface Addon {
  id: string;
  uuid: string;
}

/** Puts the extension into the profile, where it stays; the next start of the browser installs it. */
export async function installIntoProfile(profileDir: string, extensionPath: string, id: string): Promise<void> {
  const folder = path.join(profileDir, 'extensions');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${id}.xpi`), zip(await readFolder(extensionPath)));
}
