// Applications under test, as users of the kit write them: the application's module and RqTestingModule.
import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { RqModule } from 'nestjs-rq';
import { RqTesting, RqTestingModule, type RqTestingOptions } from 'nestjs-rq/testing';
import { LogLines } from '../../nest/support/applications.js';

export interface Kit {
  readonly app: INestApplication;
  readonly rq: RqTesting;
  readonly logs: LogLines;
}

/** Nobody listens there: whoever connects to it fails. */
export const NOWHERE = 'redis://127.0.0.1:1';

const open = new Set<INestApplication>();

/** To be called at the top of a test file: closes what the tests have started. */
export function closeApplicationsAfterEach(): void {
  afterEach(async () => {
    await Promise.all([...open].map((app) => app.close()));
    open.clear();
  });
}

/** An application that is not started. */
export async function create(metadata: ModuleMetadata, options?: RqTestingOptions): Promise<Kit> {
  const logs = new LogLines();
  const builder = Test.createTestingModule({
    ...metadata,
    imports: [...(metadata.imports ?? []), RqTestingModule.forRoot(options)],
  });
  const moduleRef = await builder.setLogger(logs).compile();
  const app = moduleRef.createNestApplication({ logger: logs });
  open.add(app);
  return { app, rq: app.get(RqTesting), logs };
}

/** A started application. */
export async function start(metadata: ModuleMetadata, options?: RqTestingOptions): Promise<Kit> {
  const kit = await create(metadata, options);
  await kit.app.init();
  return kit;
}

/** A started application whose jobs are those of one class, on the queue `mail`; its handlers note in `ran` what they did. */
export async function startMail<Ran>(jobs: Type<{ readonly ran: Ran[] }>) {
  const { app, rq } = await start({
    imports: [RqModule.forRoot({ connection: NOWHERE }), RqModule.registerQueue('mail')],
    providers: [jobs],
  });
  return { rq, mail: rq.queue('mail'), ran: app.get(jobs).ran };
}
