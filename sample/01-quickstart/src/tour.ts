// What `npm run demo` shows: the application of main.ts with some work to do, of which a part fails
// once, twice or for ever, and a summary at the end. With --serve the application then stays.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JobFailedError, type RqJob } from 'nestjs-rq';
import { RqDashboardModule } from 'nestjs-rq/dashboard';
import { AppModule } from './app.module.js';
import { AttemptCounts } from './attempt-log.js';
import { UploadService } from './upload.service.js';

interface Task {
  title: string;
  job: RqJob<unknown>;
  /** The number of attempts that its failures and its retries allow. */
  attempts: number;
  succeeds: boolean;
}

interface Row {
  title: string;
  attempts: number;
  outcome: string;
  time: string;
  asExpected: boolean;
}

const serve = process.argv.includes('--serve');
const port = Number(process.env.PORT ?? 3000);

// Without guards, so that it is seen at once, and at this machine alone.
@Module({
  imports: [AppModule, RqDashboardModule.forRoot({ allowAnonymous: true, environment: 'demo' })],
})
class DemoModule {}

const app = await NestFactory.create(DemoModule);
app.enableShutdownHooks();
if (serve) await app.listen(port, '127.0.0.1');
else await app.init();

const begun = performance.now();
const tasks = await enqueueTasks(app.get(UploadService));
const rows = await Promise.all(tasks.map((task) => follow(task)));
if (!serve) await app.close();
printSummary(rows);

if (!rows.every((row) => row.asExpected)) {
  console.error('\nThis is not what the retries of these jobs allow: please report it.');
  process.exitCode = 1;
}

if (serve) {
  // An address ends its line: a terminal takes a full stop behind it for a part of it.
  console.log(`\nStill serving, until Ctrl-C. The dashboard: http://localhost:${port}/rq
Give it a job that fails once:\n
  curl -X POST http://localhost:${port}/images -H 'Content-Type: application/json' \\
       -d '{"path": "my-cat.jpg", "failures": 1}'\n`);
}

async function enqueueTasks(uploads: UploadService): Promise<Task[]> {
  const image = async (path: string, failures: number): Promise<Task> => ({
    title: `image ${path}`,
    job: await uploads.addImage({ path, failures }),
    attempts: Math.min(failures + 1, 4),
    succeeds: failures <= 3,
  });
  const mail = async (subject: string, failures: number): Promise<Task> => ({
    title: `mail "${subject}"`,
    job: await uploads.sendMail({ to: 'ada@example.com', subject, failures }),
    attempts: Math.min(failures + 1, 3),
    succeeds: failures <= 2,
  });
  return [
    await image('harbour.jpg', 0),
    await image('mountain.jpg', 1),
    await image('forest.jpg', 2),
    await image('broken.jpg', 99),
    await mail('Welcome', 0),
    await mail('Your invoice', 1),
    await mail('Your pictures', 2),
  ];
}

async function follow({ title, job, attempts, succeeds }: Task): Promise<Row> {
  let outcome = 'finished';
  try {
    await job.result({ timeout: '60s' });
  } catch (error) {
    if (!(error instanceof JobFailedError)) throw error;
    outcome = 'failed';
  }
  const time = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  const seen = app.get(AttemptCounts).get(job.id) ?? 0;
  const asExpected = seen === attempts && (outcome === 'finished') === succeeds;
  return { title, attempts: seen, outcome, time, asExpected };
}

function printSummary(rows: Row[]) {
  const lines = [
    ['job', 'attempts', 'outcome', 'total time'],
    ...rows.map((row) => [row.title, String(row.attempts), row.outcome, row.time]),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  console.log();
  for (const line of lines) {
    const cells = line.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    console.log(cells.join('   ').trimEnd());
  }
}
