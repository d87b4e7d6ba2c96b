// A busy Redis to look at: queues in every state, workers, failures of several causes, an hour of history. What takes hours
// in life is written as the library itself would have left it there.
import type { RqInspector } from 'nestjs-rq';
import type { Redis } from 'ioredis';
import {
  BOUNDS,
  OUTCOME_CODES,
  RUN_TIMES,
  SAMPLE_CODES,
  WAIT_TIMES,
  placeOfDuration,
} from '../../../lib/wire/figures.js';
import { eventually } from '../../support/wait.js';

/** @param inspector of a site whose worker runs the jobs of the queue `payments` */
export async function setScene(redis: Redis, inspector: RqInspector): Promise<void> {
  await writeHistory(redis);
  await writeWorkers(redis);
  await writeAlerts(redis);
  const payments = inspector.queue('payments');
  await payments.enqueueMany(
    Array.from({ length: 14 }, (_, index) => ({
      name: 'chargeCard',
      data: {
        order: { id: `o_${812 + index}`, total: 4200 + index, currency: 'EUR' },
        customer: { email: 'ada@example.com', password: 'correct horse' },
        card: '4111 1111 1111 1111',
        port: 443 + (index % 3),
      },
    })),
  );
  await payments.enqueueMany(
    Array.from({ length: 4 }, () => ({
      name: 'syncUser',
      data: { text: '<img src=x onerror=alert(1)>' },
    })),
  );
  await payments.enqueueMany(
    Array.from({ length: 6 }, (_, index) => ({ name: 'refund', data: { order: `o_${index}` } })),
  );
  await eventually(
    async () => {
      const { failed, finished } = await payments.counts();
      return failed === 18 && finished === 6;
    },
    { what: 'the jobs of the scene to end', timeout: 20_000 },
  );
  await payments.enqueueMany(
    Array.from({ length: 3 }, (_, index) => ({ name: 'settle', data: { batch: index } })),
  );

  const mail = inspector.queue('mail');
  const first = await mail.enqueue('sendMail', { to: 'ada@example.com', subject: 'Welcome' });
  await mail.enqueueMany(
    Array.from({ length: 311 }, (_, index) => ({
      name: 'sendMail',
      data: { to: `user${index}@example.com`, subject: 'Your invoice' },
    })),
  );
  await redis.hset(
    `rq:job:${first.id}`,
    'enqueued_at',
    new Date(Date.now() - 540_000).toISOString(),
  );
  await mail.enqueueIn('2h', 'sendMail', { to: 'bob@example.com', subject: 'Reminder' });
  await mail.enqueue('digest', {}, { dependsOn: first });
  await mail.schedule('weekly-digest', { cron: '0 6 * * 1', tz: 'Europe/Berlin' }, 'digest', {});
  await mail.schedule('heartbeat', { every: 300 }, 'ping', {});
  await mail.schedule('invoices', { cron: '30 7,19 * * *', tz: 'Europe/Berlin' }, 'invoices', {});
  await mail.schedule('odd-minutes', { cron: '1-59/7 8-17 * * 1-5', tz: 'UTC' }, 'poll', {});

  const reports = inspector.queue('reports');
  await reports.enqueueMany(
    Array.from({ length: 4 }, (_, index) => ({ name: 'monthly', data: { month: index + 1 } })),
  );
  await reports.pause();
  await inspector.queue('images').enqueueMany([{ name: 'resize', data: { path: 'harbour.jpg' } }]);
  await inspector.queue('webhooks').setLimits({ concurrency: { total: 20 } }, { for: '1h' });
  await writeAudit(inspector);
  await redis.sadd('rq:queues', 'rq:queue:search-index', 'rq:queue:webhooks');
}

const RATES: Readonly<
  Record<string, { rate: number; failing: number; run: number; wait: number }>
> = {
  payments: { rate: 5200, failing: 0.06, run: 1500, wait: 4000 },
  images: { rate: 1800, failing: 0.004, run: 4200, wait: 900 },
  'search-index': { rate: 12_400, failing: 0, run: 16, wait: 30 },
  webhooks: { rate: 9100, failing: 0.032, run: 400, wait: 150 },
  reports: { rate: 14, failing: 0.02, run: 100_000, wait: 8000 },
};

/** An hour and a bit by the minute, two days by the quarter of an hour, as workers would have counted it. */
async function writeHistory(redis: Redis): Promise<void> {
  const pipeline = redis.pipeline();
  writeTier(pipeline, 60, 75);
  writeTier(pipeline, 900, 200);
  await pipeline.exec();
}

function writeTier(pipeline: ReturnType<Redis['pipeline']>, seconds: number, steps: number): void {
  const newest = Math.floor(Date.now() / 1000 / seconds);
  for (const [queue, { rate: perMinute, failing, run, wait }] of Object.entries(RATES)) {
    const rate = (perMinute * seconds) / 60;
    for (let back = 1; back <= steps; back += 1) {
      const wave = 0.75 + 0.22 * Math.sin((back + rate) / 9) + 0.05 * Math.sin(back * 1.7 + rate);
      const attempts = Math.round(rate * wave);
      const bad = Math.round(attempts * failing * (back > 18 && back < 34 ? 2.2 : 1));
      const slow = wait * (1 + 0.8 * Math.sin(back / 6) ** 2);
      const counts = new Map<number, number>([
        [OUTCOME_CODES.finished, attempts - bad],
        [OUTCOME_CODES.retrying, Math.round(bad * 0.85)],
        [OUTCOME_CODES.failed, Math.round(bad * 0.15)],
        ...spread(run, attempts, back),
        [WAIT_TIMES + placeOfDuration(slow * 0.1), Math.round(attempts * 0.9)],
        [WAIT_TIMES + Math.min(BOUNDS.length, placeOfDuration(slow)), Math.round(attempts * 0.1)],
      ]);
      const sample = new Map<number, number>([
        [SAMPLE_CODES.queued, Math.round(rate * 0.3 * wave)],
        [SAMPLE_CODES.oldest, Math.round(slow)],
      ]);
      const key = `rq:nrq:stats:${queue}:${seconds}:${newest - back}`;
      pipeline.hset(key, `j:${NAMES[queue] ?? 'work'}`, packed(counts), 'g', packed(sample));
      pipeline.expire(key, 10_800);
    }
  }
}

