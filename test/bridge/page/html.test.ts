import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { html } from '../../../bridge/page/html.ts';
import { anyString } from '../../shared/arbitraries.ts';

const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };
const unescape = (markup: string) => markup.replace(/&(lt|gt|quot|#39|amp);/g, (entity) => entities[entity] ?? entity);

describe('a value in a template', () => {
  it('is shown as it is, and is never markup', () => {
    fc.assert(
      fc.property(anyString(100), (value) => {
        const shown = html`${value}`.toString();
        expect(shown).not.toMatch(/[<>"']/);
        expect(unescape(shown)).toBe(value);
      }),
    );
  });

  it.each([
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['" onmouseover="x', '&quot; onmouseover=&quot;x'],
    ["' x='", '&#39; x=&#39;'],
    ['&lt;', '&amp;lt;'],
    [5, '5'],
  ])('%j is written %j', (value, written) => {
    expect(html`<p title="${value}">${value}</p>`.toString()).toBe(`<p title="${written}">${written}</p>`);
  });

  it('is left alone where it is markup of ours already', () => {
    expect(html`<ul>${[html`<li>${'a<b'}</li>`, html`<li>c</li>`]}</ul>`.toString()).toBe(
      '<ul><li>a&lt;b</li><li>c</li></ul>',
    );
    expect(html`<p>${html`<b>x</b>`}</p>`.toString()).toBe('<p><b>x</b></p>');
  });
});
