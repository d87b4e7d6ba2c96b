// Figures for Prometheus: in a registry of prom-client, and as text with a route of our own.
import { Injectable } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { FailJob, Job, OnJob, RqModule, RqService } from 'nestjs-rq';
import { type MetricRegistry, RqMetrics, RqMetricsModule } from 'nestjs-rq/metrics';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import promClient from 'prom-client';
import { map } from 'rxjs';
import { METRICS } from '../../lib/observe/index.js';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const { Registry, Gauge } = promClient;
const applications = Applications.forThisFile();

@Injectable()
class Jobs {
  @Job('mail')
  send() {}

  @Job({ queue: 'mail', retry: { max: 1, interval: 3600 } })
  flaky() {
    throw new Error('later');
  }

  @Job('mail')
  bad() {
    throw new FailJob('no');
  }
}

/** How many attempts this process knows to have ended: it counts them when Redis has answered. */
let known = 0;
beforeEach(() => {
  known = 0;
});

@Injectable()
class Known {
  @OnJob(['finished', 'retrying', 'failed'])
  count() {
    known += 1;
  }
}

const line = (text: string, start: string) =>
  text
    .split('\n')
    .find((one) => one.startsWith(start))
    ?.slice(start.length + 1);

async function withJobs(
  options: Parameters<typeof RqMetricsModule.forRoot>[0],
  prefix = '',
  root: Parameters<typeof applications.root>[0] = {},
) {
  const { app } = await applications.create({
    imports: [RqModule.forRoot(applications.root(root)), RqMetricsModule.forRoot(options)],
    providers: [Jobs, Known],
  });
  app.setGlobalPrefix(prefix);
  app.useGlobalInterceptors({
    intercept: (_, next) => next.handle().pipe(map((data: unknown) => ({ data }))),
  });
  await app.init();
  const mail = app.get(RqService).queue('mail');
  await mail.enqueueMany(
    ['send', 'send', 'flaky', 'bad', 'strange"name'].map((name) => ({ name })),
  );
  await eventually(
    async () => {
      const { finished, failed, scheduled } = await mail.counts();
      return finished === 2 && failed === 2 && scheduled === 1;
    },
    { what: 'the jobs to end' },
  );
  await eventually(() => known === 5, { what: 'the ends to be known here' });
  return app;
}

async function answerOf(app: INestApplication, path: string): Promise<Response> {
  await app.listen(0, '127.0.0.1');
  return fetch(`${(await app.getUrl()).replace('[::1]', '127.0.0.1')}/${path}`);
}

it('any registry of prom-client shows ours beside its own, until the application is closed', async () => {
  const registry = new Registry();
  registry.setDefaultLabels({ app: 'shop' });
  new Gauge({ name: 'own', help: 'own', registers: [registry] }).set(7);
  const app = await withJobs({ registry });
  const text = await eventually(
    async () => {
      const now = await registry.metrics();
      return now.includes('outcome="failed"') && now;
    },
    { what: 'the outcomes' },
  );
  expect(line(text, 'own{app="shop"}')).toBe('7');
  const all = (outcome: string, job: string) =>
    line(text, `rq_job_attempts_total{queue="mail",job="${job}",outcome="${outcome}",app="shop"}`);
  expect(all('finished', 'send')).toBe('2');
  expect(all('retrying', 'flaky')).toBe('1');
  expect(all('failed', 'bad')).toBe('1');
  expect(all('failed', 'other')).toBe('1');
  expect(text).not.toContain('strange');
  expect(line(text, 'rq_job_duration_seconds_count{queue="mail",job="send",app="shop"}')).toBe('2');
  expect(line(text, 'rq_job_wait_seconds_count{queue="mail",app="shop"}')).toBe('5');
  expect(line(text, 'rq_jobs{queue="mail",status="failed",app="shop"}')).toBe('2');
  expect(line(text, 'rq_retrying_jobs{queue="mail",app="shop"}')).toBe('1');
  expect(line(text, 'rq_jobs_enqueued_total{queue="mail",app="shop"}')).toBe('5');
  expect(line(text, 'rq_queue_workers{queue="mail",app="shop"}')).toBe('1');
  expect(text).toMatch(/^rq_worker_slots\{app="shop"\} 10$/m);
  registry.resetMetrics();
  await app.close();
  expect(await registry.metrics()).not.toContain('rq_');
});