/** Most runs take less than half of the long ones; for a while some are slow. */
function spread(run: number, attempts: number, back: number): [code: number, count: number][] {
  const shares = [
    [0.08, 0.15],
    [0.2, 0.35],
    [0.4, 0.38],
    [1, 0.1],
    [back > 18 && back < 34 ? 8 : 2, 0.02],
  ] as const;
  const counts = new Map<number, number>();
  for (const [length, share] of shares) {
    const code = RUN_TIMES + placeOfDuration(run * length);
    counts.set(code, (counts.get(code) ?? 0) + Math.round(attempts * share));
  }
  return [...counts];
}

async function writeAudit({ desk }: RqInspector): Promise<void> {
  const ada = { who: 'ada.byron.lovelace@example.com', ip: '10.1.2.3' };
  const bob = { who: 'bob@example.com', ip: '10.1.2.4' };
  const why =
    'Cannot stop job "1m8e4r2txavv1n07enfd4": it is queued. Possible only when it is started.';
  await desk.audit.add({ ...ada, action: 'queue/pause', queue: 'reports', result: 'done' });
  const requeued = { action: 'jobs/requeue', queue: 'payments', what: 'failed TypeError' };
  await desk.audit.add({ ...ada, ...requeued, count: 1204, result: 'done' });
  const refused = '"empty" is not allowed in queue "mail"';
  await desk.audit.add({
    ...bob,
    action: 'queue/empty',
    queue: 'mail',
    result: 'refused',
    why: refused,
  });
  const stopped = { action: 'job/stop', what: '1m8e4r2txavv1n07enfd4' };
  await desk.audit.add({ ...bob, ...stopped, queue: 'mail', result: 'failed', why });
}

/** As whoever looks for alerts writes them down. */
async function writeAlerts(redis: Redis): Promise<void> {
  const now = Date.now();
  const write = (queue: string, rule: string, more: object) =>
    redis.hset(
      'rq:nrq:alerts',
      `${queue} ${rule}`,
      JSON.stringify({
        rule,
        queue,
        state: 'firing',
        severity: 'warning',
        value: 0,
        limit: 1,
        since: now - 540_000,
        at: now,
        calm: 0,
        ...more,
      }),
    );
  await write('mail', 'workers', { severity: 'critical' });
  await write('payments', 'retrying', { value: 812, limit: 500, since: now - 1_080_000 });
  await write('webhooks', 'backlog', { value: 903, limit: 500, since: now - 7_200_000 });
  await redis.hset('rq:nrq:alerts', 'mute\nwebhooks backlog', String(now + 5_400_000));
  await redis.set('rq:nrq:alerts:lock', '1:somebody');
}

const NAMES: Readonly<Record<string, string>> = { payments: 'chargeCard', images: 'resize' };

/** As MessagePack has a map of numbers. */
export function packed(numbers: ReadonlyMap<number, number>): Buffer {
  const parts = [Buffer.from([0x80 | numbers.size])];
  for (const [code, count] of numbers) {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt8(0xce);
    bytes.writeUInt32BE(count, 1);
    parts.push(Buffer.from([code]), bytes);
  }
  return Buffer.concat(parts);
}

async function writeWorkers(redis: Redis): Promise<void> {
  const now = Date.now();
  const add = async (name: string, fields: Readonly<Record<string, string>>) => {
    await redis.hset(`rq:worker:${name}`, {
      birth: new Date(now - 5 * 3_600_000).toISOString(),
      last_heartbeat: new Date(now).toISOString(),
      hostname: name.split('.')[0] ?? name,
      pid: '4711',
      ...fields,
    });
    await redis.sadd('rq:workers', `rq:worker:${name}`);
  };
  const ours = (slots: number, busy: number) => ({
    nrq_slots: String(slots),
    nrq_busy: String(busy),
    nrq_rss: String(148_000_000 + busy * 1_000_000),
    nrq_lag: '4',
    nrq_version: '0.1.0',
    nrq_every: '3600000',
    successful_job_count: '81234',
    failed_job_count: '412',
    state: 'busy',
  });
  // Deployed a while ago.
  const birth = new Date(now - 1_260_000).toISOString();
  const shared = { queues: 'images,webhooks', nrq_queue_slots: '40,40' };
  await add('worker-7c9f.images.1', { ...shared, ...ours(40, 40), birth });
  await add('worker-7c9f.search.2', { queues: 'search-index', ...ours(20, 3), birth });
  await add('python-reports.88', {
    queues: 'reports',
    state: 'idle',
    python_version: '3.12',
    version: '2.3.3',
    successful_job_count: '918',
    failed_job_count: '3',
  });
}
