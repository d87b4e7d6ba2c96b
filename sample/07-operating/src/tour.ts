// What `npm run sample -- 07-operating` shows: things go wrong, and each alert begins and is over.
import { NestFactory } from '@nestjs/core';
import { RqInspector, RqService } from 'nestjs-rq';
import { setTimeout as pause } from 'node:timers/promises';
import { AppModule } from './app.module.js';
import { Pager } from './pager.js';
import { PaymentJobs } from './payment.jobs.js';

const app = await NestFactory.create(AppModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
const rq = app.get(RqService);
const inspector = app.get(RqInspector);
const { alerts } = app.get(Pager);
const jobs = app.get(PaymentJobs);
const payments = rq.queue('payments');

console.log('\n1. Nobody serves `reports`: jobs wait there, and one is due that nobody moves');
await rq.queue('reports').enqueue('print');
await rq.queue('reports').enqueue('print', {}, { delay: '200ms' });
await both('reports workers', 'reports overdue');
await rq.queue('reports').empty();
for (const { id } of await rq.queue('reports').jobs('scheduled')) {
  await rq.queue('reports').job(id).delete();
}
await over('reports workers', 'reports overdue');

console.log('\n2. Slow jobs hold up `payments`: the oldest waits, and the queue is long');
await payments.enqueueMany(Array.from({ length: 12 }, () => ({ name: 'report' })));
await both('payments oldest', 'payments backlog');
await over('payments oldest', 'payments backlog');

console.log('\n3. The bank is down: retries pile up');
jobs.isBankUp = false;
await payments.enqueueMany(Array.from({ length: 4 }, () => ({ name: 'remind' })));
await both('payments retrying');
jobs.isBankUp = true;
await payments.promote({ in: 'scheduled' });
await over('payments retrying');

console.log('\n4. Somebody has paused `payments` and forgotten it');
await payments.pause();
await both('payments paused');
await payments.resume();
await over('payments paused');

console.log('\n5. A critical job fails for good (this alert is over when none has for 5 minutes)');
await rq.queue('payouts').enqueue('pay');
await both('payouts critical pay');
const firing = await inspector.alerts();
expect('goes on', firing.map(({ id }) => id).join(', '), /payouts critical pay/);

console.log('\n6. What probes and Prometheus see');
for (const path of ['live', 'ready']) {
  const response = await fetch(`${url}/${path}`);
  expect(`/${path}`, `${response.status} ${await response.text()}`, /^200 .*"up"/);
}
const metrics = await (await fetch(`${url}/metrics`)).text();
const line =
  /^rq_job_attempts_total\{queue="payouts".*outcome="failed".*$/m.exec(metrics)?.[0] ?? 'nothing';
expect('/metrics', line, /job="pay",outcome="failed"} 1$/);
await until('the alert in /metrics', async () => {
  return (await (await fetch(`${url}/metrics`)).text()).includes('rq_alert_firing{queue="payouts"');
});

await app.close();

/** These have begun; one of them may be over by then. */
async function both(...ids: string[]) {
  const hasBegun = (id: string) => alerts.some((alert) => alert.id === id);
  await until(ids.join(', '), () => ids.every(hasBegun));
}

async function over(...ids: string[]) {
  await until(`the end of ${ids.join(', ')}`, () => ids.every((id) => last(id) === 'resolved'));
}

function last(id: string) {
  return alerts.findLast((alert) => alert.id === id)?.state;
}

async function until(what: string, isSo: () => boolean | Promise<boolean>) {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await pause(20);
  }
}

function expect(what: string, found: string, expected: RegExp) {
  console.log(`    ${what}: ${found}`);
  if (expected.test(found)) return;
  console.error(`    This is not what was to be expected (${expected}): please report it.`);
  process.exitCode = 1;
}
