import { hopNames } from '#shared/hops.ts';
import type { BridgeStatus } from '#shared/status.ts';

import { describeFix } from '../fix.ts';
import type { PairingView } from '../pairing/offers.ts';

/**
 * Tells the person at the terminal how far the way to Puter reaches: each hop once when it comes up or goes, and
 * then the one next step that is missing.
 */
export function createReporter(options: {
  url: string;
  findExtensionFolder: () => string | null;
  /** Null while no extension asks to be paired. */
  pairing: () => PairingView | null;
  print: (line: string) => void;
  /** Callers need a key. */
  isLocked?: () => boolean;
}): (status: BridgeStatus) => void {
  const { url, findExtensionFolder, pairing, isLocked = () => false } = options;
  // Names come from the extension and from Puter: none may begin a line of its own or give the terminal an order.
  const print = (line: string) => options.print(line.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ''));
  let told: string[] = [];
  let toldNotices: string[] = [];
  let toldNext = '';
  let toldCode: string | null = null;

  return (status) => {
    const good = listGood(status);
    for (const line of told) if (!good.includes(line)) print(`  ✗ gone: ${line}`);
    for (const line of good) if (!told.includes(line)) print(`  ✓ ${line}`);
    told = good;
    for (const notice of status.notices) if (!toldNotices.includes(notice)) print(`  ! ${notice}`);
    toldNotices = status.notices;
    const next = nextStep(status, { url, extensionFolder: findExtensionFolder(), isLocked: isLocked() });
    if (next !== toldNext) print(next);
    toldNext = next;
    const asked = pairing();
    const code = asked?.code ?? null;
    if (asked && code !== null && code !== toldCode) print(tellCode(asked, code));
    toldCode = code;
  };
}

const tellCode = ({ browser, origin }: PairingView, code: string): string =>
  `${browser} (${origin}) asks to be paired. If that is you, type this code in its popup: ${code}`;

function listGood({ extensions, hops }: BridgeStatus): string[] {
  return [
    ...extensions.map(({ browser, version }) => `Extension ${version} in ${browser}.`),
    // A session is only good once Puter said so.
    ...(hops.puter.state === 'unknown' ? [] : [hops.session, hops.puter])
      .filter(({ color }) => color === 'green')
      .map(({ cause }) => cause),
  ];
}

/** The first thing that is missing, and what to do about it. */
export function nextStep(
  { hops }: BridgeStatus,
  options: { url: string; extensionFolder: string | null; isLocked?: boolean },
): string {
  const { url, extensionFolder, isLocked = false } = options;
  const open = hopNames.map((name) => hops[name]).find(({ color }) => color !== 'green');
  const key = isLocked ? `-H 'Authorization: Bearer <key>' ` : '';
  if (!open)
    return `Ready: curl ${url}/api/process ${key}-H 'Content-Type: application/json' -d '{"prompt":"Say hello"}'`;
  return open.fix ? `${open.cause} Next: ${describeFix(open.fix, extensionFolder).join(' ')}` : open.cause;
}
