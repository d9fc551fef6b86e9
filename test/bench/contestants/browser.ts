import { setOptions, signIn } from '../../browser/person.ts';
import { builtExtension, until } from '../../browser/rig.ts';
import { startChromium, type Chromium } from '../../browser/chromium.ts';
import { startStandIn } from '../../puter/stand-in.ts';
import type { Bed } from '../bench.ts';
import { serveBridge, warmUp } from './contestants.ts';

/** A browser with our extension before a bridge, and a stand-in for Puter behind it. */
export interface ChromiumContender {
  url: string;
  chromium: Chromium;
  /** What puter.js needs to ask the stand-in by itself. */
  puter: { apiOrigin: string; guiOrigin: string; token: string };
}

/** The bridge in a process of its own, as it ships. */
export async function startChromiumContender(bed: Bed): Promise<ChromiumContender> {
  const bridge = await serveBridge(bed);
  await warmUp(bed, 'batched', bridge);
  const { url } = bridge;
  const standIn = await startStandIn();
  bed.onEnd(() => standIn.close());
  // Of all plans the one that lets most calls through.
  standIn.setAccount({ subscribed: true });
  const { apiOrigin, guiOrigin } = standIn;
  const chromium = await startChromium({ extensionPath: builtExtension('chrome'), signal: bed.signal });
  bed.onEnd(() => chromium.close());
  await (await chromium.waitForPage(/\/welcome\.html$/)).close();
  await setOptions(chromium, { bridgeAddress: url, apiOrigin, guiOrigin });
  await signIn(chromium);
  // Not by `/api/status`: while somebody looks at it, Puter is asked more often.
  const question = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"prompt":"Hello"}' };
  await until(async () => (await fetch(`${url}/api/process`, question)).ok);
  return { url, chromium, puter: { apiOrigin, guiOrigin, token: standIn.mintToken() } };
}
