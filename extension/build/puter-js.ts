import { readFile } from 'node:fs/promises';

import type { Plugin } from 'esbuild';

/**
 * Parts of puter.js that a lane never runs, and that must not be in the package all the same: extension stores
 * reject any script URL and any `Function(…)`, used or not, and the dialogs need a page that a lane has not.
 * Each is replaced by the least that the modules importing it need.
 */
const replacements: Record<string, string> = {
  // Loads TLS and a polyfill from two CDNs.
  '/modules/networking/PTLS.js': 'export class PTLSSocket {}',
  // A live connection for the file system's cache; switched off by `puter_socket_enabled`.
  '/socket.io-client/build/esm/index.js': 'export const io = () => undefined; export default io;',
  // Windows, menus and dialogs. `requestPermission` says no instead of waiting for an answer for ever.
  '/modules/UI.js': 'export default class UI { parentApp() {} requestPermission() { return false; } }',
  '/modules/PuterDialog.js': 'export default class PuterDialog {}',
  '/modules/UsageLimitDialog.js': 'export const showUsageLimitDialog = () => {};',
  '/modules/EmailConfirmationDialog.js': 'export const showEmailConfirmationDialog = () => {};',
  '/ui/registerComponents.js': 'export const registerComponents = () => {};',
};

/** Lines to change in a module that is needed. */
const edits: Record<string, [from: string, to: string]> = {
  // `puter.print()` writes HTML into a page, and a lane has none.
  '/puter.js/src/index.js': ['document.body.innerHTML += arg;', 'console.log(arg);'],
  // A stream is read as it progresses, and Firefox tells a worker of no progress with the last bytes: in one answer of
  // eight they were lost (measured on Firefox 140).
  '/puter.js/src/lib/networkUtils.js': [
    'if (xhr.readyState === 4 && streamed) {',
    'if (xhr.readyState === 4 && streamed) { xhr.onprogress();',
  ],
};

export const replaceUnusedModules: Plugin = {
  name: 'replace-unused-modules',
  setup(build) {
    const used = new Set<string>();
    build.onLoad(
      { filter: /[\\/]node_modules[\\/](@heyputer[\\/]puter\.js|socket\.io-client)[\\/].*\.js$/ },
      async ({ path }) => {
        const isThis = (file: string) => path.replaceAll('\\', '/').endsWith(file);
        const file = [...Object.keys(replacements), ...Object.keys(edits)].find(isThis);
        if (file === undefined) return undefined;
        used.add(file);
        const edit = edits[file];
        if (!edit) return { contents: replacements[file] ?? '', loader: 'js' };
        const source = await readFile(path, 'utf8');
        if (!source.includes(edit[0])) return { errors: [{ text: `${file} has no line “${edit[0]}” any more` }] };
        return { contents: source.replace(...edit), loader: 'js' };
      },
    );
    // A new version of puter.js may move a module: better no build than one with what was to be left out.
    build.onEnd(() => {
      const missing = Object.keys({ ...replacements, ...edits }).filter((file) => !used.has(file));
      return { errors: missing.map((file) => ({ text: `puter.js has no module ${file} any more` })) };
    });
  },
};
