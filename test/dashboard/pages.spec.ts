// The page in a real Chromium: every page and dialog on both frameworks, in light and dark, wide and narrow, by mouse and by
// keyboard, in other languages, with hostile data, and without Redis. RQ_PICTURES=folder writes what it sees there.
import { jest } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';
import { COLOURS, Watched, describeInBrowser, launch, violations } from './support/browser.js';
import { startProxy } from './support/proxy.js';
import { setScene } from './support/scene.js';
import { type Site, startSite } from './support/site.js';

jest.setTimeout(300_000);

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
  });
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
      viewport: WIDE,
      locale: 'en-US',
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const watched = new Watched(page, site.origin);
    try {
      await use(page);
      expect(watched.wrongs).toEqual([]);
    } finally {
      await context.close();
    }
  }

  /** Goes to a page and waits until it shows what it has; within the dashboard as its links do, without loading it anew. */
  async function show(page: Page, site: Site, path: string): Promise<void> {
    const address = path === '' ? site.url : `${site.url}/${path}`;
    if (page.url().startsWith(site.url)) {
      await page.evaluate(
        `new Promise((shown) => {
          history.pushState(null, '', ${JSON.stringify(address)});
          dispatchEvent(new PopStateEvent('popstate'));
          requestAnimationFrame(() => requestAnimationFrame(shown));
        })`,
      );
    } else {
      await page.goto(address);
    }
    await page.waitForSelector('#page > *');
    await page.locator('.loading').first().waitFor({ state: 'detached' });
  }

  async function picture(page: Page, name: string): Promise<void> {
    const folder = process.env['RQ_PICTURES'];
    if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
  }

  /** What does not fit: pixels that the page is too wide by, and what is cut off at its side where nobody can reach it. */
  const misfits = (page: Page) =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll('#page :is(button, a, td, th, h1, h2, p, input, select)')].filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        const isReachable = one.closest('.scroll, .tabs, .spoken, pre');
        return width > 0 && !isReachable && (right > innerWidth + 1 || left < -1);
      }).map((one) => one.outerHTML.slice(0, 120)).concat(
        document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['the page itself'] : [],
      )`,
    );
  const WIDE = { width: 1360, height: 860 };
  const NARROW = { width: 390, height: 844 };

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

  it('every page is accessible, fits screens and telephones, and asks for nothing foreign', async () => {
    const look = (site: Site, colorScheme: 'light' | 'dark', each: (page: Page) => Promise<void>) =>
      open(
        site,
        async (page) => {
          for (const path of pages()) {
            await each(page);
            await show(page, site, path);
            // The theme changes colours, and nothing else.
            const found = await violations(page, colorScheme === 'dark' ? COLOURS : {});
            expect([path, found]).toEqual([path, []]);
            expect([path, await misfits(page)]).toEqual([path, []]);
            await picture(page, `${nameOf(path)}-${colorScheme}-1360`);
            await page.setViewportSize(NARROW);
            expect([path, await misfits(page)]).toEqual([path, []]);
            await picture(page, `${nameOf(path)}-${colorScheme}-390`);
            await page.setViewportSize(WIDE);
          }
        },
        { colorScheme },
      );
    await Promise.all([
      // Each by its own address here, by links there.
      look(express, 'light', async (page) => void (await page.goto('about:blank'))),
      look(fastify, 'dark', () => Promise.resolve()),
    ]);
  });

  it('every dialog is accessible, and Escape closes it', async () => {
    await open(express, async (page) => {
      const dialogs: [path: string, button: string][] = [
        ['', 'Mute…'],
        [`jobs/${failed}`, 'Requeue'],
        [`jobs/${failed}`, 'Edit and enqueue anew'],
        [`jobs/${failed}`, 'Delete'],
        ['failures', 'Requeue…'],
        ['queues/mail', 'Set a limit'],
        ['queues/mail', 'Empty'],
        ['schedules', 'Delete'],
        ['workers', 'Shut down'],
        ['redis', 'Suspend all'],
      ];
      for (const [path, button] of dialogs) {
        await show(page, express, path);
        await page.getByRole('button', { name: button }).first().click();
        await page.waitForSelector('dialog[open]');
        const within = { within: 'dialog[open]' };
        expect([button, await violations(page, within)]).toEqual([button, []]);
        await picture(page, `dialog-${button.replace(/\W+/g, '-').toLowerCase()}`);
        await page.keyboard.press('Escape');
        await page.waitForSelector('dialog[open]', { state: 'detached' });
      }
      await page.keyboard.press('Control+k');
      await page.waitForSelector('dialog.palette');
      expect(await violations(page, { within: 'dialog.palette' })).toEqual([]);
      await page.keyboard.type('webh');
      await page.keyboard.press('Enter');
      await page.locator('h1', { hasText: 'webhooks' }).waitFor();
      await page.locator('.who').click();
      expect(await violations(page, { within: '.top' })).toEqual([]);
    });
  });

  it('an alert says what to do, is muted for a while and told again', async () => {
    await open(express, async (page) => {
      await show(page, express, '');
      const row = page.locator('.trouble', { hasText: 'payments' });
      await row.getByRole('button', { name: 'What to do' }).click();
      await row.getByText('Something that jobs need is down').waitFor();
      expect(await violations(page, { within: '.troubles' })).toEqual([]);
      await row.getByRole('button', { name: 'Mute…' }).click();
      await page.getByRole('button', { name: '4 hr', exact: true }).click();
      await page.locator('[data-confirm]').click();
      await row.getByRole('button', { name: 'Unmute' }).waitFor();
      const state = async () =>
        (await express.inspector.alerts()).find(({ queue }) => queue === 'payments')?.state;
      expect(await state()).toBe('muted');
      await row.getByRole('button', { name: 'Unmute' }).click();
      await row.getByRole('button', { name: 'Mute…' }).waitFor();
      expect(await state()).toBe('firing');
      // It stands on the page of its queue, too.
      await show(page, express, 'queues/payments');
      await page.locator('.trouble', { hasText: '812 jobs wait for a retry' }).waitFor();
    });
  });

  it('charts are read by keyboard or as a table, compared with the day before, and say when workers started', async () => {
    await open(express, async (page) => {
      await show(page, express, 'metrics');
      await page.getByLabel('Compare with the day before').check();
      const chart = page.locator('.chart').first();
      await chart.locator('.legend', { hasText: 'the day before' }).waitFor();
      await chart.locator('.legend', { hasText: 'workers started' }).waitFor();
      await chart.locator('.plot').focus();
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await chart.locator('.legend b').nth(3).waitFor();
      expect(await chart.locator('.legend b').allTextContents()).toHaveLength(4);
      await chart.getByRole('button', { name: 'table' }).click();
      await chart.locator('td', { hasText: 'K' }).first().waitFor();
      expect(await chart.locator('thead th').allTextContents()).toEqual([
        'Time',
        'finished',
        'retried',
        'failed',
        'the day before',
      ]);
      await chart.locator('.mark-text', { hasText: 'started' }).first().waitFor();
      await show(page, express, 'queues/payments');
      const heat = page.locator('.heat-plot');
      await heat.focus();
      for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowUp']) await page.keyboard.press(key);
      const cell = /· [≤>] .*: [\d,]+ runs?$/;
      await eventually(async () => cell.test((await heat.getAttribute('aria-label')) ?? ''), {
        what: 'the cell to be read',
      });
      await show(page, express, 'schedules');
      await page.getByText('Monday, at 6:00 AM').waitFor();
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
        expect([path, await misfits(page)]).toEqual([path, []]);
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
        for (const path of pages()) {
          await show(page, express, path);
          expect(await page.evaluate('document.documentElement.dir')).toBe('rtl');
          expect([path, await misfits(page)]).toEqual([path, []]);
          const isRead = ['', `jobs/${failed}`, 'failures'].includes(path);
          expect([path, isRead ? await violations(page) : []]).toEqual([path, []]);
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
      for (const path of [
        'queues/mail',
        'jobs',
        'failures',
        'schedules',
        'workers',
        'metrics',
        'audit',
      ]) {
        await show(page, site, path);
        await page
          .getByText(/^(No|Nothing|Nobody|There are no) /)
          .first()
          .waitFor();
        expect([path, await misfits(page)]).toEqual([path, []]);
        await picture(page, `${nameOf(path)}-empty`);
      }
      await show(page, site, '');
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
