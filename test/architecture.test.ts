import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

/** The rules of the house that neither compiler nor linter holds. Each is shown a file that breaks it, too. */

const root = fileURLToPath(new URL('..', import.meta.url));

interface File {
  /** From the root of the repository, with slashes. */
  path: string;
  text: string;
}

interface Rule {
  /** One sentence for each breach, with the path of the file. */
  breaches(files: readonly File[]): string[];
  /** Any one of these files breaks the rule. */
  offenders: File[];
}

const generated = new Set(['node_modules', 'dist', '.git', '.cache']);

function readTree(folder = ''): File[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder + entry.name;
    if (generated.has(entry.name)) return [];
    return entry.isDirectory() ? readTree(`${path}/`) : [{ path, text: readFileSync(root + path, 'utf8') }];
  });
}

const file = (path: string, text = ''): File => ({ path, text });

const topOf = (path: string): string => path.split('/')[0] ?? '';

const isCode = ({ path }: File): boolean => /\.tsx?$/.test(path);
const isSource = (it: File): boolean => isCode(it) && topOf(it.path) !== 'test';

/** What a file imports: a path in this repository where it is one, else the name as it stands. */
function importsOf({ path, text }: File): { name: string; target: string }[] {
  const statement = /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm;
  const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(statement), ...text.matchAll(dynamic)].map((match) => {
    const name = match[1] ?? match[2] ?? '';
    if (name.startsWith('.')) return { name, target: posix.join(posix.dirname(path), name) };
    return { name, target: name.startsWith('#') ? name.slice(1) : `package ${name}` };
  });
}

/** A rule on every import of every file; `isBreach` sees one at a time. */
const onImports = (isBreach: (from: string, target: string, name: string) => boolean, offenders: File[]): Rule => ({
  breaches: (files) =>
    files.filter(isCode).flatMap((it) =>
      importsOf(it)
        .filter(({ name, target }) => isBreach(it.path, target, name))
        .map(({ name }) => `${it.path} imports ${name}`),
    ),
  offenders,
});

/** A rule that a pattern stands nowhere in the files that `where` chooses. */
const never = (pattern: RegExp, where: (it: File) => boolean, offenders: File[]): Rule => ({
  breaches: (files) =>
    files.filter(where).flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter((line) => pattern.test(line))
        .map((line) => `${path}: ${line.trim().slice(0, 100)}`),
    ),
  offenders,
});

const onPaths = (isBreach: (path: string) => boolean, offenders: string[]): Rule => ({
  breaches: (files) => files.map(({ path }) => path).filter(isBreach),
  offenders: offenders.map((path) => file(path)),
});

/** The folder of a dialect: `process`, `openai`, `openai/chat-completions`. */
const dialectOf = (path: string): string | undefined => /^bridge\/dialects\/(.+)\/[^/]+$/.exec(path)?.[1];

const reach: Record<string, string[]> = {
  shared: ['shared'],
  bridge: ['bridge', 'shared'],
  extension: ['extension', 'shared'],
  test: ['test', 'bridge', 'extension', 'shared'],
};

/** Packages that one folder alone may know; what it is for stops there. */
const owners: Record<string, string> = {
  ws: 'bridge/connection/',
  express: 'bridge/http/',
  'node:sqlite': 'bridge/journal/',
  commander: 'bridge/',
  pino: 'bridge/log/',
  '@heyputer/puter.js': 'extension/puter/',
  esbuild: 'extension/build/',
  fflate: 'extension/build/',
  'fastest-levenshtein': 'shared/nearest-names.ts',
  preact: 'extension/',
};

/** The same by the beginning of their names. */
const familyOwners: Record<string, string> = { '@noble/': 'shared/pairing/' };

