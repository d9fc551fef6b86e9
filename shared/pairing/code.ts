/** The one-time code that pairs an extension with a bridge: short enough to type, and never sent anywhere. */

/** Without the characters that look like others: 0 and O, 1, I and L, U and V. */
const alphabet = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
const length = 8;

/** How long it can be used, from the moment that it was made. */
export const codeLifeMs = 120_000;

/** How many wrong codes are borne before it is void. */
export const maxWrongCodes = 6;

/** A new code; `random` gives so many bytes that nobody knows. */
export function drawCode(random: (count: number) => Uint8Array): string {
  let code = '';
  while (code.length < length) {
    const [byte = 0] = random(1);
    // From the last few values, some characters would come more often than others.
    if (byte < 256 - (256 % alphabet.length)) code += alphabet[byte % alphabet.length];
  }
  return code;
}

/** As people read it: `K7QM-2XRD`. */
export const showCode = (code: string): string => `${code.slice(0, length / 2)}-${code.slice(length / 2)}`;

const pattern = new RegExp(`^[${alphabet}]{${length}}$`);

/** The code that somebody typed, in whatever case and however parted; null where it can be none. */
export function readCode(typed: string): string | null {
  const code = typed.toUpperCase().replace(/[\s\p{Pd}]/gu, '');
  return pattern.test(code) ? code : null;
}
