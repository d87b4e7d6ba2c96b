// What `npm run sample -- 08-tenants` shows: three tenants take turns, and one is slowed down at run time.
import { NestFactory } from '@nestjs/core';
import { RqService } from 'nestjs-rq';
import { setTimeout as pause } from 'node:timers/promises';
import { AppModule } from './app.module.js';
import { chart } from './chart.js';
import { SyncJobs } from './sync.jobs.js';

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
const queue = app.get(RqService).queue<SyncJobs>('sync');
const { ran } = app.get(SyncJobs);

console.log('\n1. `big` enqueues 60 jobs, then `small` and `tiny` 6 each');
await queue.pause();
await enqueue('big', 60);
await enqueue('small', 6);
await enqueue('tiny', 6);
await queue.resume();
await until(72);
console.log(chart(ran));
const others = ran.lastIndexOf('tiny') + 1;
expect('all of `tiny` were done after', `${others} of 72 jobs`, /^([12]\d|3[0-6]) of/);

console.log('\n2. `big` is slowed down for an hour: one job at a time, in all workers');
await queue.setLimits({ handler: 'sync', key: 'big', concurrency: { perKey: 1 } }, { for: '1h' });
await enqueue('big', 10);
const lane = await laneAtWork();
expect('running', String(lane?.running), /^1$/);
expect('the others wait for', String(lane?.why), /^concurrency$/);
await until(82);

await app.close();

async function enqueue(tenant: string, count: number) {
  const numbers = Array.from({ length: count }, (_, number) => number);
  await queue.enqueueMany(
    numbers.map((number) => ({ name: 'sync' as const, data: { tenant, number } })),
  );
}

async function laneAtWork() {
  for (;;) {
    const [lane] = await queue.lanes();
    if (lane?.running || ran.length === 82) return lane;
    await pause(2);
  }
}

async function until(count: number) {
  const deadline = Date.now() + 20_000;
  while (ran.length < count) {
    if (Date.now() > deadline) throw new Error(`only ${ran.length} of ${count} jobs ran`);
    await pause(20);
  }
}

function expect(what: string, found: string, expected: RegExp) {
  console.log(`    ${what}: ${found}`);
  if (expected.test(found)) return;
  console.error(`    This is not what was to be expected (${expected}): please report it.`);
  process.exitCode = 1;
}
