import { readdirSync, readFileSync, statSync } from 'node:fs';
import { arch, homedir, platform, release } from 'node:os';
import path from 'node:path';

import * as v from 'valibot';

import type { Config } from '../config.ts';
import { urlOf } from '../hosts.ts';
import { redact } from '../log/redact.ts';

const maxLines = 50;
const timeoutMs = 3000;

/** Of the status, what says how things are and not whose they are. */
const statusSchema = v.object({
  bridge: v.object({ version: v.string(), uptime_ms: v.number() }),
  hops: v.record(v.string(), v.object({ state: v.string(), since: v.string(), until: v.nullable(v.string()) })),
  extensions: v.array(
    v.object({
      browser: v.string(),
      version: v.string(),
      since: v.string(),
      paused: v.boolean(),
      lanes: v.object({ busy: v.number(), free: v.number() }),
    }),
  ),
  queue: v.object({ queued: v.number(), running: v.number() }),
});

/** Of a line of the log, what the bridge itself says: no words of callers, extensions or Puter. */
const lineSchema = v.object({
  level: v.string(),
  time: v.string(),
  msg: v.optional(v.string()),
  ...v.partial(
    v.object({
      method: v.string(),
      route: v.nullable(v.string()),
      status: v.nullable(v.number()),
      code: v.string(),
      cut: v.boolean(),
      ms: v.number(),
      bytes: v.number(),
      suppressed: v.number(),
      request_id: v.nullable(v.string()),
      err: v.object({ name: v.string(), code: v.optional(v.string()), stack: v.optional(v.array(v.string())) }),
    }),
  ).entries,
});

/** What somebody who looks for a fault wants to know of this bridge, as JSON, without prompts, answers, keys and names. */
export async function describeForBugReport(config: Config, version: string): Promise<string> {
  const facts = {
    puter_bridge: version,
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    config: { ...config, allowedHosts: config.allowedHosts.length, allowedOrigins: config.allowedOrigins.length },
    state_folder: listFiles(config.stateDir),
    bridge: await askBridge(config),
    log: config.logFile === null ? 'there is no --log-file' : readLines(config.logFile),
  };
  const home = homedir();
  const text = JSON.stringify(facts, null, 2);
  // A program that has no home stands at the root, or nowhere.
  return redact(home.length > 1 ? text.replaceAll(JSON.stringify(home).slice(1, -1), '~') : text);
}

function listFiles(folder: string): unknown {
  try {
    return readdirSync(folder).map((name) => {
      const { size, mode } = statSync(path.join(folder, name));
      return `${name}: ${size} bytes, ${(mode & 0o777).toString(8)}`;
    });
  } catch (error) {
    return whyNot(error);
  }
}

async function askBridge(config: Config): Promise<unknown> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(`${urlOf(config)}/api/status`, { signal });
    const body: unknown = await answer.json();
    if (answer.status === 401) return 'answers; it tells its status only with a key';
    const status = v.safeParse(statusSchema, body);
    return status.success ? status.output : `something else answers, with status ${answer.status}`;
  } catch (error) {
    return whyNot(error);
  }
}

function readLines(file: string): unknown {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-maxLines).map(readLine);
  } catch (error) {
    return whyNot(error);
  }
}

function readLine(text: string): unknown {
  try {
    return v.parse(lineSchema, JSON.parse(text));
  } catch {
    return 'no line of a bridge';
  }
}

/** Messages of errors quote what they are about. */
function whyNot(error: unknown): string {
  const { cause = error } = error instanceof Error ? error : {};
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'failed';
}
