import { protocolVersion, subprotocol } from './protocol.ts';

const name = /^puter-bridge\.v(\d{1,4})$/;

/**
 * Ours where it is offered, else that of another version, which is let in far enough to be told which side to update
 * (closeCodes.wrongVersion). Nothing else is ever repeated: it may be somebody's secret.
 */
export const chooseSubprotocol = (offered: readonly string[]): string | undefined =>
  offered.includes(subprotocol) ? subprotocol : offered.find((it) => name.test(it));

/** A sentence for the side that is behind, or null where both speak the same version. */
export function versionMismatch(offered: readonly string[]): string | null {
  if (offered.includes(subprotocol)) return null;
  const theirs = offered.map((it) => name.exec(it)?.[1]).find((match) => match !== undefined);
  if (theirs === undefined) return 'This is not the Puter Bridge extension.';
  return Number(theirs) > protocolVersion
    ? `Update the bridge: it speaks v${protocolVersion}, the extension v${theirs}.`
    : `Update the extension: it speaks v${theirs}, the bridge v${protocolVersion}.`;
}
