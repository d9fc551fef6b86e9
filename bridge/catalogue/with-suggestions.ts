import type { Failure } from '#shared/errors.ts';

import type { Catalogue } from './catalogue.ts';

/** The same failure, with the names that may have been meant where there is no model called `model`. */
export function withSuggestions(
  failure: Failure,
  catalogue: Pick<Catalogue, 'nearest'>,
  model: string | undefined,
): Failure {
  if (failure.code !== 'model_not_found' || model === undefined) return failure;
  const suggestions = catalogue.nearest(model);
  const hint = suggestions.length > 0 ? ` Did you mean ${suggestions.join(', ')}?` : '';
  return { ...failure, message: `${failure.message}${hint}`, suggestions };
}
