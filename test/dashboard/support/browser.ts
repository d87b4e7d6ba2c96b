// A real Chromium, driven by the tests. Where none can be had the tests of the page are skipped with a loud line, on a build
// machine they fail.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

const CANDIDATES = [
  process.env['RQ_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export const CHROMIUM = CANDIDATES.find((path) => path !== undefined && existsSync(path));

/** `describe` where there is a browser. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (CHROMIUM !== undefined || process.env['CI']) {
    describe(name, tests);
    return;
  }
  process.stderr.write(
    `\n!!! SKIPPED: ${name}: there is no Chromium here (apt-get install chromium)\n\n`,
  );
  describe.skip(name, tests);
}

export function launch(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium: apt-get install chromium');
  return chromium.launch({
    executablePath: CHROMIUM,
    // A container has no sandbox for root, and little shared memory.
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--force-color-profile=srgb',
    ],
  });
}

/** What a page did that it must not do, gathered while it is open. */
export class Watched {
  readonly wrongs: string[] = [];

  constructor(
    readonly page: Page,
    origin: string,
  ) {
    page.on('pageerror', (error) => this.wrongs.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.wrongs.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (message.type() === 'error') this.wrongs.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !url.startsWith('data:') && !url.startsWith('blob:'))
        this.wrongs.push(`foreign: ${url}`);
    });
  }
}

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Those rules of axe that a theme has to do with. */
export const COLOURS = { rules: ['color-contrast', 'link-in-text-block'] } as const;

/**
 * What axe finds wrong with the page as it stands, a line each.
 * @param options.within a part of the page; default all of it
 * @param options.rules default all rules of WCAG 2.2 AA, and axe's best practice
 */
export async function violations(
  page: Page,
  { within, rules }: { readonly within?: string; readonly rules?: readonly string[] } = {},
): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  // The page's own rules let nobody add a script: the debugger may.
  const isThere = await session.send('Runtime.evaluate', { expression: "'axe' in window" });
  axeSource ??= readFileSync(axePath, 'utf8');
  if (!isThere.result.value) await session.send('Runtime.evaluate', { expression: axeSource });
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const options = { resultTypes: ['violations'], runOnly: rules ?? tags };
  const context = within === undefined ? 'document' : JSON.stringify(within);
  const expression = `axe.run(${context}, ${JSON.stringify(options)})
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ': ' + node.target.join(' ') + ' ' + node.failureSummary.split('\\n').slice(1, 2).join(' '))))`;
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.text);
  return result.value as string[];
}
let axeSource: string | undefined;
