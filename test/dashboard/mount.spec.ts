// The dashboard in an application: both frameworks, any prefix, versions, interceptors and filters that change every answer, a
// proxy that takes the prefix away, what it costs Redis, and how it ends.
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  Injectable,
  type NestInterceptor,
  VersioningType,
  type CallHandler,
  type ExecutionContext,
} from '@nestjs/common';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { map } from 'rxjs';
import { dashboardController } from '../../lib/dashboard/nest/dashboard-controller.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually, within } from '../support/wait.js';
import { post, send } from './support/requests.js';
import { type Site, startSite } from './support/site.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

@Injectable()
class Wrapping implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ wrapped: data })));
  }
}

@Catch()
class Changing implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<{ send(body: unknown): void }>().send({ changed: true });
  }
}

function hostile(app: Site['app']): void {
  app.useGlobalInterceptors(new Wrapping());
  app.useGlobalFilters(new Changing());
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '7' });
}

const MISSING = { error: 'missing' };

it('is few routes, since Nest logs each of them', () => {
  const methods = (options: object) =>
    Object.keys(Object.getOwnPropertyDescriptors(dashboardController(options).prototype));
  // The constructor is one of them.
  expect(methods({ allowAnonymous: true }).length).toBeLessThanOrEqual(17);
  expect(methods({ allowAnonymous: true, readOnly: true }).join()).not.toContain('POST');
});

/** What the page's addresses become, as a browser works them out. */
function assetsOf(html: string, url: string): string[] {
  const base = /<base href="([^"]+)"/.exec(html)?.[1] ?? '';
  const from = new URL(base, url);
  return [...html.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(
    ([, path]) => new URL(path!, from).href,
  );
}

describe.each([
  ['express', undefined, 'rq'],
  ['express', 'api/v1', 'admin/rq'],
  ['fastify', undefined, 'rq'],
  ['fastify', 'api/v1', 'admin/rq'],
] as const)('%s, prefix %s, path %s', (platform, prefix, path) => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite(redis.url, {
      platform,
      worker: false,
      prepare: hostile,
      ...(prefix === undefined ? {} : { prefix }),
      dashboard: { allowAnonymous: true, path },
    });
    await site.inspector.queue('a/b').enqueue('x', {});
  });
  afterAll(() => site.close());

  it('serves its pages and their files at each depth', async () => {
    for (const page of [
      '',
      '/jobs',
      '/jobs/abc',
      '/queues/a%2Fb',
      '/queues?queue=a%2Fb',
      '/failures/0123456789',
    ]) {
      const url = site.url + page;
      const { status, text } = await send(url);
      expect([page, status]).toEqual([page, 200]);
      const assets = assetsOf(text, url);
      expect(assets).toHaveLength(3);
      for (const asset of assets) {
        const answer = await send(asset);
        expect([page, asset, answer.status]).toEqual([page, asset, 200]);
        expect(answer.headers['cache-control']).toContain('immutable');
      }
    }
  });

  it('answers data as it is, whatever the application does to its own answers', async () => {
    const overview = (await send(`${site.url}/api/overview`)).json<{ set: object }>();
    expect(Object.keys(overview.set)).toContain('queue:a/b');
    const missing = await send(`${site.url}/api/job?id=nothing`);
    expect([missing.status, missing.json()]).toEqual([
      404,
      expect.objectContaining({ error: 'missing' }),
    ]);
    const paused = await post(`${site.url}/api/queue/pause`, { queue: 'a/b' });
    expect([paused.status, paused.text]).toEqual([200, '{}']);
    expect(await site.inspector.queue('a/b').isPaused()).toBe(true);
    await site.inspector.queue('a/b').resume();
  });

  it('has nothing but its routes, whatever their form', async () => {
    for (const path of ['api/nothing', 'api/Overview', 'api/queue%2Fpause']) {
      const answer = await send(`${site.url}/${path}`);
      expect([path, answer.status, answer.json()]).toEqual([
        path,
        404,
        expect.objectContaining(MISSING),
      ]);
    }
    const { status } = await post(`${site.url}/api/queue/nothing`, { queue: 'a/b' });
    expect(status).toBe(404);
  });

  it('compresses its files as the browser takes them', async () => {
    const { text } = await send(site.url);
    const [, , script = ''] = assetsOf(text, site.url);
    for (const encoding of ['br', 'gzip', undefined]) {
      const answer = await send(script, {
        headers: encoding ? { 'accept-encoding': encoding } : {},
      });
      expect(answer.headers['content-encoding']).toBe(encoding);
    }
  });
});

