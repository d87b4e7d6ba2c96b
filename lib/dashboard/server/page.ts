import type { BootAnswer } from './answers.js';
import { entry } from './assets.js';

/**
 * The page as it is fetched: an empty house, and what it shows first as data. Nothing in it runs but the program of its
 * own, and its addresses are relative, so that it works behind any prefix.
 */
export function pageOf(boot: BootAnswer, base: string): string {
  const program = `
<script type="application/json" id="boot">${inScript(boot)}</script>
<script type="module" src="assets/${entry.script}"></script>`;
  const body = `<div id="app"></div><noscript>This dashboard needs JavaScript.</noscript>`;
  return html(base, program, body);
}

/** A page for whoever is not let in, in the looks of the others. @param text without anything of strangers */
export function doorPage(title: string, text: string): string {
  const body = `<main><section class="card empty"><h1 class="empty-title">${title}</h1><p>${text}</p></section></main>`;
  return html('/', '', body);
}

function html(base: string, program: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>rq</title>
<base href="${attribute(base)}">
<link rel="icon" href="assets/${entry.icon}" type="image/svg+xml">
<link rel="stylesheet" href="assets/${entry.style}">${program}
</head>
<body>${body}</body>
</html>
`;
}

/** No text in the data can end the block. */
function inScript(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}

function attribute(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
}

/**
 * Where the page's addresses begin, seen from the address of the page itself.
 * @param path of the route: `jobs/:id`
 * @param url as it was asked for
 */
export function baseOf(path: string, url: string): string {
  if (path !== '') return '../'.repeat(path.split('/').length - 1) || './';
  const asked = url.split(/[?#]/, 1)[0] ?? '';
  const last = asked.slice(asked.lastIndexOf('/') + 1);
  // `/rq` stands beside its assets, not above them.
  return last === '' ? './' : `${last}/`;
}
