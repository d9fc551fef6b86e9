import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as v from 'valibot';

import type { MessageKey } from '#shared/messages.ts';

import { say } from '../components/say.ts';
import { settingsSchema, type Settings } from '../settings.ts';
import { changeSettings } from '../storage.ts';

/** Long enough to type on, short enough to feel like at once. */
const pauseMs = 500;
const shownMs = 2000;

export interface FieldProps {
  name: keyof Settings;
  settings: Settings;
  label: string;
  hint?: string;
  placeholder?: string;
  /** A list to choose from instead of free text. */
  choices?: { value: string; label: string }[];
  /** The id of a list of suggestions. */
  list?: string;
  children?: ComponentChildren;
}

/**
 * One setting that saves itself a moment after the last key, and at once when it is left. What another page saved
 * shows here at once, unless the person is just typing something else.
 */
export function Field({ name, settings, label, hint, placeholder, choices, list, children }: FieldProps) {
  const saved = String(settings[name]);
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isSaved, setIsSaved] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  async function save(text: string): Promise<void> {
    clearTimeout(timer.current);
    const value = name === 'lanes' && text !== 'auto' ? Number(text) : text;
    const result = v.safeParse(settingsSchema.entries[name], value);
    if (!result.success) return setProblem(say(result.issues[0].message as MessageKey));
    setProblem(null);
    setDraft(null);
    if (String(result.output) === saved) return;
    await changeSettings({ [name]: result.output });
    setIsSaved(true);
    timer.current = setTimeout(() => setIsSaved(false), shownMs);
  }

  function type(text: string): void {
    setDraft(text);
    setIsSaved(false);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void save(text), pauseMs);
  }

  const common = {
    id: name,
    name,
    value: draft ?? saved,
    'aria-invalid': problem !== null,
    'aria-describedby': `${name}-hint ${name}-problem`,
  };
  return (
    <div class="field">
      <div class="row">
        <label for={name} class="grow">
          {label}
        </label>
        <span id={`${name}-saved`} class="good small" role="status">
          {isSaved && say('saved')}
        </span>
      </div>
      {choices ? (
        <select {...common} onChange={({ currentTarget }) => void save(currentTarget.value)}>
          {choices.map(({ value, label: text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          type="text"
          {...(list !== undefined && { list })}
          placeholder={placeholder}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => type(currentTarget.value)}
          onBlur={({ currentTarget }) => draft !== null && void save(currentTarget.value)}
        />
      )}
      <p id={`${name}-problem`} class="problem small" role="alert">
        {problem}
      </p>
      <p id={`${name}-hint`} class="muted small">
        {hint}
      </p>
      {children}
    </div>
  );
}
