import type { BridgeStatus } from '#shared/status.ts';

/**
 * Tells the person at the terminal how far the way to Puter reaches: each hop once when it comes up or goes, and
 * then the one next step that is missing.
 */
export function createReporter(options: {
  url: string;
  extensionPath: string;
  isBuilt: () => boolean;
  print: (line: string) => void;
}): (status: BridgeStatus) => void {
  const { url, extensionPath, isBuilt, print } = options;
  let told: string[] = [];
  let toldNext = '';

  return (status) => {
    const hops = describeHops(status);
    for (const hop of told) if (!hops.includes(hop)) print(`  ✗ gone: ${hop}`);
    for (const hop of hops) if (!told.includes(hop)) print(`  ✓ ${hop}`);
    told = hops;
    const next = nextStep(status, { url, extensionPath, isBuilt });
    if (next !== toldNext) print(next);
    toldNext = next;
  };
}

function describeHops(status: BridgeStatus): string[] {
  const extensions = status.extensions.map(({ browser, version, lanes }) => {
    return `extension ${version} in ${browser}, ${lanes.busy + lanes.free} calls at once`;
  });
  const { signed_in: signedIn, username, reachable } = status.puter;
  return [
    ...extensions,
    ...(signedIn ? [username === null ? 'signed in to Puter' : `signed in to Puter as ${username}`] : []),
    ...(reachable === true ? ['Puter answers'] : []),
  ];
}

/** The first thing that is missing, said as what to do about it. */
export function nextStep(
  status: BridgeStatus,
  { url, extensionPath, isBuilt }: { url: string; extensionPath: string; isBuilt: () => boolean },
): string {
  if (status.extensions.length === 0) {
    return isBuilt()
      ? `Next: open chrome://extensions, turn on “Developer mode”, choose “Load unpacked” and pick ${extensionPath}`
      : 'Next: build the extension with “npm run build”, then load it.';
  }
  if (!status.puter.signed_in) return 'Next: click the Puter Bridge icon in the browser and choose “Sign in to Puter”.';
  if (status.puter.reachable === false) return 'Next: Puter cannot be reached from the browser; check its network.';
  return `Ready: curl ${url}/api/process -H 'Content-Type: application/json' -d '{"prompt":"Say hello"}'`;
}
