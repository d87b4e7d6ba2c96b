import { Injectable } from '@nestjs/common';
import { Job, type Queue, RqModule, getQueueToken } from 'nestjs-rq';
import { HttpServer } from '../support/http-server.js';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();
const hooks = new HttpServer();
beforeAll(() => hooks.start());
afterEach(() => hooks.reset());
afterAll(() => hooks.stop());

@Injectable()
class Jobs {
  @Job('q')
  work() {}
}

async function start(options: object) {
  const imports = [RqModule.forRoot(applications.root(options)), RqModule.registerQueue('q')];
  const started = await applications.start({ imports, providers: [Jobs] });
  return { ...started, queue: started.app.get<Queue<Jobs>>(getQueueToken('q')) };
}

it('webhooks go where forRoot allows it', async () => {
  const { queue, logs } = await start({ webhooks: { allow: [hooks.origin] } });
  const webhooks = [{ url: `${hooks.origin}/a?token=secret`, on: 'finished' as const }];
  await queue.enqueue('work', undefined, { webhooks });
  expect((await hooks.requests(1))[0]?.url).toBe('/a?token=secret');
  expect(logs.ours.filter((line) => !line.startsWith('log'))).toEqual([]);
});

it('and nowhere without: one line, which names the option and no more than the origin', async () => {
  const { queue, logs } = await start({});
  const webhooks = [{ url: `${hooks.origin}/a?token=secret`, on: 'finished' as const }];
  for (let count = 0; count < 3; count += 1) {
    await (await queue.enqueue('work', undefined, { webhooks })).result();
  }
  const lines = () => logs.ours.filter((line) => !line.startsWith('log'));
  await eventually(() => lines().length > 0, { what: 'a line' });
  expect(lines()).toEqual([
    `error RqWorker: Webhooks of jobs to ${hooks.origin} are not sent: this origin is not allowed (webhooks: { allow })`,
  ]);
  expect(hooks.heard).toEqual([]);
});

it.each([
  [{ webhooks: { allow: ['hooks.example.org'] } }, 'webhooks.allow[0] must be an origin'],
  [{ webhooks: { allowed: [] } }, 'webhooks.allowed is not an option here'],
  [{ worker: { webhooks: { allow: [] } } }, "worker.webhooks is the module's"],
])('an impossible option stops the start: %j', async (options, message) => {
  await expect(start(options)).rejects.toThrow(message);
});
