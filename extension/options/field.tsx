import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as v from 'valibot';

import type { MessageKey } from '#shared/say.ts';

import { say } from '../components/say.ts';
import { useBriefly } from '../components/use-briefly.ts';
import { askBackground } from '../messages.ts';
import { settingsSchema, type Settings } from '../settings.ts';

/**
 * Long enough to type on, short enough to feel like at once. An address waits longer: half of one is an address, too,
 * and going there ends the calls that run.
 */
const pauseMs = { bridgeAddress: 1500, apiOrigin: 1500, guiOrigin: 1500, defaultModel: 500, lanes: 0 } as const;
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
  // What is saved a moment later must be compared with what stands then.
  const latest = useRef(saved);
  latest.current = saved;
  /** What is typed, until it is saved and left; then the saved value shows. */
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isSaved, setIsSaved] = useBriefly(shownMs);
  const hasFocus = useRef(false);
  const saving = useRef<ReturnType<typeof setTimeout>>(undefined);
  // What was typed and not saved yet is saved when the page goes.
  const pending = useRef<string | null>(null);
  useEffect(() => {
    const flush = () => void (pending.current !== null && save(pending.current));
    addEventListener('pagehide', flush);
    return () => {
      removeEventListener('pagehide', flush);
      flush();
    };
  }, []);
  useEffect(() => {
    if (!hasFocus.current && problem === null) setDraft(null);
  }, [saved, problem]);

  async function save(text: string): Promise<void> {
    clearTimeout(saving.current);
    pending.current = null;
    const value = name === 'lanes' && text !== 'auto' ? Number(text) : text;
    const result = v.safeParse(settingsSchema.entries[name], value);
    if (!result.success) return setProblem(say(result.issues[0].message as MessageKey));
    setProblem(null);
    if (String(result.output) !== latest.current) await askBackground('changeSettings', { [name]: result.output });
    else if (!hasFocus.current) setDraft(null);
    setIsSaved(true);
  }

  function type(text: string): void {
    setDraft(text);
    pending.current = text;
    setIsSaved(false);
    clearTimeout(saving.current);
    saving.current = setTimeout(() => void save(text), pauseMs[name]);
  }

  function leave(text: string): void {
    hasFocus.current = false;
    if (draft !== null) void save(text);
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
          onFocus={() => (hasFocus.current = true)}
          onInput={({ currentTarget }) => type(currentTarget.value)}
          onKeyDown={({ key, currentTarget }) => key === 'Enter' && void save(currentTarget.value)}
          onBlur={({ currentTarget }) => leave(currentTarget.value)}
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
