import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { hasCode } from '../has-code.ts';
import type { ServiceTask } from '../command-line/tasks.ts';
import type { Config } from '../config.ts';
import { urlOf } from '../hosts.ts';
import { openPrivateFolder } from '../journal/private-folder.ts';
import { SetupError } from '../setup-error.ts';
import { answers, answersWithin } from './answers.ts';
import { renderAgent } from './launchd-agent.ts';
import { isOurs, serviceName, type Service } from './service.ts';
import { renderUnit } from './systemd-unit.ts';

/** Beyond what running calls may take, for closing what is open. */
const closeSeconds = 15;
/** How long it may take to answer after it was started. */
const startMs = 5000;

/** What supervises the programs of a person, by platform. */
interface Supervisor {
  render(service: Service): string;
  /** In the person's home, or in what stands in for its part. */
  file: string;
  start(file: string): string[][];
  stop(): string[][];
  /** Once the file is gone. */
  forget(): string[][];
  /** What a person runs to see how it does. */
  look: string;
}

const systemctl = (...args: string[]) => ['systemctl', '--user', ...args];
const domain = () => `gui/${process.getuid?.() ?? ''}`;

const supervisors: Partial<Record<NodeJS.Platform, Supervisor>> = {
  linux: {
    render: renderUnit,
    file: `systemd/user/${serviceName}.service`,
    start: () => [systemctl('daemon-reload'), systemctl('enable', '--now', serviceName)],
    stop: () => [systemctl('disable', '--now', serviceName)],
    forget: () => [systemctl('daemon-reload')],
    look: `systemctl --user status ${serviceName}; journalctl --user --unit ${serviceName}`,
  },
  darwin: {
    render: renderAgent,
    file: `LaunchAgents/${serviceName}.plist`,
    start: (file) => [['launchctl', 'bootstrap', domain(), file]],
    stop: () => [['launchctl', 'bootout', `${domain()}/${serviceName}`]],
    forget: () => [],
    look: `launchctl print ${domain()}/${serviceName}`,
  },
};

/**
 * `service …` on the command line: has the system start the bridge at login, with the options that stand beside it.
 * Rejects with `SetupError` and `InsecureFolderError`.
 */
export async function runServiceTask(
  { verb, args, environment: given, configFolder }: ServiceTask,
  options: { config: Config; print: (line: string) => void; tell: (line: string) => void },
): Promise<void> {
  const { config, print, tell } = options;
  const supervisor = supervisors[process.platform];
  if (!supervisor)
    throw new SetupError(
      'Here the bridge cannot be made a service. Have the system run “npm start” in its folder at login; on Windows, the Task Scheduler does.',
    );
  // Where it is may be said by a variable that the supervisor does not have; elsewhere there would be no keys.
  const environment = { ...given, PUTER_BRIDGE_STATE_DIR: config.stateDir };
  // What would begin a line of its own would be an order to the supervisor.
  if ([...args, ...Object.values(environment), process.cwd()].some((it) => /\p{Cc}/u.test(it)))
    throw new SetupError('An option, a variable or the folder of the bridge holds a control character. Take it out.');
  const file = path.join(configFolder, supervisor.file);
  const text = supervisor.render({
    // As it was started itself.
    command: [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...args],
    folder: process.cwd(),
    environment,
    writable: writableFolders(config),
    stopSeconds: config.drainMs / 1000 + closeSeconds,
  });
  const owner = findOwner(file);
  switch (verb) {
    case 'print':
      return print(text.trimEnd());
    case 'install': {
      if (owner === 'other') throw new SetupError(`${file} is there already, and not ours. Move it away.`);
      openPrivateFolder(config.stateDir);
      for (const folder of writableFolders(config)) mkdirSync(folder, { recursive: true, mode: 0o700 });
      mkdirSync(path.dirname(file), { recursive: true });
      if (owner === 'us') for (const command of supervisor.stop()) run(command);
      writeFileSync(file, text, { mode: 0o600 });
      const url = config.port === 0 ? null : urlOf(config);
      const isTaken = url !== null && (await answers(url));
      for (const command of supervisor.start(file)) mustRun(command, file);
      if (url === null)
        return tell(`The bridge is started, and starts at login: ${file}\nTo see on which port: ${supervisor.look}`);
      if (isTaken)
        return tell(`The bridge starts at login: ${file}\nIt starts now once what answers at ${url} has stopped.`);
      if (await answersWithin(url, startMs)) return tell(`The bridge runs, and starts at login: ${file}`);
      throw new SetupError(
        `${file} is written and started, but nothing answers at ${url} yet. To see why: ${supervisor.look}`,
      );
    }
    case 'uninstall':
      if (owner === 'nobody') return tell('The bridge is no service here.');
      if (owner === 'other') throw new SetupError(`${file} is not ours. Remove it yourself, if you do not need it.`);
      for (const command of supervisor.stop()) run(command);
      rmSync(file);
      for (const folder of [path.dirname(file), path.dirname(path.dirname(file))]) removeEmpty(folder, configFolder);
      for (const command of supervisor.forget()) run(command);
      return tell(`The bridge is no service any more. What it keeps is in ${config.stateDir}.`);
  }
}

function writableFolders({ stateDir, logFile, socket }: Config): string[] {
  const files = [logFile, socket].filter((file) => file !== null);
  return [...new Set([stateDir, ...files.map((file) => path.dirname(file))])];
}

function findOwner(file: string): 'us' | 'other' | 'nobody' {
  try {
    return isOurs(readFileSync(file, 'utf8')) ? 'us' : 'other';
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'nobody';
    throw error;
  }
}

/** What may fail: it was stopped already, or the supervisor is not there. */
function run([program = '', ...args]: string[]): { problem: string | null } {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return { problem: null };
  return { problem: error?.message ?? (stderr.trim() || `ended with ${status}`) };
}

function mustRun(command: string[], file: string): void {
  const { problem } = run(command);
  if (problem === null) return;
  throw new SetupError(
    `${file} is written, but could not be started (${problem}). Run this yourself once that is mended: ${command.join(' ')}`,
  );
}

function removeEmpty(folder: string, root: string): void {
  if (folder === root) return;
  try {
    rmdirSync(folder);
  } catch {
    // Somebody else has something in it.
  }
}
