import * as v from 'valibot';

/** Fields of a body, as every dialect checks them: what is wrong is said as the end of a sentence about the field. */

export const text = v.pipe(
  v.string('must be a string'),
  v.check((value) => value.isWellFormed(), 'must be valid Unicode (it has half of a surrogate pair)'),
);

export function numberFrom(min: number, max: number) {
  const sentence = `must be a number from ${min} to ${max}`;
  return v.pipe(v.number(sentence), v.minValue(min, sentence), v.maxValue(max, sentence));
}

export function wholeFrom(min: number, max: number) {
  const sentence = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(sentence), v.integer(sentence), v.minValue(min, sentence), v.maxValue(max, sentence));
}
