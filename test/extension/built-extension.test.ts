import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cmd } from 'web-ext';

import catalogue from '#shared/locales/en/messages.json' with { type: 'json' };

import { build } from '../../extension/build/build.ts';
import { browserNames, type BrowserName } from '../../extension/build/manifest.ts';

/** What browsers load, as it is built: extension stores and Manifest V3 refuse any of this, used or not. */

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
let builds: Record<BrowserName, Map<string, string>>;

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/puter-bridge-build-`);
  const folders = await build(folder);
  const [chrome, firefox] = await Promise.all(browserNames.map((name) => readFiles(folders[name])));
  builds = { chrome: chrome ?? new Map(), firefox: firefox ?? new Map() };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function readFiles(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((it) => it.isFile()).map((it) => path.join(it.parentPath, it.name));
  return new Map(
    await Promise.all(files.map(async (file) => [path.relative(root, file), await readFile(file, 'utf8')] as const)),
  );
}

describe.each(browserNames)('the extension for %s:', (browser) => {
  const text = (name: string): string => builds[browser].get(name) ?? expect.fail(`The build has no ${name}`);
  const named = (ending: string): string[] => [...builds[browser].keys()].filter((name) => name.endsWith(ending));

  const manifest = () => v.parse(v.looseObject({}), JSON.parse(text('manifest.json')));

  describe('its code', () => {
    /** Each with a text that it must find, so that a pattern that finds nothing is noticed. */
    const forbidden: Record<string, [pattern: RegExp, example: string]> = {
      'a script from elsewhere': [/["'`]?https?:\/\/[^"'`\s]+\.(m?js|wasm)\b/, 's.src = "https://cdn.example/a.mjs"'],
      'an import from elsewhere': [/\b(import|from)\s*\(?\s*["'`]https?:/, 'import x from"https://cdn.example/a"'],
      'a script from a data or blob URL': [
        /["'`](data:(text|application)\/(java|ecma)script|blob:)/,
        '"data:text/javascript,1"',
      ],
      importScripts: [/\bimportScripts\b/, 'importScripts("a.js")'],
      'eval(': [/\beval\s*\(/, '(0,eval)(x);eval(x)'],
      'Function(': [/\bFunction\s*\(/, 'new Function("return 1")'],
      'a dynamic import()': [/\bimport\s*\(/, 'await import(name)'],
      innerHTML: [/\b(inner|outer)HTML\b|\binsertAdjacentHTML\b/, 'a.innerHTML = b'],
    };

    it.each(Object.entries(forbidden))('holds no %s', (_, [pattern, example]) => {
      expect(example).toMatch(pattern);
      expect(named('.js')).toEqual(expect.arrayContaining(['lane.js', 'page.js']));
      const found = [...named('.js'), ...named('.html')].filter((name) => pattern.test(text(name)));
      expect(found).toEqual([]);
    });

    it('is in files of a sane size', () => {
      const large = [...builds[browser]].filter(
        ([name, { length }]) => length > (name === 'lane.js' ? 400_000 : 200_000),
      );
      expect(large.map(([name]) => name)).toEqual([]);
      // Puter's whole SDK is in there: an empty file would pass everything else.
      expect(text('lane.js').length).toBeGreaterThan(100_000);
    });
  });

  describe('its manifest', () => {
    it('asks for the fewest permissions and no website', () => {
      const permissions = v.parse(v.array(v.string()), manifest()['permissions']);
      const needed = {
        chrome: ['alarms', 'identity', 'offscreen', 'storage'],
        firefox: ['alarms', 'identity', 'storage'],
      };
      expect(permissions.toSorted()).toEqual(needed[browser]);
      const others = /permissions$|^content_scripts$|^externally_connectable$|^web_accessible_resources$/;
      expect(Object.keys(manifest()).filter((key) => others.test(key))).toEqual(['permissions']);
    });

    it('has the version of the package', async () => {
      const { version } = v.parse(v.looseObject({}), JSON.parse(await readFile(`${root}package.json`, 'utf8')));
      expect(manifest()['version']).toBe(version);
    });

    it('has what this browser wants to know, and nothing that is for the other', () => {
      const own = {
        chrome: ['key', 'minimum_chrome_version'],
        firefox: ['browser_specific_settings'],
      };
      const keys = Object.keys(manifest()).filter((key) => Object.values(own).flat().includes(key));
      expect(keys.toSorted()).toEqual(own[browser]);
      const background = { chrome: { service_worker: 'service-worker.js' }, firefox: { scripts: ['event-page.js'] } };
      expect(manifest()['background']).toEqual({ ...background[browser], type: 'module' });
    });

    it('tells Firefox what it hands to Puter: what people write, and their session', () => {
      const gecko = {
        id: expect.stringContaining('@') as string,
        strict_min_version: '140.0',
        data_collection_permissions: { required: ['personalCommunications', 'authenticationInfo'] },
      };
      // Android knows that declaration from 142 on only, and the linter asks for it to be said.
      const settings = { chrome: undefined, firefox: { gecko, gecko_android: { strict_min_version: '142.0' } } };
      expect(manifest()['browser_specific_settings']).toEqual(settings[browser]);
    });

    it('lets no page run what is not in it, and leaves ws: as it is', () => {
      expect(manifest()['content_security_policy']).toEqual({
        extension_pages: "script-src 'self'; object-src 'self'",
      });
    });

    it('leaves its words to the catalogue, which is there', () => {
      expect(manifest()).toMatchObject({
        name: '__MSG_name__',
        description: '__MSG_description__',
        default_locale: 'en',
      });
      expect(JSON.parse(text('_locales/en/messages.json'))).toEqual(catalogue);
      expect(named('messages.json')).toEqual(['_locales/en/messages.json']);
    });

    it('and every page and script name only files that there are', () => {
      const found = (names: string[], pattern: RegExp) =>
        names.flatMap((name) => [...text(name).matchAll(pattern)].map(([, path = '']) => ({ name, path })));
      // A lane is a worker, with neither page nor picture; its strings are those of puter.js.
      const scripts = named('.js').filter((name) => name !== 'lane.js');
      const inManifest = found(['manifest.json'], /"([\w/-]+\.(?:js|html|css|png|svg))"/g);
      const inPages = found(named('.html'), /\b(?:src|href)="([^"#:]+)"/g);
      const inStyles = found(named('.html'), /(?:url\(|@import\s)\s*["']?([^"')\s]+)/g);
      const inScripts = found(scripts, /["'`]\/?((?:[\w-]+\/)*[\w-]+\.(?:html|css|js|png|svg))["'`]/g);
      for (const some of [inManifest, inPages, inScripts]) expect(some.length).toBeGreaterThan(4);
      const all = [...inManifest, ...inPages, ...inStyles, ...inScripts];
      expect(all.filter(({ path }) => !builds[browser].has(path))).toEqual([]);
    });
  });

  describe('its pages', () => {
    const pages = ['popup', 'options', 'welcome'];

    it('are these, and in Chrome one that nobody sees', () => {
      const all = browser === 'chrome' ? [...pages, 'offscreen'] : pages;
      expect(named('.html').toSorted()).toEqual(all.map((name) => `${name}.html`).toSorted());
    });

    it.each(pages)('%s has the style of all, its own, the script of all, a language and a title', async (page) => {
      const html = text(`${page}.html`);
      expect(html).toMatch(/<html lang="en">[^]*<title>[^<]*Puter Bridge/);
      for (const sheet of ['shared/style/style.css', `extension/${page}/${page}.css`])
        expect(html).toContain(`<style>\n${await readFile(root + sheet, 'utf8')}</style>`);
      expect(html).toContain('<script defer src="page.js"></script>');
      expect(html).toContain(`<body data-page="${page}"></body>`);
    });

    it('hold no script of their own, which the policy would refuse, and no style but those sheets', () => {
      for (const page of named('.html')) {
        expect(text(page)).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/);
        expect(text(page).match(/<style/g) ?? []).toHaveLength(page === 'offscreen.html' ? 0 : 2);
      }
      expect('<script>1</script><p onclick="x()" style="y">').toMatch(/<script(?![^>]*\bsrc=)/);
    });
  });

  describe('its icons', () => {
    it('are as large as they are called, and each has one for a dark toolbar', async () => {
      const icons = v.parse(v.record(v.string(), v.string()), manifest()['icons']);
      expect(Object.keys(icons)).toEqual(['16', '32', '48', '128']);
      for (const [size, path] of Object.entries(icons)) {
        for (const name of [path, path.replace('.png', '-dark.png')]) {
          const png = await readFile(`${folder}/extension-${browser}/${name}`);
          // The header of a PNG: its name, then width and height as 32 bits each at 16.
          expect(png.subarray(1, 4).toString()).toBe('PNG');
          expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([Number(size), Number(size)]);
        }
      }
    });
  });

  describe('its licences', () => {
    it('name every package that is in it, puter.js with the whole of Apache-2.0', () => {
      const licences = text('LICENCES.txt');
      const [, puter = ''] =
        /^---- @heyputer\/puter\.js \S+ \(Apache-2\.0\) ----\n([\s\S]*?)(?=^---- )/m.exec(licences) ?? [];
      expect(puter).toContain('Copyright 2024-present Puter Technologies Inc.');
      expect(puter).toContain('Changed for Puter Bridge');
      expect(puter).toMatch(/Apache License\s+Version 2\.0, January 2004/);
      for (const section of [
        '1. Definitions.',
        '4. Redistribution.',
        '9. Accepting Warranty or Additional Liability.',
      ]) {
        expect(puter).toContain(section);
      }
      expect(puter).toContain('END OF TERMS AND CONDITIONS');
      for (const name of ['valibot', 'fastest-levenshtein', 'preact'])
        expect(licences).toMatch(new RegExp(`^---- ${name} .* \\(MIT\\)`, 'm'));
    });
  });

  describe('web-ext lint', () => {
    /** It judges for Firefox: what Firefox wants otherwise is all that it may find in the build for Chrome. */
    const chromesOwn = [
      /^BACKGROUND_SERVICE_WORKER_NOFALLBACK /,
      /^ADDON_ID_REQUIRED /,
      /^MISSING_DATA_COLLECTION_PERMISSIONS /,
      /^IDENTITY_GETREDIRECTURL /,
      /^MANIFEST_PERMISSIONS .*"offscreen"/,
      /^UNSUPPORTED_API offscreen\./,
    ];
    const excused = browser === 'chrome' ? chromesOwn : [];

    it('finds nothing else', async () => {
      const { errors, warnings, notices } = await cmd.lint(
        { sourceDir: `${folder}/extension-${browser}`, artifactsDir: folder, output: 'none', ignoreFiles: [] },
        { shouldExitProgram: false },
      );
      const found = [...errors, ...warnings, ...notices].map((it) => `${it.code} ${it.message} ${it.file}:${it.line}`);
      expect(found.filter((line) => !excused.some((pattern) => pattern.test(line)))).toEqual([]);
      // What is never found any more must not stay excused.
      expect(excused.filter((pattern) => !found.some((line) => pattern.test(line)))).toEqual([]);
    }, 30_000);
  });
});