it('works behind a proxy that takes a prefix away, or adds one', async () => {
  const site = await startSite(redis.url, { worker: false });
  const proxy = createServer((from, to) => {
    const path = (from.url ?? '').replace(/^\/tools\/x/, '');
    const { port } = new URL(site.origin);
    const forward = httpRequest(
      { port, path, method: from.method, headers: from.headers },
      (answer) => {
        to.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(to);
      },
    );
    from.pipe(forward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const outside = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/tools/x/rq`;
  for (const page of ['', '/workers', '/jobs/abc']) {
    const { text } = await send(outside + page);
    for (const asset of assetsOf(text, outside + page)) {
      expect(asset.startsWith(`${outside}/assets/`)).toBe(true);
      expect((await send(asset)).status).toBe(200);
    }
  }
  const done = await post(`${outside}/api/queue/pause`, { queue: 'p' });
  expect(done.status).toBe(200);
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await site.close();
});

describe('live', () => {
  /** What a stream has said. */
  function listen(url: string): { heard: string[]; stop(): void; ended: Promise<void> } {
    const heard: string[] = [];
    let stop = () => {};
    const ended = new Promise<void>((resolve) => {
      const sent = httpRequest(url, (response) => {
        response.setEncoding('utf8').on('data', (chunk: string) => heard.push(chunk));
        response.on('close', () => resolve());
        response.on('error', () => resolve());
      });
      sent.on('error', () => resolve());
      sent.end();
      stop = () => sent.destroy();
    });
    return { heard, stop: () => stop(), ended };
  }

  it('tells each page of changes, asks Redis once for all of them, and not at all while nobody looks', async () => {
    const site = await startSite(redis.url, { worker: false });
    const client = redis.client();
    const scripts = async () => {
      const stats = await client.info('commandstats');
      return [
        ...stats.matchAll(/cmdstat_(evalsha|eval|time|smembers|set|zrevrangebyscore):calls=(\d+)/g),
      ].reduce((sum, [, , calls]) => sum + Number(calls), 0);
    };
    const idle = await scripts();
    const pages = Array.from({ length: 3 }, () => listen(`${site.url}/api/live`));
    await eventually(() => pages.every(({ heard }) => heard.length > 0), {
      what: 'the first word',
    });
    await site.inspector.queue('news').enqueue('x', {});
    await eventually(() => pages.every(({ heard }) => heard.join('').includes('"queue:news"')), {
      what: 'the new queue to be told',
    });
    // Workers publish each event of a job to those who listen: nobody here does.
    const channels = (await client.pubsub('CHANNELS', '*events*')) as string[];
    expect(channels).toEqual([]);
    expect(await scripts()).toBeGreaterThan(idle);
    for (const page of pages) page.stop();
    await Promise.all(pages.map(({ ended }) => ended));
    // A read that was under way may still end.
    let before = -1;
    await eventually(
      async () => {
        const now = await scripts();
        const isStill = now === before;
        before = now;
        return isStill;
      },
      { what: 'Redis not to be asked any more', every: 2500, timeout: 15_000 },
    );
    await site.close();
  });

  it('has room for fifty pages in a process: the next one is told to look now and then', async () => {
    const site = await startSite(redis.url, { worker: false });
    const pages = Array.from({ length: 50 }, () => listen(`${site.url}/api/live`));
    await eventually(() => pages.every(({ heard }) => heard.length > 0), {
      what: 'the first word',
    });
    const { status, text } = await send(`${site.url}/api/live`);
    expect([status, text]).toEqual([503, expect.stringContaining('too many pages')]);
    for (const page of pages) page.stop();
    await Promise.all(pages.map(({ ended }) => ended));
    await site.close();
  });

  it('ends when the application is closed, at once', async () => {
    for (const platform of ['express', 'fastify'] as const) {
      const site = await startSite(redis.url, { platform, worker: false });
      const page = listen(`${site.url}/api/live`);
      await eventually(() => page.heard.length > 0, { what: 'the first word' });
      await within(site.close(), { what: `${platform} to close`, timeout: 5000 });
      await page.ended;
    }
  });
});

it('the page stays while Redis is gone, says so, and goes on by itself', async () => {
  const own = await startRedis();
  const site = await startSite(own.url, { worker: false });
  await site.inspector.queue('mail').enqueue('x', {});
  const overview = async () =>
    (await send(`${site.url}/api/overview`)).json<{ down: number | null; set: object }>();
  expect((await overview()).down).toBeNull();
  await own.kill();
  const during = await eventually(
    async () => {
      const answer = await overview();
      return answer.down !== null && answer;
    },
    { what: 'the outage to be seen', timeout: 15_000 },
  );
  expect(Object.keys(during.set)).toContain('queue:mail');
  const page = await send(site.url);
  expect(page.status).toBe(200);
  const job = await send(`${site.url}/api/job?id=abcdefgh`);
  expect([job.status, job.json()]).toEqual([
    503,
    { error: 'redis', message: 'Redis does not answer' },
  ]);
  expect((await post(`${site.url}/api/queue/pause`, { queue: 'mail' })).status).toBe(503);
  await own.restart();
  await eventually(async () => (await overview()).down === null, {
    what: 'the dashboard to go on',
    timeout: 15_000,
  });
  await site.close();
  await own.stop();
}, 60_000);
