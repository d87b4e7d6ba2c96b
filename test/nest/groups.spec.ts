// Groups as an application uses them: members of several queues, and a job that runs when all of them are over.
import { Injectable } from '@nestjs/common';
import {
  FailJob,
  GroupTimeoutError,
  InjectQueue,
  Job,
  JobCanceledError,
  type Queue,
  RqGroup,
  RqModule,
  RqService,
} from 'nestjs-rq';
import { deferred } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

@Injectable()
class Imports {
  gate = deferred<void>();
  isBroken = false;

  @Job('imports')
  importRow(row: number) {
    if (this.isBroken && row === 3) throw new FailJob('no number');
    return row;
  }

  @Job('slow')
  async last() {
    await this.gate.promise;
  }

  @Job('mail')
  async report(name: string): Promise<string> {
    return Promise.resolve(`report of ${name}`);
  }
}

@Injectable()
class Producers {
  constructor(
    readonly rq: RqService,
    @InjectQueue('imports') readonly imports: Queue<Pick<Imports, 'importRow'>>,
    @InjectQueue('slow') readonly slow: Queue<Pick<Imports, 'last'>>,
    @InjectQueue('mail') readonly mail: Queue<Pick<Imports, 'report'>>,
  ) {}
}

async function startApplication() {
  const { app } = await applications.start({
    imports: [
      RqModule.forRoot(applications.root()),
      RqModule.registerQueue('imports', 'slow', 'mail'),
    ],
    providers: [Imports, Producers],
  });
  const { rq, imports, slow, mail } = app.get(Producers);
  return { jobs: app.get(Imports), rq, imports, slow, mail };
}

it('runs the job that waits when all jobs of a group are over, and tells how far they are', async () => {
  const { jobs, rq, imports, slow, mail } = await startApplication();
  const options = { group: 'import-42' };
  await imports.enqueueMany([1, 2, 3].map((data) => ({ name: 'importRow', data, options })));
  await slow.enqueue('last', undefined, options);
  const report = await mail.enqueue('report', '42', { dependsOn: { group: 'import-42' } });

  const group = rq.group('import-42');
  expect(group).toBeInstanceOf(RqGroup);
  expect(JSON.stringify(group)).toBe('{"name":"import-42"}');
  await expect(group.wait({ timeout: '50ms' })).rejects.toThrow(GroupTimeoutError);
  expect(await report.status()).toBe('deferred');
  expect((await report.refresh()).waitsFor).toEqual({ jobs: [], ...options, ifFailed: 'cancel' });
  jobs.gate.resolve();
  const over = { total: 4, pending: 0, finished: 4, failed: 0, canceled: 0 };
  expect(await group.wait({ timeout: '10s' })).toEqual(over);
  expect(await report.result({ timeout: '10s' })).toBe('report of 42');
  expect((await imports.group('import-42').jobs()).map(({ queue }) => queue).toSorted()).toEqual([
    'imports',
    'imports',
    'imports',
    'slow',
  ]);
});

it('says in the reason why the job did not run, and runs it after a requeue', async () => {
  const { jobs, rq, imports, mail } = await startApplication();
  jobs.isBroken = true;
  const rows = [3, 4].map((data) => imports.prepare('importRow', data, { group: 'g' }));
  const report = mail.prepare('report', 'g', { dependsOn: { group: 'g' } });
  const [first] = await rq.enqueueMany([report, ...rows]);
  await expect(first?.result({ timeout: '10s' })).rejects.toThrow(JobCanceledError);
  expect((await report.handle().refresh()).reason).toMatch(/^jobs of group g, .* failed/);
  jobs.isBroken = false;
  await imports.requeue({ in: 'failed' });
  expect(await report.handle().result({ timeout: '10s' })).toBe('report of g');
});
