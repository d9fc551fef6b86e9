import { useEffect, useState } from 'preact/hooks';

import { findModel, namesOf, type Model } from '#shared/models.ts';
import { nearestNames } from '#shared/nearest-names.ts';

import { count, dollars } from '../components/format.ts';
import { say } from '../components/say.ts';
import { fetchModels } from '../puter/models.ts';
import type { Settings } from '../settings.ts';
import { Field } from './field.tsx';

/** The default model, searchable in Puter's live list, with what it costs and how much it reads. */
export function ModelField({ settings }: { settings: Settings }) {
  const { apiOrigin, defaultModel } = settings;
  const [models, setModels] = useState<Model[] | null>(null);
  useEffect(() => {
    let isCurrent = true;
    setModels(null);
    const take = (list: Model[]) => isCurrent && setModels(list);
    fetchModels(apiOrigin).then(take, () => take([]));
    return () => void (isCurrent = false);
  }, [apiOrigin]);

  return (
    <Field
      name="defaultModel"
      settings={settings}
      label={say('default_model')}
      hint={say('default_model_hint')}
      placeholder={say('default_model_none')}
      list="models"
    >
      <datalist id="models">
        {(models ?? []).map((model) => (
          <option key={model.id} value={model.id} label={labelOf(model)} />
        ))}
      </datalist>
      <p id="model-details" class="small" aria-live="polite">
        {models && defaultModel !== '' && <ModelDetails models={models} name={defaultModel} />}
      </p>
    </Field>
  );
}

function ModelDetails({ models, name }: { models: Model[]; name: string }) {
  const model = findModel(models, name);
  if (model) return <>{describe(model)}</>;
  if (models.length === 0) return <span class="muted">{say('models_unavailable')}</span>;
  const nearest = nearestNames(name, models.flatMap(namesOf));
  return <span class="warning">{say('model_unknown', nearest.join(', ') || '–')}</span>;
}

/** Chromium shows and searches name and label of a suggestion; Firefox its label alone. */
const labelOf = (model: Model): string =>
  location.protocol === 'moz-extension:' ? `${model.id} · ${describe(model)}` : describe(model);

function describe({ inputPrice, outputPrice, contextTokens }: Model): string {
  const price =
    inputPrice === null || outputPrice === null
      ? say('price_unknown')
      : say('price', dollars(inputPrice), dollars(outputPrice));
  return contextTokens === null ? price : `${price} · ${say('context_tokens', count(contextTokens))}`;
}