/** Where text becomes a value. Each checks with a schema what it read, or reads what we wrote ourselves. */
const codecs: Record<string, string> = {
  'shared/protocol.ts': 'frames',
  'bridge/catalogue/model-file.ts': 'the list of models that we kept',
  'bridge/http/body.ts': 'the bodies of callers',
  'bridge/chat/json-answer.ts': 'the JSON that a model was asked for',
  'bridge/pairing/pairings.ts': 'the pairings that we kept, and a person may have edited',
  'bridge/journal/transcript.ts': 'what was asked, from the journal',
  'bridge/journal/redo-log.ts': 'rows of the journal, from the redo log',
  'bridge/journal/results.ts': 'what chats came to, from the journal',
  'bridge/version.ts': 'our package.json',
  'bridge/command-line/bug-report.ts': 'the lines of our own log file',
  'bridge/keys/keys.ts': 'the file of the keys',
  'bridge/log/format-line.ts': 'the lines of our own log',
  'extension/puter/globals.ts': 'the name that the pool gives a lane',
  'extension/puter/puter-messages.ts': 'the arguments that a model wrote for a tool',
  'extension/build/build.ts': 'our package.json and its lock',
  'extension/build/manifest.ts': 'our manifest.json',
  'extension/build/licences.ts': 'the package.json of what is bundled',
};

const topLevel = new Set([
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'manifest.json', 'README.md', 'LICENSE'],
  ...['extension', 'bridge', 'shared', 'test'],
]);

