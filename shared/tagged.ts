import * as v from 'valibot';

/**
 * One of several objects, told apart by the text under `key`, which is another in each, as by `v.variant`. That tries one
 * after the other; this goes straight to the right one, since frames and what they hold come by the thousand.
 */
export function tagged<const K extends string, const O extends readonly Tagged<K>[]>(
  key: K,
  options: O,
  message?: string,
): v.GenericSchema<v.InferInput<O[number]>, v.InferOutput<O[number]>> {
  const variant = v.variant(key, options as unknown as v.VariantOptions<K>, message);
  const byTag = new Map<unknown, v.GenericSchema>(
    options.flatMap((option) => tagsOf(option.entries[key]).map((tag) => [tag, option] as const)),
  );
  const tagOf = (input: unknown) => (input as { [key in K]?: unknown } | null | undefined)?.[key];
  // Where no tag fits, the variant says what is wrong.
  return v.lazy((input) => byTag.get(tagOf(input)) ?? variant) as v.GenericSchema<
    v.InferInput<O[number]>,
    v.InferOutput<O[number]>
  >;
}

type Tag =
  | v.LiteralSchema<string, v.ErrorMessage<v.LiteralIssue> | undefined>
  | v.PicklistSchema<readonly string[], undefined>;

type Tagged<K extends string> = v.ObjectSchema<
  { readonly [key in K]: Tag } & v.ObjectEntries,
  v.ErrorMessage<v.ObjectIssue> | undefined
>;

const tagsOf = (tag: Tag): readonly string[] => (tag.type === 'literal' ? [tag.literal] : tag.options);
