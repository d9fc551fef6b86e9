import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';

import { takeOutRawHtml, withoutRawHtml } from '../../../extension/build/preact.ts';

const preact = fileURLToPath(import.meta.resolve('preact'));

describe('Preact', () => {
  it('has one door for raw HTML, and is the same without it', async () => {
    const source = await readFile(preact, 'utf8');
    expect(source).toContain('innerHTML');
    const contents = takeOutRawHtml(source);
    expect(contents).not.toContain('innerHTML');
    expect(source.length - (contents ?? '').length).toBeLessThan(100);
  });

  it.each([
    ['a second door', 'n&&(e.innerHTML=n.__html),t&&(f.innerHTML=t.__html)'],
    ['a door of another form', 'n.__html&&(e.innerHTML=n.__html)||(e["innerHTML"]=x)'],
    ['a door that is not minified', 'element.innerHTML = html.__html;'],
    ['the check alone', 'a||n.__html==e.innerHTML||n.__html===e.innerHTML'],
  ])('with %s is not known', (_, source) => {
    expect(takeOutRawHtml(source)).toBeNull();
  });

  it('without any is taken as it is', () => {
    expect(takeOutRawHtml('render(a)')).toBe('render(a)');
  });
});

describe('the build', () => {
  async function buildWith(source: string): Promise<string> {
    const folder = await mkdtemp(`${tmpdir()}/puter-bridge-preact-`);
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(`${folder}/preact/dist`, { recursive: true });
    await writeFile(`${folder}/preact/dist/preact.module.js`, source);
    await writeFile(`${folder}/page.js`, "import { render } from './preact/dist/preact.module.js'; render();");
    const built = await esbuild.build({
      entryPoints: [`${folder}/page.js`],
      bundle: true,
      write: false,
      logLevel: 'silent',
      plugins: [withoutRawHtml],
    });
    return built.outputFiles[0]?.text ?? '';
  }

  it('stops at a Preact whose door it does not know', async () => {
    const source = 'export const render = (e, html) => { e.innerHTML = html; };';
    await expect(buildWith(source)).rejects.toThrow('writes raw HTML in an unknown way');
  });

  it('goes on with the door taken out of one that it knows', async () => {
    const text = await buildWith('export const render = (e, n) => n && (e.innerHTML=n.__html);');
    expect(text).toContain('n && 0');
  });
});
