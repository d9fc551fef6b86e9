/** What the person can set. Nothing is saved while a field is wrong, and the wrong field says why. */

import * as v from 'valibot';

import { askBackground } from '../messages.ts';
import { defaultSettings, settingsSchema, type Settings } from '../settings.ts';
import { saveSettings } from '../storage.ts';
import { element } from '../style/element.ts';

const names = Object.keys(defaultSettings) as (keyof Settings)[];
const numbers: readonly string[] = ['bridgePort', 'lanes'] satisfies (keyof Settings)[];
const saved = element('saved', HTMLElement);

const field = (name: keyof Settings) => element(name, HTMLInputElement);

function fill(settings: Settings): void {
  for (const name of names) field(name).value = String(settings[name]);
}

function read(): Record<string, unknown> {
  return Object.fromEntries(
    names.map((name) => {
      const text = field(name).value.trim();
      return [name, numbers.includes(name) && text !== '' ? Number(text) : text];
    }),
  );
}

function showProblems(problems: Partial<Record<string, string>>): void {
  for (const name of names) {
    const problem = problems[name];
    const line = element(`${name}-error`, HTMLElement);
    line.hidden = problem === undefined;
    line.textContent = problem ?? '';
    field(name).setAttribute('aria-invalid', String(problem !== undefined));
  }
  const first = names.find((name) => problems[name] !== undefined);
  if (first) field(first).focus();
}

async function save(): Promise<void> {
  const result = v.safeParse(settingsSchema, read());
  showProblems(Object.fromEntries((result.issues ?? []).map((issue) => [v.getDotPath(issue) ?? '', issue.message])));
  if (!result.success) return void (saved.textContent = 'Not saved.');
  await saveSettings(result.output);
  fill(result.output);
  saved.textContent = 'Saved.';
}

element('form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void save();
});
element('form', HTMLFormElement).addEventListener('input', () => (saved.textContent = ''));
element('reset', HTMLButtonElement).addEventListener('click', () => {
  fill(defaultSettings);
  void save();
});

fill((await askBackground('context')).settings);
