import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startChromium, type Chromium } from './chromium.ts';

const FILES = {
  'manifest.json': JSON.stringify({
    manifest_version: 3,
    name: 'harness fixture',
    version: '1',
    permissions: ['offscreen', 'storage'],
    background: { service_worker: 'worker.js' },
  }),
  'worker.js': `
    const note = async (event) => {
      const { events = [] } = await chrome.storage.local.get('events');
      await chrome.storage.local.set({ events: [...events, event] });
      await chrome.offscreen.createDocument({ url: 'offscreen.html', reasons: ['WORKERS'], justification: 'test' });
    };
    chrome.runtime.onInstalled.addListener(({ reason }) => void note(reason));
    chrome.runtime.onStartup.addListener(() => void note('startup'));
    chrome.runtime.onMessage.addListener((message, sender, respond) => respond('awake'));`,
  'offscreen.html': '<title>offscreen</title>',
  'options.html': '<title>options</title>',
};

let extensionPath: string;
let chromium: Chromium | undefined;

beforeAll(async () => {
  extensionPath = await mkdtemp(path.join(tmpdir(), 'harness-fixture-'));
  for (const [file, text] of Object.entries(FILES)) await writeFile(path.join(extensionPath, file), text);
});

afterEach(async () => {
  await chromium?.close();
  chromium = undefined;
});

afterAll(() => rm(extensionPath, { recursive: true }));

it('loads the extension and drives its pages, undebugged', { timeout: 60_000 }, async () => {
  chromium = await startChromium({ extensionPath });
  const page = await chromium.openPage('options.html');
  expect(chromium.extensionId).toMatch(/^[a-p]{32}$/);
  expect(await page.title()).toBe('options');
  await expect.poll(() => chromium?.offscreen()).toMatchObject({ attached: false });
  expect(await chromium.serviceWorker()).toMatchObject({ attached: false });

  await chromium.stopServiceWorker();
  expect(await chromium.serviceWorker()).toBeUndefined();
  expect(await page.evaluate('chrome.runtime.sendMessage("hello")')).toBe('awake');
  // The driver meets it as it comes, and lets go of it.
  await expect.poll(() => chromium?.serviceWorker()).toMatchObject({ attached: false });
});

it('lives on with no tab open', { timeout: 60_000 }, async () => {
  chromium = await startChromium({ extensionPath });
  for (const page of await chromium.browser.pages()) await page.close();
  await expect.poll(() => chromium?.openTabs()).toEqual([]);
  await expect.poll(() => chromium?.offscreen()).toBeDefined();
  expect(await (await chromium.openPage('options.html')).title()).toBe('options');
});

it('lets the service worker idle away while the offscreen document stays', { timeout: 90_000 }, async () => {
  chromium = await startChromium({ extensionPath });
  await expect.poll(() => chromium?.serviceWorker()).toBeDefined();
  await expect.poll(() => chromium?.serviceWorker(), { timeout: 60_000, interval: 500 }).toBeUndefined();
  expect(await chromium.offscreen()).toMatchObject({ attached: false });
});

it('sees a crash end the whole extension, until someone reloads it', { timeout: 60_000 }, async () => {
  chromium = await startChromium({ extensionPath });
  await expect.poll(() => chromium?.offscreen()).toBeDefined();
  await chromium.crashOffscreen();
  await expect.poll(() => chromium?.isExtensionEnabled()).toBe(false);
  expect(await chromium.serviceWorker()).toBeUndefined();

  await chromium.reloadExtension();
  await expect.poll(() => chromium?.offscreen()).toBeDefined();
  expect(await chromium.isExtensionEnabled()).toBe(true);
});

it.runIf(process.platform === 'linux')('restarts as a person would', { timeout: 60_000 }, async () => {
  chromium = await startChromium({ extensionPath });
  const id = chromium.extensionId;
  await expect.poll(() => chromium?.offscreen()).toBeDefined();
  await chromium.restart();
  await expect.poll(() => chromium?.offscreen()).toBeDefined();
  expect(chromium.extensionId).toBe(id);
  const page = await chromium.openPage('options.html');
  expect(await page.evaluate('chrome.storage.local.get("events")')).toEqual({ events: ['install', 'startup'] });
});

it.skipIf(process.platform === 'win32')('leaves no process and no profile behind', { timeout: 60_000 }, async () => {
  const started = await startChromium({ extensionPath });
  await started.close();
  await expect.poll(() => living(started.pid)).toEqual([]);
  await expect(access(started.profileDir)).rejects.toThrow('ENOENT');
});

it.skipIf(process.platform === 'win32')('leaves nothing behind on Ctrl-C either', { timeout: 60_000 }, async () => {
  const script = `
    const { startChromium } = await import(${JSON.stringify(path.join(import.meta.dirname, 'chromium.ts'))});
    const { pid, profileDir } = await startChromium({ extensionPath: ${JSON.stringify(extensionPath)} });
    console.log(JSON.stringify({ pid, profileDir }));`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout, 'data');
  const { pid, profileDir } = JSON.parse(String(line));
  parent.kill('SIGINT');
  expect(await once(parent, 'exit')).toEqual([null, 'SIGINT']);
  await expect.poll(() => living(pid)).toEqual([]);
  await expect(access(profileDir)).rejects.toThrow('ENOENT');
});

it('says what the browser said when it cannot start, and cleans up', { timeout: 60_000 }, async () => {
  await expect(startChromium({ extensionPath: path.join(extensionPath, 'missing') })).rejects.toThrow(
    /Chromium did not start with .*missing/,
  );
  await expect(startChromium({ extensionPath, signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
});

/** The living processes of a group; the dead ones stay in the table until init has reaped them. */
async function living(group: number): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pgid=,stat=,args=']);
  return stdout.split('\n').filter((line) => {
    const [pgid, stat] = line.trim().split(/\s+/);
    return Number(pgid) === group && !stat?.startsWith('Z');
  });
}
