// A link that is half open while leases are renewed: it takes everything and gives nothing, and nobody resets it. The
// worker must give it up and renew over another one before a lease is over.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, within } from '../support/wait.js';
import { CommandProxy, type Moment } from './command-proxy.js';
import { Scene } from './scene.js';

/** Seconds: a renewal comes after a third, and a second later it is known that no answer comes. */
const LEASE = 6;
const connection = { commandTimeout: 1000, connectTimeout: 2000 };

let scene: Scene;
let proxy: CommandProxy;

beforeAll(async () => {
  scene = await Scene.open();
  proxy = await CommandProxy.start(scene.redis);
});

afterAll(async () => {
  await scene.close();
  await proxy.close();
});

describe('a link that swallows a renewal', () => {
  it.each<[Moment, string]>([
    ['before it arrives', 'unheard'],
    ['before its answer arrives', 'unanswered'],
  ])('%s, is given up in time: no lease ends, and the job runs once', async (moment, queue) => {
    const [far, near] = [`far-${queue}`, `near-${queue}`];
    const settings = { lease: LEASE, queues: [queue] };
    const worker = await scene.worker(far, { ...settings, connection, url: proxy.url });
    const job = await scene.queue(queue).enqueue('act', { waits: true }, { id: queue });
    await scene.when('run', { worker: far });
    // It would run the job as soon as the lease is over.
    await scene.worker(near, settings);
    const leaseEnd = async () =>
      Number((await scene.client.zrange(`rq:wip:${queue}`, '0', '0', 'WITHSCORES'))[1]);

    // From here on nothing comes through on that link, and it is never cut.
    const { command } = await within(
      proxy.hold(moment, ({ name }) => name === 'renew'),
      {
        what: 'a renewal',
      },
    );
    const held = await leaseEnd();
    await eventually(async () => (await leaseEnd()) > held, { what: 'the lease to be renewed' });
    await scene.when('problemSolved', { worker: far });
    worker.go();

    expect(await job.result({ timeout: 10 })).toEqual({ worker: far, attempt: 1 });
    expect(command.link).toBe('nestjs-rq:leases');
    expect(scene.journal.of('problem', { worker: far }).map(({ message }) => message)).toEqual([
      expect.stringContaining('lease'),
    ]);
    for (const event of ['lost', 'aborted', 'requeued'] as const) {
      expect(scene.journal.of(event)).toEqual([]);
    }
    expect(scene.journal.ids('run', { worker: near })).toEqual([]);
    expect(await scene.audit([{ id: queue }], { queues: [queue] })).toEqual([]);
  });
});
