import * as v from 'valibot';

const count = v.nullable(v.pipe(v.number(), v.minValue(0)));
export const maxNameChars = 300;
export const nameSchema = v.pipe(v.string(), v.maxLength(maxNameChars));

/** A chat model as Puter lists it; null is what Puter does not tell. Prices are dollars per million tokens. */
const modelSchema = v.object({
  id: nameSchema,
  /** Other names that it answers to. */
  aliases: v.array(nameSchema),
  provider: v.nullable(nameSchema),
  contextTokens: count,
  maxOutputTokens: count,
  inputPrice: count,
  outputPrice: count,
  /** What it reads, in Puter's words: text, image, audio, pdf, video. */
  inputs: v.nullable(v.array(nameSchema)),
  /** Whether it calls tools, and whether it thinks before it answers. */
  tools: v.nullable(v.boolean()),
  reasoning: v.nullable(v.boolean()),
  /** Milliseconds since 1970. */
  releasedAt: count,
});

export const maxModels = 5000;
export const modelListSchema = v.pipe(v.array(modelSchema), v.maxLength(maxModels));

export type Model = v.InferOutput<typeof modelSchema>;

/** Every name that `model` answers to. */
export const namesOf = (model: Model): string[] => [model.id, ...model.aliases];

/** The model that answers to `name`, as Puter finds it: in capitals or not. */
export function findModel(models: readonly Model[], name: string): Model | undefined {
  const wanted = name.toLowerCase();
  return models.find((model) => namesOf(model).some((candidate) => candidate.toLowerCase() === wanted));
}
