import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** ID first, then what ID_LIKE names (see os-release(5)). */
export function distributions(osRelease: string): string[] {
  const field = (key: string) => new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(osRelease)?.[1]?.split(' ') ?? [];
  return [...field('ID'), ...field('ID_LIKE')];
}

/** Installs one of Debian's packages; `variable` names the way around it. */
export async function installByApt(name: string, variable: string): Promise<void> {
  console.log(`Installing ${name} with apt-get, since it was not found (set ${variable} to use another one).`);
  await run('apt-get', ['update']);
  await run('apt-get', ['install', '-y', '--no-install-recommends', name]);
}

async function run(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed; what it said is above.`);
}
