import * as v from 'valibot';

import { blockedPorts } from '#shared/blocked-ports.ts';
import type { MessageKey } from '#shared/say.ts';

import type { Plan } from './puter/standing.ts';

/** How many calls Puter lets an account start in ten seconds. */
export const rateByPlan = { temporary: 20, free: 30, paid: 200 } as const satisfies Record<Plan, number>;

/** How many calls run at once, by what Puter allows to each kind of account at once. */
export const lanesByPlan = { temporary: 2, free: 3, paid: 20 } as const satisfies Record<Plan, number>;

/** What the person can set. A wrong value's issue names the sentence for it. Every value is checked here, on the options page and when read from storage alike. */
export const settingsSchema = v.object({
  /** Where the bridge listens, as an origin. */
  bridgeAddress: v.pipe(
    v.string(),
    v.trim(),
    v.transform(completeAddress),
    v.check(isOrigin, message('invalid_address')),
    v.check(hasOpenPort, message('invalid_port')),
    v.transform((text) => new URL(text).origin),
  ),
  /** Used for requests that name no model; empty leaves the choice to Puter. */
  defaultModel: v.pipe(v.string(), v.trim(), v.maxLength(200, message('invalid_model'))),
  /** How many calls run at once. */
  lanes: v.pipe(
    v.union([v.literal('auto'), v.number()], message('invalid_lanes')),
    v.check(isLaneCount, message('invalid_lanes')),
  ),
  /** Where Puter's API answers, and where its pages are; both change for a self-hosted Puter. */
  apiOrigin: origin(),
  guiOrigin: origin(),
});

export type Settings = v.InferOutput<typeof settingsSchema>;

export const defaultSettings: Settings = {
  bridgeAddress: 'http://127.0.0.1:5001',
  defaultModel: '',
  lanes: 'auto',
  apiOrigin: 'https://api.puter.com',
  guiOrigin: 'https://puter.com',
};

/** Reads what was stored, value by value: one that is no longer valid falls back to its default alone. */
export function readSettings(stored: unknown): Settings {
  const given = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {};
  const valid = Object.entries(settingsSchema.entries).flatMap(([name, schema]) => {
    const result = v.safeParse(schema, given[name]);
    return result.success ? [[name, result.output]] : [];
  });
  return { ...defaultSettings, ...(Object.fromEntries(valid) as Partial<Settings>) };
}

/** A problem is named by its sentence's key, for the page to say. */
function message(key: MessageKey): MessageKey {
  return key;
}

function origin() {
  return v.pipe(
    v.string(),
    v.trim(),
    v.check(isSafeOrigin, message('invalid_origin')),
    v.check(hasOpenPort, message('invalid_port')),
    v.transform((text) => new URL(text).origin),
  );
}

/**
 * People leave the scheme out, or all but the port; and `localhost` may be ::1, where another program can listen on the
 * same port.
 */
function completeAddress(text: string): string {
  // A shorter number is rather the beginning of an address.
  if (/^:?\d{4,5}$/.test(text)) return `http://127.0.0.1:${text.replace(':', '')}`;
  const withScheme = /^\w+:\/\//.test(text) ? text : `http://${text}`;
  return withScheme.replace(/^(https?:\/\/)localhost(?=[:/]|$)/i, '$1127.0.0.1');
}

function isLaneCount(lanes: 'auto' | number): boolean {
  return lanes === 'auto' || (Number.isInteger(lanes) && lanes >= 1 && lanes <= lanesByPlan.paid);
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.pathname !== '/' || url.search !== '' || url.hash !== '') return false;
  // Chrome takes spaces in the name of a host, as %20.
  if (url.username !== '' || url.password !== '' || url.hostname.includes('%')) return false;
  // “127” is 0.0.0.127 to a browser, and to nobody else.
  if (/^[\d.]+$/.test(url.hostname) && !text.includes(url.hostname)) return false;
  return /^https?:$/.test(url.protocol);
}

/** Elsewhere a browser would only say that nobody answers. */
function hasOpenPort(text: string): boolean {
  return !blockedPorts.has(Number(URL.parse(text)?.port));
}

/** One address of Puter's own beside one of somebody else's: a token of the one would go to the other. */
export function isMixed({ apiOrigin, guiOrigin }: Settings): boolean {
  return isPuters(apiOrigin) !== isPuters(guiOrigin);
}

const isPuters = (origin: string): boolean => /(^|\.)puter\.com$/.test(new URL(origin).hostname);

/** Whether what goes there stays on this machine. */
export function isLoopback(address: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(URL.parse(address)?.hostname ?? '');
}

/** The token travels to this origin: in the clear only where it does not leave the machine. */
function isSafeOrigin(text: string): boolean {
  return isOrigin(text) && (URL.parse(text)?.protocol === 'https:' || isLoopback(text));
}
