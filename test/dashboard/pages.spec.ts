// The page in a real Chromium: every page and dialog on both frameworks, in light and dark, wide and narrow, by mouse and by
// keyboard, in other languages, with hostile data, and without Redis. RQ_PICTURES=folder writes what it sees there.
import { jest } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';
import { Watched, describeInBrowser, launch, violations } from './support/browser.js';
import { startProxy } from './support/proxy.js';
import { setScene } from './support/scene.js';
import { type Site, startSite } from './support/site.js';

jest.setTimeout(90_000);

describeInBrowser('the page', () => {
  let redis: RedisServer;
  let browser: Browser;
  let express: Site;
  let fastify: Site;
  let failed: string;

  beforeAll(async () => {
    redis = await startRedis();
    const dashboard = {
      allowAnonymous: true,
      environment: 'production',
      user: () => ({ email: 'ada@example.com' }) as never,
    };
    [express, fastify, browser] = await Promise.all([
      startSite(redis.url, { dashboard }),
      startSite(redis.url, { dashboard, platform: 'fastify', prefix: 'api/v1', worker: false }),
      launch(),
    ]);
    await setScene(redis.client(), express.inspector);
    const jobs = await express.inspector.queue('payments').jobs('failed');
    failed = jobs.find(({ name }) => name === 'chargeCard')!.id;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await Promise.all([express?.close(), fastify?.close()]);
    await redis?.stop();
  });

  /** Opens a page; in the end nothing may have gone wrong on it. */
  async function open(
    site: Site,
    use: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await browser.newContext({
      viewport: { width: 1360, height: 860 },
      locale: 'en-US',
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const watched = new Watched(page, site.origin);
    try {
      await use(page);
      expect(watched.wrongs).toEqual([]);
    } finally {
      await context.close();
    }
  }

  /** Goes to a page and waits until it shows what it has. */
  async function show(page: Page, site: Site, path: string): Promise<void> {
    await page.goto(path === '' ? site.url : `${site.url}/${path}`);
    await page.waitForSelector('#page > *');
    await page.locator('.loading').first().waitFor({ state: 'detached' });
  }

  async function picture(page: Page, name: string): Promise<void> {
    const folder = process.env['RQ_PICTURES'];
    if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
  }

  const tooWide = (page: Page) =>
    page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );

  const pages = () => [
    '',
    'queues/payments',
    'queues/webhooks',
    'jobs',
    `jobs/${failed}`,
    'failures',
    'schedules',
    'workers',
    'metrics',
    'audit',
    'redis',
  ];
  const nameOf = (path: string) =>
    path.startsWith('jobs/') ? 'job' : path.replace('/', '-') || 'overview';

  it.each([
    ['express', 'light'],
    ['fastify', 'dark'],
  ] as const)(
    'every page is accessible and asks for nothing foreign (%s, %s)',
    async (platform, colorScheme) => {
      const site = platform === 'express' ? express : fastify;
      await open(
        site,
        async (page) => {
          for (const path of pages()) {
            await show(page, site, path);
            expect([path, await violations(page)]).toEqual([path, []]);
            expect([path, await tooWide(page)]).toEqual([path, 0]);
            await picture(page, `${nameOf(path)}-${colorScheme}-1360`);
          }
        },
        { colorScheme },
      );
    },
  );

  it('every page fits a telephone', async () => {
    const colorScheme = 'light';
    await open(
      express,
      async (page) => {
        for (const path of pages()) {
          await show(page, express, path);
          expect([path, await tooWide(page)]).toEqual([path, 0]);
          await picture(page, `${nameOf(path)}-${colorScheme}-390`);
        }
      },
      { colorScheme, viewport: { width: 390, height: 844 } },
    );
  });

  it('every dialog is accessible, and Escape closes it', async () => {
    await open(express, async (page) => {
      const dialogs: [path: string, button: string][] = [
        [`jobs/${failed}`, 'Requeue'],
        [`jobs/${failed}`, 'Edit and enqueue anew'],
        [`jobs/${failed}`, 'Delete'],
        ['failures', 'Requeue…'],
        ['queues/mail', 'Set a limit'],
        ['queues/mail', 'Empty'],
        ['workers', 'Shut down'],
        ['redis', 'Suspend all'],
      ];
      for (const [path, button] of dialogs) {
        await show(page, express, path);
        await page.getByRole('button', { name: button }).first().click();
        await page.waitForSelector('dialog[open]');
        expect([button, await violations(page)]).toEqual([button, []]);
        await picture(page, `dialog-${button.replace(/\W+/g, '-').toLowerCase()}`);
        await page.keyboard.press('Escape');
        await page.waitForSelector('dialog[open]', { state: 'detached' });
      }
      await page.keyboard.press('Control+k');
      await page.waitForSelector('dialog.palette');
      expect(await violations(page)).toEqual([]);
      await page.keyboard.type('webh');
      await page.keyboard.press('Enter');
      await page.locator('h1', { hasText: 'webhooks' }).waitFor();
      await page.locator('.who').click();
      expect(await violations(page)).toEqual([]);
    });
  });

  it('everything goes by keyboard: go, walk, choose, requeue', async () => {
    await open(express, async (page) => {
      await show(page, express, '');
      await page.keyboard.press('g');
      await page.keyboard.press('f');
      await page.waitForSelector('.group');
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.job-row');
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('x');
      await page.waitForSelector('.selection.is-on');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.way');
      await page.keyboard.press('r');
      await page.waitForSelector('dialog[open]');
      await page.getByRole('button', { name: 'Fresh' }).focus();
      await page.keyboard.press('Enter');
      await page.locator('[data-confirm]').focus();
      await page.keyboard.press('Enter');
      await page.waitForSelector('dialog[open]', { state: 'detached' });
      await page.waitForSelector('.toast-done');
      await page.keyboard.press('/');
      await page.keyboard.type('status:failed name:sync');
      await page.keyboard.press('Enter');
      await page.locator('h1', { hasText: 'Jobs' }).waitFor();
      await page.locator('.job-row').nth(3).waitFor();
      expect(await page.locator('.job-row').count()).toBe(4);
      expect(page.url()).toContain('q=status%3Afailed+name%3Async');
    });
  });

  it('many jobs are requeued from their cause, and the header shows how far it is', async () => {
    await open(express, async (page) => {
      await show(page, express, 'failures');
      await page
        .locator('.group', { hasText: 'syncUser' })
        .getByRole('button', { name: 'Requeue…' })
        .click();
      await page.waitForSelector('dialog[open]');
      expect(await page.locator('dialog h2').textContent()).toBe('Requeue 4 jobs?');
      await page.locator('[data-confirm]').click();
      await page.waitForSelector('.operation-chip');
      await eventually(
        async () => {
          const [last] = await express.inspector.desk.operations.list();
          return last?.state === 'done' && last.done === 4;
        },
        { what: 'the operation to end' },
      );
    });
  });

  it('changes show by themselves, and what strangers wrote stays text', async () => {
    await open(express, async (page) => {
      await show(page, express, '');
      const evil = '<img src=x onerror=alert(1)>';
      await express.inspector
        .queue('stranger')
        .enqueueCall(`evil${evil}`, { args: [evil], kwargs: { ['__proto__']: evil } });
      await page.waitForSelector('text=stranger');
      await show(page, express, 'queues/stranger');
      await page.waitForSelector('.job-row');
      await page.locator('[data-row-link]').first().click();
      await page.waitForSelector('.way');
      expect(await page.locator('img').count()).toBe(0);
      await redis.client().del('rq:queue:stranger');
    });
  });

  it('every text is in the words of a language: none is left, and longer ones fit', async () => {
    await open(express, async (page) => {
      await page.addInitScript(`localStorage.setItem('rq.language', 'xx')`);
      for (const path of pages()) {
        await show(page, express, path);
        expect([path, await tooWide(page)]).toEqual([path, 0]);
        const plain = await page.evaluate<string[]>(
          `[...document.querySelectorAll('h1, h2, th[scope=col], button, nav a, dt, label')].filter((one) => one.offsetParent && !one.querySelector('bdi, code, kbd, input, select, b') && /[a-z]{3}/i.test(one.textContent) && !one.textContent.includes('⟦')).map((one) => one.outerHTML.slice(0, 200))`,
        );
        expect([
          path,
          plain.filter(
            (text) => !/Redis|p50|p95|class="count"|Failures|chip|min|hr|days/.test(text),
          ),
        ]).toEqual([path, []]);
      }
    });
  });

  it('reads from right to left in Arabic, and fits', async () => {
    await open(
      express,
      async (page) => {
        for (const path of ['', `jobs/${failed}`, 'failures']) {
          await show(page, express, path);
          expect(await page.evaluate('document.documentElement.dir')).toBe('rtl');
          expect([path, await tooWide(page)]).toEqual([path, 0]);
          expect([path, await violations(page)]).toEqual([path, []]);
          await picture(page, `${nameOf(path)}-ar`);
        }
      },
      { locale: 'ar-EG' },
    );
  });

  it.each([
    ['express', 'takes a prefix away', '/tools/x', '/rq', ''],
    ['fastify', 'adds one, and changes the host', '', '/rq', '/api/v1'],
    ['fastify', 'has another one', '/ops', '/api/v1/rq', ''],
  ] as const)(
    'all of it works behind a proxy that stands between (%s; it %s)',
    async (platform, _, outside, path, added) => {
      const site = platform === 'express' ? express : fastify;
      const inside = (asked: string) =>
        asked.startsWith(outside) ? added + asked.slice(outside.length) : '/elsewhere';
      const proxy = await startProxy(site.origin, inside, { changesHost: added !== '' });
      const url = `${proxy.origin}${outside}${path}`;
      const queue = `proxied${added.length}${outside.length}`;
      const waiting = site.inspector.queue(queue);
      await waiting.enqueue('x', {});
      await open({ ...site, origin: proxy.origin, url }, async (page) => {
        const answered: string[] = [];
        page.on('response', (one) => answered.push(`${one.status()} ${one.url()}`));
        // Its pages, at each depth, by links and when they are loaded anew.
        await page.goto(url);
        await page.locator('.queues').getByText(queue).first().click();
        await page.locator('h1', { hasText: queue }).waitFor();
        expect(page.url()).toBe(`${url}/queues/${queue}`);
        await page.reload();
        await page.waitForSelector('.job-row');
        // What changes elsewhere shows by itself.
        await waiting.pause();
        await page.locator('h1', { hasText: 'paused' }).waitFor();
        // What is done here arrives.
        await page.keyboard.press('p');
        await page.locator('h1', { hasText: 'paused' }).waitFor({ state: 'detached' });
        expect(await waiting.isPaused()).toBe(false);
        await page.locator('[data-row-link]').first().click();
        await page.waitForSelector('.way');
        await page.reload();
        await page.waitForSelector('.way');
        expect(answered.filter((one) => !/^(200|304) /.test(one))).toEqual([]);
        expect(answered.filter((one) => !one.includes(url))).toEqual([]);
      });
      await waiting.empty();
      await proxy.close();
    },
  );

  it('says that Redis is gone and keeps what it knew; with nothing in Redis it says what to do', async () => {
    const own = await startRedis();
    const site = await startSite(own.url, { worker: false });
    await open(site, async (page) => {
      await show(page, site, '');
      await page.waitForSelector('.empty');
      expect(await violations(page)).toEqual([]);
      await picture(page, 'overview-empty');
      await site.inspector.queue('mail').enqueue('x', {});
      await page.waitForSelector('.queues >> text=mail');
      await own.kill();
      await page.waitForSelector('.banner-bad');
      await page.waitForSelector('.queues >> text=mail');
      expect(await violations(page)).toEqual([]);
      await picture(page, 'overview-redis-gone');
      await own.restart();
      await page.waitForSelector('.banner-bad', { state: 'detached' });
    });
    await site.close();
    await own.stop();
  });
});
