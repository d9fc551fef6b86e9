import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { build } from '../../extension/build/build.ts';
import { browserNames } from '../../extension/build/manifest.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../temporary-folder.ts';
import { run, startProcess, temporaryStateDir } from './bridge-process.ts';

/** What a person gets who installs the bridge or loads the extension: what others wrote, and how far it is trusted. */

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Lock {
  packages: Record<string, { integrity?: string; resolved?: string; hasInstallScript?: true; dev?: true }>;
}
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const { packages } = read('package-lock.json') as Lock;
const installed = Object.entries(packages).filter(([path]) => path !== '');

describe('what runs in the bridge', () => {
  let folder: TemporaryFolder;
  let entry: string;
  beforeAll(async () => {
    folder = await createTemporaryFolder('installed');
    entry = join(folder.dir, 'bridge/main.ts');
    for (const name of ['package.json', 'package-lock.json', 'bridge', 'shared'])
      cpSync(root + name, join(folder.dir, name), { recursive: true });
    const flags = ['--omit=dev', '--omit=optional', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    const { status, stderr } = spawnSync(
      'npm',
      ['ci', '--prefix', folder.dir, ...flags, `--logs-dir=${folder.dir}/logs`],
      {
        cwd: folder.dir,
        encoding: 'utf8',
        shell: process.platform === 'win32',
      },
    );
    if (status !== 0) throw new Error(`npm ci failed: ${stderr}`);
  }, 180_000);
  afterAll(() => folder?.remove());

  it('Q1 is installed without what only builds and tests, runs no script of theirs, starts and answers', async () => {
    const bridge = await startProcess({ entry });
    const extension = await startFakeExtension({ bridgeUrl: bridge.url });
    onTestFinished(() => extension.close());
    const answer = await fetch(`${bridge.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'Say hello' }] }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('Say hello');
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual([0, null]);
  });

  it('Q2 holds no machine code, and nothing that would be compiled', () => {
    const files = readdirSync(join(folder.dir, 'node_modules'), { recursive: true, encoding: 'utf8' });
    expect(
      files.filter((name) => /[/\\]express[/\\]package\.json$|^express[/\\]package\.json$/.test(name)),
    ).not.toEqual([]);
    expect(files.filter((name) => /\.(node|dll|dylib|so|exe)$|(^|[/\\])binding\.gyp$/.test(name))).toEqual([]);
  });

  it('Q4 is not started with a ws that would hold whatever it is sent', async () => {
    const path = join(folder.dir, 'node_modules/ws/lib/websocket-server.js');
    const source = readFileSync(path, 'utf8');
    for (const bound of ['maxFragments', 'maxBufferedChunks']) {
      // As it was in earlier versions.
      writeFileSync(path, source.replace(new RegExp(String.raw`^ +${bound}: .*,$`, 'm'), ''));
      const started = run(['--port', '0', '--state-dir', await temporaryStateDir()], {}, entry);
      expect(await started.ended).toEqual([2, null]);
      expect(started.stdout()).toBe('');
      expect(started.stderr()).toContain('ws in node_modules is too old');
      expect(started.stderr()).toContain('npm ci');
    }
    writeFileSync(path, source);
    await startProcess({ entry });
  });
});

describe('the lock', () => {
  it('Q3 has the hash of every package, and names no host: the registry is the person’s choice', () => {
    expect(installed.length).toBeGreaterThan(80);
    const hash = /^sha512-[\w+/]{86}==$/;
    expect(installed.filter(([, { integrity = '' }]) => !hash.test(integrity)).map(([path]) => path)).toEqual([]);
    expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  it('Q3 holds, for the bridge, these packages and what they need, none of which runs a script', () => {
    const { dependencies } = read('package.json') as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).toEqual([
      ...['@noble/curves', '@noble/hashes', 'ajv', 'ajv-formats', 'commander', 'express', 'fastest-levenshtein'],
      ...['gpt-tokenizer', 'pino', 'uuid', 'valibot', 'ws'],
    ]);
    const scripts = installed.filter(([, { dev, hasInstallScript }]) => hasInstallScript && !dev);
    expect(scripts.map(([path]) => path)).toEqual([]);
  });
});

describe.each(browserNames)('what is built for %s', (browser) => {
  let folder: TemporaryFolder;
  let extensionPath: string;
  beforeAll(async () => {
    folder = await createTemporaryFolder('built');
    extensionPath = (await build(folder.dir))[browser];
  });
  afterAll(() => folder?.remove());

  const text = (name: string) => readFileSync(join(extensionPath, name), 'utf8');
  const scripts = () => readdirSync(extensionPath).filter((name) => name.endsWith('.js'));

  it('Q5 lets no page or other extension talk to it, asks for no website, and runs only what is in it', () => {
    const manifest = JSON.parse(text('manifest.json')) as Record<string, unknown>;
    const least = ['alarms', 'identity', ...(browser === 'chrome' ? ['offscreen'] : []), 'storage'];
    expect(manifest['permissions']).toEqual(least);
    const others =
      /externally_connectable|host_permissions|optional_|content_scripts|web_accessible_resources|^sandbox$/;
    expect(Object.keys(manifest).filter((key) => others.test(key))).toEqual([]);
    expect(manifest['content_security_policy']).toEqual({ extension_pages: "script-src 'self'; object-src 'self'" });
    const remote = /\b(import|from)\s*\(?\s*["'`]https?:|<script[^>]+src="?https?:|\bimportScripts\b|\beval\s*\(/;
    const pages = readdirSync(extensionPath).filter((name) => name.endsWith('.html'));
    expect([...scripts(), ...pages].filter((name) => remote.test(text(name)))).toEqual([]);
  });

  it('Q5 hears messages and connections of its own pages alone', () => {
    const listeners = scripts().flatMap((name) =>
      [...text(name).matchAll(/runtime\.on(?:Message|Connect)\w*\.addListener\([\s\S]{0,200}/g)].map(([it]) => it),
    );
    expect(listeners.length).toBeGreaterThanOrEqual(2);
    // Before anything else that it does, in either form that minifying leaves.
    const isGuarded = /^[^;]*?\.id(!==chrome\.runtime\.id\|\||===chrome\.runtime\.id&&)/;
    expect(listeners.filter((it) => !isGuarded.test(it))).toEqual([]);
    expect(listeners.filter((it) => /^runtime\.on\w+External/.test(it))).toEqual([]);
  });

  it('Q6 comes with a bill of what it is made of: every package, its hash, and whether it ships', () => {
    interface Component {
      'bom-ref': string;
      scope: string;
    }
    const bill = JSON.parse(readFileSync(join(folder.dir, 'sbom.cdx.json'), 'utf8')) as { components: Component[] };
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    expect(bill.components).toHaveLength(installed.length);
    const find = (name: string) => bill.components.find((it) => it['bom-ref'] === `node_modules/${name}`);
    const base64 = packages['node_modules/ws']?.integrity?.slice('sha512-'.length) ?? '';
    expect(find('ws')).toMatchObject({
      purl: expect.stringMatching(/^pkg:npm\/ws@8\./) as string,
      scope: 'required',
      hashes: [{ alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') }],
      licenses: [{ expression: 'MIT' }],
    });
    expect(find('@noble/curves')).toMatchObject({ purl: expect.stringContaining('%40noble/curves@') as string });
    for (const name of ['vitest', 'typescript', 'node']) expect(find(name)).toMatchObject({ scope: 'excluded' });
    // The extension holds these, although only its build needs them installed.
    for (const name of ['preact', '@heyputer/puter.js']) expect(find(name)).toMatchObject({ scope: 'required' });
  });
});
