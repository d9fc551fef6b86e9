/** Text that is markup already, and need not be escaped again. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

type Value = string | number | Html | Html[];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A template of markup in which every value is shown as text, whatever an extension or a model put into it. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(parts.reduce((markup, part, index) => markup + escape(values[index - 1]) + part));
}

function escape(value: Value | undefined): string {
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(String).join('');
  return String(value).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
