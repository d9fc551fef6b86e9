import * as v from 'valibot';

import type { SignInOutcome } from './background/sign-in.ts';
import type { BridgePairing } from './relay/introduction.ts';
import { readSettings, type Settings } from './settings.ts';

/** A sign-in at Puter. The token is only ever sent to the Puter that issued it: both addresses are its own. */
export const sessionSchema = v.object({ token: v.string(), apiOrigin: v.string(), guiOrigin: v.string() });
export type Session = v.InferOutput<typeof sessionSchema>;

/** What the background page works from. `session` is null when there is none for these settings. */
export interface Context {
  settings: Settings;
  session: Session | null;
  /** There is a token to forget, of these settings or of others. */
  hasSession: boolean;
  /** With the bridge at the address of these settings, or else the latest one. */
  pairing: BridgePairing | null;
  /** The person wants no requests now. */
  paused: boolean;
  /** A random id of this browser profile, made once. */
  profile: string;
  /** Of this extension: an offscreen page may not read the manifest. */
  version: string;
}

/** The secret is the bridge's and ours alone; `address` is the origin where it came about. */
const pairingSchema = v.object({ address: v.string(), secret: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)) });
export type NewPairing = v.InferOutput<typeof pairingSchema>;
const pairingsSchema = v.fallback(v.array(pairingSchema), []);

/** The addresses of this many bridges are remembered. */
const maxPairings = 20;

const area = () => chrome.storage.local;

/** Whether that session was issued by the Puter of these addresses. */
export const isOf = (session: Omit<Session, 'token'>, { apiOrigin, guiOrigin }: Settings): boolean =>
  session.apiOrigin === apiOrigin && session.guiOrigin === guiOrigin;

export async function readContext(): Promise<Context> {
  const stored = await area().get(['settings', 'session', 'pairings', 'paused', 'profile']);
  const settings = readSettings(stored['settings']);
  const session = v.safeParse(sessionSchema, stored['session']);
  const isUsable = session.success && isOf(session.output, settings);
  return {
    settings,
    session: isUsable ? session.output : null,
    hasSession: stored['session'] !== undefined,
    pairing: findPairing(v.parse(pairingsSchema, stored['pairings']), settings.bridgeAddress),
    paused: stored['paused'] === true,
    profile: await profileOf(stored['profile']),
    version: chrome.runtime.getManifest().version,
  };
}

/** Changes some settings and keeps the others. */
export async function changeSettings(change: Partial<Settings>): Promise<void> {
  // Two pages may change two of them at once.
  await navigator.locks.request('settings', async () => {
    const { settings } = await area().get('settings');
    await area().set({ settings: { ...readSettings(settings), ...change } });
  });
}

/** With a session, how signing in went before is over. */
export async function saveSession(session: Session): Promise<void> {
  await area().set({ session });
  await chrome.storage.session.remove('outcome');
}
export const savePaused = (paused: boolean): Promise<void> => area().set({ paused });
export const forgetSession = (): Promise<void> => area().remove('session');

/** In the place of what there was for that address. */
export async function savePairing(pairing: NewPairing): Promise<void> {
  await navigator.locks.request('pairings', async () => {
    const others = v
      .parse(pairingsSchema, (await area().get('pairings'))['pairings'])
      .filter(({ address }) => address !== pairing.address);
    await area().set({ pairings: [pairing, ...others].slice(0, maxPairings) });
  });
}

/** A bridge that was given another port is still the one that knows us. The latest stands first. */
function findPairing(pairings: readonly NewPairing[], bridgeAddress: string): BridgePairing | null {
  const own = pairings.find(({ address }) => address === bridgeAddress);
  const found = own ?? pairings[0];
  return found ? { secret: found.secret, isOfAddress: own !== undefined } : null;
}

/**
 * Tells how the last sign-in went or is going, now and after every change, for as long as the browser runs; null after a
 * good one. Returns how to stop.
 */
export function followSignInOutcome(listener: (outcome: SignInOutcome | null) => void): () => void {
  const area = chrome.storage.session;
  const tell = () =>
    void area.get<{ outcome?: SignInOutcome }>('outcome').then(({ outcome }) => listener(outcome ?? null));
  area.onChanged.addListener(tell);
  tell();
  return () => area.onChanged.removeListener(tell);
}
export const saveSignInOutcome = (outcome: SignInOutcome): Promise<void> => chrome.storage.session.set({ outcome });

/** Calls `listener` after any change of what `readContext` reads. */
export function onContextChanged(listener: () => void): void {
  chrome.storage.local.onChanged.addListener(listener);
}

async function profileOf(stored: unknown): Promise<string> {
  if (typeof stored === 'string') return stored;
  const profile = crypto.randomUUID();
  await area().set({ profile });
  return profile;
}
