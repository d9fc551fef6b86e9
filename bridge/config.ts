import { homedir } from 'node:os';
import path from 'node:path';

import { Command, InvalidArgumentError, Option } from 'commander';

import { defaultLimits, type Limits } from './limits.ts';
import { parseOrigins } from './origins.ts';

/** Flags win over the environment, the environment over the defaults. */
export interface Config {
  /** 0 takes any free port. */
  port: number;
  /** The origins whose web pages may call what programs call, word for word as browsers send them. */
  allowedOrigins: readonly string[];
  /** The folder for what is kept between runs; absolute. */
  stateDir: string;
  /** How long a request waits for an extension when none is connected. */
  connectGraceMs: number;
  /** How long a call whose extension vanished waits for it to come back. */
  lostGraceMs: number;
  /** How long a cancelled call may keep its lane. */
  cancelGraceMs: number;
  limits: Limits;
}

/** Without a state folder: whoever starts a bridge names one, so that only main.ts comes to the person's own. */
export const defaults: Omit<Config, 'stateDir'> = {
  port: 5001,
  allowedOrigins: [],
  connectGraceMs: 3000,
  lostGraceMs: 30_000,
  cancelGraceMs: 10_000,
  limits: defaultLimits,
};

/** Reads the command line. Throws commander's `CommanderError` for `--help`, `--version` and mistakes, once printed. */
export function readConfig(args: readonly string[], version: string): Config {
  const command = new Command('puter-bridge')
    .description('Answers HTTP requests through puter.ai.chat() in the Puter Bridge browser extension.')
    .version(version)
    .addOption(
      new Option('-p, --port <number>', 'port to listen on at 127.0.0.1; 0 takes any free one')
        .env('PUTER_BRIDGE_PORT')
        .default(defaults.port)
        .argParser(parsePort),
    )
    .addOption(
      new Option('--allow-origin <origin>', 'lets web pages of this origin call the API; may be given several times')
        .env('PUTER_BRIDGE_ALLOW_ORIGINS')
        .default(defaults.allowedOrigins, 'none')
        .argParser(parseOrigins),
    )
    .addOption(
      new Option('--state-dir <folder>', 'folder for what it keeps between runs, the list of models')
        .env('PUTER_BRIDGE_STATE_DIR')
        .default(findStateDir(process.platform, process.env, homedir()))
        .argParser(parseFolder),
    )
    .showHelpAfterError('Try --help.')
    .exitOverride();
  const { port, stateDir, allowOrigin } = command
    .parse(args, { from: 'user' })
    .opts<Pick<Config, 'port' | 'stateDir'> & { allowOrigin: readonly string[] }>();
  return { ...defaults, port, stateDir, allowedOrigins: allowOrigin };
}

/** Where programs of this platform keep their state. */
export function findStateDir(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const { join, isAbsolute } = platform === 'win32' ? path.win32 : path.posix;
  // The specification of XDG wants a relative path ignored; empty is as good as unset.
  const absolute = (folder: string | undefined) => (folder && isAbsolute(folder) ? folder : undefined);
  const folderOf = (): string => {
    if (platform === 'win32') return absolute(env['LOCALAPPDATA']) ?? join(home, 'AppData', 'Local');
    if (platform === 'darwin') return join(home, 'Library', 'Application Support');
    return absolute(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state');
  };
  return join(folderOf(), 'puter-bridge');
}

function parseFolder(value: string): string {
  if (value.trim() !== '') return path.resolve(value);
  throw new InvalidArgumentError('Name a folder.');
}

/** Also used by the demo, so that both take the same ports. */
export function parsePort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
}
