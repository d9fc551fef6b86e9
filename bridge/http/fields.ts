import * as v from 'valibot';

import type { ErrorCode } from '#shared/errors.ts';

import { isImageIfData, isPublicUrl } from './image-url.ts';

/** Fields of a body, as every dialect checks them: what is wrong is said as the end of a sentence about the field. */

export const text = v.pipe(
  v.string('must be a string'),
  v.check(isWellFormed, 'must be valid Unicode (it has half of a surrogate pair)'),
);

/** Of an image, for Puter or the provider to fetch, or the image itself. */
export const imageUrl = v.pipe(
  text,
  v.check(isPublicUrl, 'must be an https address outside of your network, or a data:image URI'),
  v.check(isImageIfData, 'must be a png, jpeg, webp or gif in base64'),
);

export function numberFrom(min: number, max: number) {
  const sentence = `must be a number from ${min} to ${max}`;
  return v.pipe(v.number(sentence), v.minValue(min, sentence), v.maxValue(max, sentence));
}

export function wholeFrom(min: number, max: number) {
  const sentence = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(sentence), v.integer(sentence), v.minValue(min, sentence), v.maxValue(max, sentence));
}

/** Before others that wait, which keep a turn in between. */
export const priority = v.picklist(['normal', 'high'], 'must be “normal” or “high”');

/** Without what was left out. */
export function given<T extends object>(fields: T): { [Name in keyof T]?: NonNullable<T[Name]> } {
  const found: { [Name in keyof T]?: NonNullable<T[Name]> } = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== null && value !== undefined) found[name] = value;
  }
  return found;
}

function isWellFormed(value: string): boolean {
  return value.isWellFormed();
}

/** Checks whose failure has a code of its own. */
const codes = new Map<unknown, ErrorCode>([
  [isWellFormed, 'invalid_unicode'],
  [isPublicUrl, 'image_url_not_allowed'],
  [isImageIfData, 'invalid_image'],
]);

/** What an issue is called: nothing there, something of another type, or the right type and a wrong value. */
export function codeOf({ kind, type, received, requirement, input }: v.BaseIssue<unknown>): ErrorCode {
  if (received === 'undefined') return 'missing_parameter';
  const own = codes.get(requirement);
  if (own) return own;
  // Of a few texts another one: the type is right.
  const isChoice = kind === 'schema' && ['literal', 'picklist', 'variant', 'union'].includes(type);
  return kind === 'validation' || (isChoice && typeof input === 'string') ? 'invalid_value' : 'invalid_type';
}
