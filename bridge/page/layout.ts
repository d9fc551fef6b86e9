import { say } from '../say.ts';
import { html, type Html } from './html.ts';

/** What every page of the bridge has around its own part. */
export function renderPage(main: Html, head: Html = html``): string {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${say('name')}</title>
    <link rel="icon" href="/icon.svg">
    <link rel="stylesheet" href="/style.css">
    <link rel="stylesheet" href="/page.css">
    ${head}
  </head>
  <body>
    <main>
      ${main}
    </main>
  </body>
</html>
`.toString();
}
