import { Injectable } from '@nestjs/common';
import { FailJob, Job, RqModule, RqService } from 'nestjs-rq';
import 'nestjs-rq/testing/jest';
import { NOWHERE, closeApplicationsAfterEach, start } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Imports {
  readonly ran: string[] = [];

  @Job('imports')
  importRow(row: string) {
    this.ran.push(row);
    if (row === 'broken') throw new FailJob('no number');
  }

  @Job('mail')
  report(name: string) {
    this.ran.push(`report ${name}`);
  }
}

async function startImports(mode: 'manual' | 'inline' = 'manual') {
  const { app, rq } = await start(
    { imports: [RqModule.forRoot({ connection: NOWHERE })], providers: [Imports] },
    { mode },
  );
  const service = app.get(RqService);
  const imports = service.queue<Pick<Imports, 'importRow'>>('imports');
  const mail = service.queue<Pick<Imports, 'report'>>('mail');
  return { rq, service, imports, mail, ran: app.get(Imports).ran };
}

describe('groups, under test', () => {
  it('are seen by those who wait for them, and run in a drain and as time passes', async () => {
    const { rq, service, imports, mail, ran } = await startImports();
    await imports.enqueue('importRow', 'one', { group: 'g' });
    await imports.enqueueIn('1h', 'importRow', 'two', { group: 'g' });
    const report = await mail.enqueue('report', 'g', { dependsOn: { group: 'g' } });
    expect(await rq.enqueued('mail')).toMatchObject([
      { status: 'deferred', dueIn: undefined, waitsFor: { jobs: [], group: 'g' } },
    ]);
    await expect(mail).toHaveEnqueued('report');
    expect(await rq.drain()).toMatchObject({ finished: 1 });
    expect(await report.status()).toBe('deferred');
    expect(await service.group('g').status()).toMatchObject({ total: 2, pending: 1, finished: 1 });
    await rq.advance('1h');
    expect(ran).toEqual(['one', 'two', 'report g']);
  });

  it('are told of, canceled and deleted in the embedded Redis, too', async () => {
    const { rq, service, imports, mail } = await startImports();
    const rows = ['broken', ...Array.from({ length: 300 }, (_, index) => `row ${index}`)];
    const options = { group: 'g' };
    await imports.enqueueMany(rows.map((data) => ({ name: 'importRow', data, options })));
    const dependsOn = { group: 'g', ifFailed: 'cancel' } as const;
    const report = await mail.enqueue('report', 'g', { dependsOn });
    await rq.drain();
    expect(await report.status()).toBe('canceled');
    const group = service.group('g');
    expect(await group.wait({ timeout: 0 })).toEqual({
      total: 301,
      pending: 0,
      finished: 300,
      failed: 1,
      canceled: 0,
    });
    expect(await group.jobs({ limit: 500 })).toHaveLength(301);
    await imports.enqueue('importRow', 'more', options);
    expect(await group.cancel()).toMatchObject({ done: 1 });
    expect(await group.delete()).toMatchObject({ done: 302 });
    expect(await group.status()).toMatchObject({ total: 0 });
  });

  it('have run in inline mode when the call that enqueued them resolves', async () => {
    const { imports, mail, service, ran } = await startImports('inline');
    const row = imports.prepare('importRow', 'one', { group: 'g' });
    await service.enqueueMany([mail.prepare('report', 'g', { dependsOn: { group: 'g' } }), row]);
    expect(ran).toEqual(['one', 'report g']);
  });
});