it('while Redis is away, the route and the registry tell what the process knows by itself', async () => {
  const registry = new Registry();
  const app = await withJobs({ registry, path: 'metrics' }, '', { commandTimeout: 1 });
  await applications.redis.kill();
  const [response, registered] = await Promise.all([answerOf(app, 'metrics'), registry.metrics()]);
  expect(response.status).toBe(200);
  const own = await response.text();
  expect(own).toContain('# Redis does not answer');
  for (const text of [own, registered]) {
    expect(line(text, 'rq_jobs_enqueued_total{queue="mail"}')).toBe('5');
    expect(text).toMatch(/^rq_worker_slots 10$/m);
    expect(text).not.toMatch(/^rq_jobs\{/m);
  }
  await applications.redis.restart();
  await eventually(
    async () => {
      const text = await app.get(RqMetrics).text();
      return text.includes('# TYPE rq_jobs gauge') && !text.includes('Redis does not answer');
    },
    { what: 'what Redis says', timeout: 20_000 },
  );
});

it('the OpenMetrics form has each counter once', async () => {
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  await withJobs({
    registry: registry as unknown as MetricRegistry,
    jobLabel: false,
    fleet: false,
  });
  for (let times = 0; times < 2; times += 1) {
    const text = await registry.metrics();
    expect(text).toMatch(/^# TYPE rq_job_attempts counter$/m);
    expect(text).toMatch(/^rq_job_attempts_total\{queue="mail",outcome="failed"\} 2$/m);
    expect(text).not.toContain('_total_total');
    expect(text).not.toContain('rq_jobs{');
  }
});

it('a route of our own answers with the text, whatever the application does to other answers', async () => {
  const app = await withJobs({ path: 'metrics' }, 'api');
  const response = await answerOf(app, 'api/metrics');
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  for (const { name, type } of METRICS.filter(({ scope }) => scope !== 'compat')) {
    expect(text).toContain(`# TYPE ${name} ${type}`);
  }
  expect(line(text, 'rq_jobs{queue="mail",status="finished"}')).toBe('2');
  expect(text).toMatch(/^rq_job_duration_seconds_bucket\{queue="mail",job="send",le="\+Inf"\} 2$/m);
  // The buckets add up.
  const buckets = [
    ...text.matchAll(/^rq_job_wait_seconds_bucket\{queue="mail",le="([^"]+)"\} (\d+)$/gm),
  ];
  expect(buckets).toHaveLength(20);
  const counts = buckets.map(([, , count]) => Number(count));
  expect(counts).toEqual(counts.toSorted((one, other) => one - other));
  expect(app.get(RqMetrics).contentType).toContain('0.0.4');
});

it('what has not failed yet shows as zero, so that the first failure is seen', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root()), RqMetricsModule.forRoot({ path: 'metrics' })],
    providers: [Jobs],
  });
  const text = await app.get(RqMetrics).text();
  expect(line(text, 'rq_job_attempts_total{queue="mail",job="bad",outcome="failed"}')).toBe('0');
});

it('the route answers on Fastify, too', async () => {
  const module = await Test.createTestingModule({
    imports: [
      RqModule.forRoot(applications.root({ worker: false })),
      RqMetricsModule.forRoot({ path: 'metrics' }),
    ],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter());
  try {
    const response = await answerOf(app, 'metrics');
    expect(response.headers.get('content-type')).toContain('version=0.0.4');
    expect(await response.text()).toContain('# TYPE rq_jobs gauge');
  } finally {
    await app.close();
  }
});

it('one look at Redis is enough for all metrics and all who ask', async () => {
  const app = await withJobs({ path: 'metrics' });
  const client = applications.redis.client();
  await client.config('RESETSTAT');
  await Promise.all(Array.from({ length: 20 }, () => app.get(RqMetrics).text()));
  const stats = await client.info('commandstats');
  expect(Number(/cmdstat_smembers:calls=(\d+)/.exec(stats)?.[1] ?? 0)).toBeLessThanOrEqual(3);
});

it('names say what they are', () => {
  for (const { name, type, labels } of METRICS) {
    expect(name).toMatch(/^rq_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(type !== 'histogram' || name.endsWith('_seconds')).toBe(true);
    expect(labels.every((label) => /^[a-z]+$/.test(label) && label !== 'id')).toBe(true);
  }
  expect(() => RqMetricsModule.forRoot({})).toThrow('registry');
  expect(() => RqMetricsModule.forRoot({ registry: {} as never })).toThrow(
    'Registry of prom-client',
  );
});