const rules: Record<string, Rule> = {
  'bridge and extension know shared and themselves, shared knows itself, and only tests know all': onImports(
    (from, target) => !target.startsWith('package ') && !(reach[topOf(from)] ?? []).includes(topOf(target)),
    [
      file('shared/chat-2.ts', "import { startBridge } from '../bridge/bridge.ts';"),
      file('bridge/x.ts', "import type { Settings } from '../extension/settings.ts';"),
      file('bridge/page/x.ts', "export { until } from '../../test/browser/rig.ts';"),
      file('extension/build/x.ts', "await import(\n'../../bridge/config.ts');"),
      file('extension/relay/x.ts', "import {\n  one,\n  two,\n} from '../../bridge/bridge.ts';"),
    ],
  ),

  'shared needs nothing but valibot, a measure of how far apart two names are, and cryptography': onImports(
    (from, target) =>
      topOf(from) === 'shared' && /^package (?!(valibot|fastest-levenshtein|@noble\/[\w/.-]+)$)/.test(target),
    [
      file('shared/x.ts', "import { randomUUID } from 'node:crypto';"),
      file('shared/x.ts', "import 'ws';"),
      file('shared/nearest-names.ts', "import Fuse from 'fuse.js';"),
    ],
  ),

  '#shared/ crosses a border, and nothing else does': onImports(
    (from, target, name) => topOf(target) === 'shared' && (topOf(from) === 'shared') === name.startsWith('#'),
    [
      file('bridge/x.ts', "import { BridgeError } from '../shared/errors.ts';"),
      file('extension/puter/x.ts', "import type { Usage } from '../../shared/chat.ts';"),
      file('shared/x.ts', "import { BridgeError } from '#shared/errors.ts';"),
    ],
  ),

  'a package that belongs to one folder is imported there alone': onImports(
    (from, target) => {
      const name = target.replace('package ', '');
      const family = Object.keys(familyOwners).find((beginning) => name.startsWith(beginning)) ?? '';
      const owner = owners[name] ?? familyOwners[family];
      return owner !== undefined && topOf(from) !== 'test' && !from.startsWith(owner);
    },
    [
      file('bridge/http/x.ts', "import { WebSocketServer } from 'ws';"),
      file('bridge/lifecycle/x.ts', "import type { Request } from 'express';"),
      file('bridge/results.ts', "import { DatabaseSync } from 'node:sqlite';"),
      file('extension/lanes/x.ts', "import { puter } from '@heyputer/puter.js';"),
      file('shared/models-2.ts', "import { distance } from 'fastest-levenshtein';"),
      file('bridge/pairing/x.ts', "import { hmac } from '@noble/hashes/hmac.js';"),
    ],
  ),

  'dialects do not know each other': onImports(
    (from, target) => {
      const [mine, theirs] = [dialectOf(from), dialectOf(target)];
      if (mine === undefined || theirs === undefined) return false;
      // What lies beside the routes of one maker is theirs together.
      return mine !== theirs && !mine.startsWith(`${theirs}/`);
    },
    [
      file('bridge/dialects/openai/chat-completions/x.ts', "import { toChatRequest } from '../../process/request.ts';"),
      file('bridge/dialects/openai/completions/x.ts', "import { stopsOf } from '../chat-completions/request.ts';"),
      file('bridge/dialects/openai/x.ts', "import { stopsOf } from './chat-completions/request.ts';"),
      file('bridge/dialects/process/x.ts', "import { reportError } from '../openai/errors.ts';"),
    ],
  ),

  'the environment is read in bridge/command-line alone': never(
    /\bprocess\.env\b|\.env\(|\bimport \{[^}]*\benv\b[^}]*\} from 'node:process'/,
    (it) => isSource(it) && !it.path.startsWith('bridge/command-line/'),
    [file('bridge/http/x.ts', "const port = process.env['PORT'];"), file('bridge/main.ts', "new Option().env('PORT')")],
  ),

  'the process is ended in bridge/main.ts alone': never(
    /\bprocess\.(exit|abort|kill)\(/,
    (it) => isSource(it) && it.path !== 'bridge/main.ts',
    [file('bridge/http/x.ts', 'process.exit(1);')],
  ),

  'relay, lanes and puter know no extension API': never(
    /\b(chrome|browser)\.\w/,
    ({ path }) => /^extension\/(relay|lanes|puter)\//.test(path),
    [
      file('extension/relay/x.ts', 'chrome.storage.local.get();'),
      file('extension/lanes/x.ts', 'browser.alarms.get();'),
    ],
  ),

  'JSON is parsed by codecs alone': never(/\bJSON\.parse\b/, (it) => isSource(it) && !(it.path in codecs), [
    file('bridge/lifecycle/x.ts', 'const frame = JSON.parse(text);'),
  ]),

  'what comes from outside is never cast': never(
    /(\bJSON\.parse\(.*\)|\.json\(\)\)?) as (?!unknown\b|const\b)/,
    (it) => isSource(it) && it.path !== 'extension/puter/globals.ts',
    [
      file('bridge/version.ts', 'return JSON.parse(text) as Package;'),
      file('extension/puter/x.ts', 'const user = (await response.json()) as User;'),
    ],
  ),

  'no file is longer than 250 lines, in tests 400': {
    breaches: (files) =>
      files
        .filter(({ path }) => /\.(tsx?|css|html)$/.test(path))
        .filter(({ path, text }) => text.trimEnd().split('\n').length > (topOf(path) === 'test' ? 400 : 250))
        .map(({ path }) => path),
    offenders: [file('bridge/x.ts', '//\n'.repeat(251)), file('test/x.ts', '//\n'.repeat(401))],
  },

  'every file and folder is named after what it holds, in kebab-case': onPaths(
    (path) =>
      topOf(path) !== path &&
      (path.split('/').some((part) => /^(utils?|lib|common|core|helpers?|types|constants|index)(\.\w+)*$/.test(part)) ||
        /[A-Z_]/.test(path)),
    ['bridge/utils/x.ts', 'shared/types.ts', 'extension/lanes/index.ts', 'bridge/http/httpApp.ts'],
  ),

  'no file only hands on others': never(/^export (\*|\{[^}]*\}) from /, isCode, [
    file('bridge/x.ts', "export * from './bridge.ts';"),
  ]),

  'the top level holds what a newcomer looks for, and dot files': onPaths(
    (path) => !topLevel.has(topOf(path)) && !topOf(path).startsWith('.'),
    ['notes.md', 'scripts/x.ts'],
  ),

  'no text names a command that nobody has: nothing is installed under our name': never(
    /\bputer-bridge (key|history|service|report)\b/,
    (it) => isSource(it) || it.path === 'README.md',
    [file('bridge/x.ts', "tell('“puter-bridge key create NAME” makes one.')")],
  ),

  'no text names a folder of one machine, or a registry': never(
    /(^|[\s'"`(=:])\/(work|root)\/|\bregistry\.[a-z]+\.(org|com|io)\b/,
    ({ path }) => !path.endsWith('.png'),
    [
      file('README.md', `see ${['', 'work', 'shared', 'x.md'].join('/')}`),
      file('package-lock.json', `"resolved": "https://${['registry', 'npmjs', 'org'].join('.')}/ws"`),
    ],
  ),

  'README’s map shows the folders that there are': {
    breaches(files) {
      const mapped = readmeFolders(files.find(({ path }) => path === 'README.md')?.text ?? '');
      const there = foldersOf(files);
      return [
        ...[...there]
          .filter((folder) => !mapped.has(folder) && !mirrors(folder, there))
          .map((folder) => `README does not name ${folder}`),
        ...[...mapped].filter((folder) => !there.has(folder)).map((folder) => `There is no ${folder}`),
      ];
    },
    offenders: [
      file('bridge/journal-2/x.ts'),
      file('extension/popup/parts/x.ts'),
      file('README.md', '## Folders\n```\nattic/  old things\n```'),
    ],
  },
};

/** Folders with files in them, down to two levels below the four at the top. */
function foldersOf(files: readonly File[]): Set<string> {
  const folders = files.flatMap(({ path }) => {
    const parts = path.split('/').slice(0, -1);
    return parts.slice(0, 3).map((_, depth) => parts.slice(0, depth + 1).join('/'));
  });
  return new Set(folders.filter((folder) => topOf(folder) in reach));
}

/** Tests lie where their sources lie: one line about test/ says that of all of them. */
const mirrors = (folder: string, there: ReadonlySet<string>): boolean =>
  folder.startsWith('test/') && there.has(folder.replace('test/', ''));

/** Reads the first fenced block below a heading about folders: a path a line, indented ones below the last above. */
function readmeFolders(readme: string): Set<string> {
  const block = /^#+ .*folder.*$[^`]*^```\w*\n([\s\S]*?)^```/im.exec(readme)?.[1] ?? '';
  const open: { indent: number; path: string }[] = [];
  const folders = new Set<string>();
  for (const [, space = '', name = ''] of block.matchAll(/^( *)([\w./-]+)\/(?= |$)/gm)) {
    while ((open.at(-1)?.indent ?? -1) >= space.length) open.pop();
    const path = posix.join(open.at(-1)?.path ?? '', name);
    open.push({ indent: space.length, path });
    folders.add(path);
  }
  return folders;
}

describe('architecture', () => {
  const files = readTree();

  it('reads the whole tree, and every import in it leads somewhere', () => {
    const paths = new Set(files.map(({ path }) => path));
    const imports = files
      .filter(isCode)
      .flatMap((it) => importsOf(it).map(({ target }) => ({ path: it.path, target })));
    expect(imports.length).toBeGreaterThan(150);
    expect(imports.filter(({ target }) => !target.startsWith('package ') && !paths.has(target))).toEqual([]);
  });

  it('lists only codecs that there are', () => {
    const parsing = files.filter((it) => isSource(it) && /\bJSON\.parse\b/.test(it.text)).map(({ path }) => path);
    expect(parsing.toSorted()).toEqual(Object.keys(codecs).toSorted());
  });

  describe.each(Object.entries(rules))('%s', (_, rule) => {
    it('holds', () => {
      expect(rule.breaches(files)).toEqual([]);
    });

    it.each(rule.offenders)('is broken by $path', (offender) => {
      const others = files.filter(({ path }) => path !== offender.path);
      expect(rule.breaches([...others, offender])).not.toEqual(rule.breaches(others));
    });
  });
});
