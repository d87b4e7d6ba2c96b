// What `npm run sample -- 02-validation-guards` shows: five orders over HTTP, and what became of each.
import { NestFactory } from '@nestjs/core';
import { setTimeout as pause } from 'node:timers/promises';
import { AppModule } from './app.module.js';

interface Answer {
  status: string;
  attempts: { outcome: string; value?: unknown; error?: string }[];
}

const orders: { title: string; order: object; expected: string[] }[] = [
  {
    title: 'a good order',
    order: { tenant: 'acme', month: '2026-01' },
    expected: ['finished'],
  },
  {
    title: 'the pipe finds wrong fields',
    order: { tenant: 'acme', month: 'January', months: 'two' },
    expected: ['failed'],
  },
  {
    title: 'the guard refuses the tenant',
    order: { tenant: 'initech', month: '2026-01' },
    expected: ['failed'],
  },
  {
    title: 'the filter asks for a retry',
    order: { tenant: 'globex', month: '2026-03' },
    expected: ['retrying', 'finished'],
  },
  {
    title: 'the filter has a result',
    order: { tenant: 'globex', month: '2026-02' },
    expected: ['finished'],
  },
];

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 0, '127.0.0.1');
const url = await app.getUrl();

const answers = await Promise.all(orders.map(({ order }) => settled(order)));
await app.close();

console.log();
for (const [index, { title, order, expected }] of orders.entries()) {
  const attempts = answers[index]?.attempts ?? [];
  console.log(`${title}: ${JSON.stringify(order)}`);
  for (const { outcome, value, error } of attempts) {
    console.log(`    ${outcome}: ${error ?? JSON.stringify(value)}`);
  }
  if (attempts.map(({ outcome }) => outcome).join() !== expected.join()) {
    console.error(
      `    This is not what was to be expected (${expected.join(', ')}): please report it.`,
    );
    process.exitCode = 1;
  }
}

/** Hands an order over, and asks for its job until that has ended. */
async function settled(order: object): Promise<Answer> {
  const { see } = await ask<{ see: string }>('/reports', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(order),
  });
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await ask<Answer>(see);
    if (answer.status === 'finished' || answer.status === 'failed') return answer;
    if (Date.now() > deadline) throw new Error(`${see} is still ${answer.status}`);
    await pause(50);
  }
}

async function ask<T>(path: string, request: RequestInit = {}): Promise<T> {
  const response = await fetch(`${url}${path}`, request);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
