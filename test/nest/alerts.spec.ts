// Alerts of an application: lines in the log, @OnAlert methods, critical jobs.
import { Injectable } from '@nestjs/common';
import { FailJob, Job, OnAlert, type RqAlert, RqInspector, RqModule, RqService } from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();
const heard: string[] = [];
const failures: unknown[] = [];
beforeEach(() => {
  heard.splice(0);
  failures.splice(0);
});

@Injectable()
class Pager {
  @OnAlert({ severity: 'critical' })
  page({ id, state, lastFailure }: RqAlert) {
    heard.push(`page ${id} ${state}`);
    failures.push(lastFailure);
  }

  @OnAlert({ rule: 'backlog', queue: 'mail' })
  note({ id, state }: RqAlert) {
    heard.push(`note ${id} ${state}`);
    throw new TypeError('the pager is away');
  }
}

@Injectable()
class Payments {
  @Job({ queue: 'payments', critical: true })
  charge() {
    throw new FailJob('no money');
  }

  @Job('payments')
  remind() {
    throw new FailJob('no mail');
  }
}

it('the log and the methods are told when something begins and when it is over', async () => {
  const { app, logs } = await applications.start({
    imports: [
      RqModule.forRoot(
        applications.root({
          worker: false,
          alerts: { every: '100ms', queues: { mail: { backlog: 1, workers: false } } },
        }),
      ),
    ],
    providers: [Pager],
  });
  const mail = app.get(RqService).queue('mail');
  await mail.enqueueMany([{ name: 'send' }, { name: 'send' }]);
  await eventually(() => heard.length > 0, { what: 'the alert' });
  expect(await app.get(RqInspector).alerts()).toMatchObject([
    { id: 'mail backlog', value: 2, limit: 1, severity: 'warning', state: 'firing' },
  ]);
  await mail.empty();
  await eventually(() => heard.length > 1, { what: 'its end' });
  expect(heard).toEqual(['note mail backlog firing', 'note mail backlog resolved']);
  await eventually(() => logs.ours.filter((line) => line.includes('pager')).length === 2, {
    what: 'the errors of the method',
  });
  const lines = logs.ours.filter((line) => / RqAlerts: Alert|RqExplorer: Mapped alerts/.test(line));
  expect(lines).toEqual([
    'log RqExplorer: Mapped alerts to @OnAlert on Pager.page in RootTestModule',
    'log RqExplorer: Mapped alerts to @OnAlert on Pager.note in RootTestModule',
    'warn RqAlerts: Alert (warning): mail: 2 jobs wait (limit 1)',
    'log RqAlerts: Alert is over: mail: the queue is short again',
  ]);
});

it('a critical job that fails for good is told at once, others are not', async () => {
  const { app, logs } = await applications.start({
    imports: [RqModule.forRoot(applications.root())],
    providers: [Pager, Payments],
  });
  const payments = app.get(RqService).queue('payments');
  await payments.enqueue('remind');
  const job = await payments.enqueue('charge', { card: '4111' });
  await eventually(() => heard.length > 0, { what: 'the alert' });
  expect(heard).toEqual(['page payments critical charge firing']);
  const reason = 'FailJob: no money';
  expect(logs.ours).toContain(
    `warn RqAlerts: Alert (critical): charge of payments: a critical job has failed for good (job ${job.id}, ${reason})`,
  );
  expect(failures).toEqual([{ jobId: job.id, reason }]);
});

it('nothing is looked for where it is turned off, and impossible options are refused', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ alerts: false, worker: false }))],
    providers: [Pager],
  });
  expect(await app.get(RqInspector).isWatched()).toBe(false);
  const bad = { alerts: { queues: { mail: { oldest: 'soon' } } } } as never;
  await expect(
    applications.start({ imports: [RqModule.forRoot(applications.root(bad))] }),
  ).rejects.toThrow('alerts.queues.mail.oldest');
});
