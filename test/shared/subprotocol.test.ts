import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { protocolVersion, subprotocol } from '#shared/protocol.ts';
import { chooseSubprotocol, versionMismatch } from '#shared/subprotocol.ts';

describe('the version', () => {
  it('is accepted wherever it stands among the offered ones', () => {
    expect(versionMismatch([subprotocol])).toBeNull();
    expect(versionMismatch(['puter-bridge.v9', subprotocol])).toBeNull();
  });

  it('of a newer extension asks for an update of the bridge', () => {
    expect(versionMismatch([`puter-bridge.v${protocolVersion + 1}`])).toBe(
      `Update the bridge: it speaks v${protocolVersion}, the extension v${protocolVersion + 1}.`,
    );
  });

  it('of an older extension asks for an update of the extension', () => {
    expect(versionMismatch(['puter-bridge.v0'])).toBe(
      `Update the extension: it speaks v0, the bridge v${protocolVersion}.`,
    );
  });

  it.each([[[]], [['']], [['chat']], [['puter-bridge.v']], [['puter-bridge.v12345']], [['xputer-bridge.v2']]])(
    'in %j is not that of our extension',
    (offered) => expect(versionMismatch(offered)).toBe('This is not the Puter Bridge extension.'),
  );

  it('is explained in a sentence that fits in a close frame, whatever was offered', () => {
    const offered = fc.oneof(
      fc.string(),
      fc.nat().map((version) => `puter-bridge.v${version}`),
    );
    fc.assert(
      fc.property(fc.array(offered), (names) => {
        expect(Buffer.byteLength(versionMismatch(names) ?? '')).toBeLessThanOrEqual(123);
      }),
    );
  });
});

describe('the subprotocol', () => {
  it('is ours where it is offered, else that of another version, and never anything else', () => {
    const newer = `puter-bridge.v${protocolVersion + 1}`;
    expect(chooseSubprotocol(['bearer.SECRET', newer, subprotocol])).toBe(subprotocol);
    expect(chooseSubprotocol(['bearer.SECRET', newer])).toBe(newer);
    for (const offered of [[], ['bearer.SECRET'], [''], ['puter-bridge.v'], [`${subprotocol}x`], [`x${subprotocol}`]])
      expect(chooseSubprotocol(offered)).toBeUndefined();
  });
});
