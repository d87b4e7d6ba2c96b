// Alerts in a fleet: of several processes one looks and one tells, also when the one that looks is killed.
import { jest } from '@jest/globals';
import {
  AlertWatch,
  type AlertListener,
  type RqAlert,
  RqInspector,
  resolveAlerts,
} from '../../lib/observe/index.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();
const watches: AlertWatch[] = [];
afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.stop()));
});

const EVERY_MS = 200;

class Heard implements AlertListener {
  readonly told: RqAlert[] = [];
  readonly logged: RqAlert[] = [];
  readonly errors: unknown[] = [];

  constructor(readonly hears = true) {}

  isWanted(): boolean {
    return this.hears;
  }

  tell(alert: RqAlert): void {
    this.told.push(alert);
  }

  changed(alert: RqAlert): void {
    this.logged.push(alert);
  }

  failed(error: unknown): void {
    this.errors.push(error);
  }

  succeeded(): void {}
}

/** As in a process of its own. @param options undefined: nothing is configured */
async function processWith(heard: Heard, options?: Parameters<typeof resolveAlerts>[0]) {
  const store = await engine.openStore();
  const resolved = { ...resolveAlerts(options, 'test'), everyMs: EVERY_MS };
  const watch = new AlertWatch(store, new RqInspector(store), resolved, heard);
  watches.push(watch);
  watch.start();
  return { watch, store };
}

const texts = (heards: readonly Heard[], what: 'told' | 'logged' = 'told') =>
  heards.flatMap((heard) => heard[what].map(({ id, state }) => `${id} ${state}`)).toSorted();

it('is told once by four processes, goes on when the leader is killed, and is over once', async () => {
  const heards = [new Heard(), new Heard(), new Heard(), new Heard()];
  for (const heard of heards) await processWith(heard);
  await engine.queue('mail').enqueue('send');
  await eventually(() => texts(heards).length > 0, { what: 'the alert' });
  expect(texts(heards)).toEqual(['mail workers firing']);
  expect(texts(heards, 'logged')).toEqual(['mail workers firing']);
  const inspector = new RqInspector(engine.store);
  const [alert] = await inspector.alerts();
  expect(alert).toMatchObject({ rule: 'workers', queue: 'mail', value: 0, severity: 'critical' });
  expect(await inspector.isWatched()).toBe(true);

  // The one that looks is killed: its lock is not given back.
  const leader = (await engine.client.get('rq:nrq:alerts:lock')) ?? '';
  const killed = watches.find((watch) => leader.endsWith((watch as unknown as Own).process));
  (killed as unknown as Own).isLeading = false;
  await killed?.stop();
  await engine.queue('mail').empty();
  await eventually(() => texts(heards).length > 1, { what: 'the end of the alert' });
  // Another look of everybody.
  const seen = (await engine.client.get('rq:nrq:alerts:lock')) ?? '';
  expect(seen).not.toBe(leader);
  await eventually(async () => (await inspector.alerts()).length === 0, { what: 'no alert' });
  expect(texts(heards)).toEqual(['mail workers firing', 'mail workers resolved']);
  expect(heards.flatMap(({ errors }) => errors)).toEqual([]);
});

interface Own {
  process: string;
  isLeading: boolean;
}

it('is told by who has somebody to tell, whoever looks, and not again after a restart', async () => {
  const deaf = new Heard(false);
  await processWith(deaf);
  await engine.queue('mail').enqueue('send');
  await eventually(() => deaf.logged.length > 0, { what: 'the alert' });
  const hearing = new Heard();
  const { watch } = await processWith(hearing);
  await eventually(() => hearing.told.length > 0, { what: 'somebody to be told' });
  await watch.stop();
  const again = new Heard();
  const { store } = await processWith(again);
  await eventually(
    async () => {
      const read = (again as { reads?: number }).reads ?? 0;
      await store.figures.alerts.read();
      (again as { reads?: number }).reads = read + 1;
      return read > 60;
    },
    { what: 'some looks' },
  );
  expect(texts([deaf, hearing, again])).toEqual(['mail workers firing']);
});

it('who was told limits takes the place of who was not', async () => {
  const plain = new Heard();
  await processWith(plain);
  await eventually(() => engine.client.exists('rq:nrq:alerts:lock'), {
    what: 'somebody who looks',
  });
  const configured = new Heard();
  await processWith(configured, { queues: { mail: { backlog: 1 } } });
  await engine.queue('mail').enqueueMany([{ name: 'send' }, { name: 'send' }]);
  const all = () => texts([plain, configured]);
  await eventually(() => all().includes('mail backlog firing'), { what: 'the configured alert' });
  expect(configured.logged.length).toBeGreaterThan(0);
});

it('a process that cannot look leaves it to others', async () => {
  const small = new Heard(false);
  const store = await engine.openStore();
  jest.spyOn(store.figures, 'overview').mockRejectedValue(new Error('NOPERM'));
  const resolved = { ...resolveAlerts({}, 'test'), everyMs: EVERY_MS };
  const watch = new AlertWatch(store, new RqInspector(store), resolved, small);
  watches.push(watch);
  watch.start();
  await eventually(() => small.errors.length > 0, { what: 'a look that fails' });
  const heard = new Heard();
  await processWith(heard);
  await engine.queue('mail').enqueue('send');
  await eventually(() => heard.told.length > 0, { what: 'the alert' });
});

it('nobody is told of a muted one', async () => {
  const inspector = new RqInspector(engine.store);
  await inspector.muteAlert('mail workers');
  const heard = new Heard();
  await processWith(heard);
  await engine.queue('mail').enqueue('send');
  await eventually(async () => (await inspector.alerts()).length > 0, { what: 'the alert' });
  expect(await inspector.alerts()).toMatchObject([{ id: 'mail workers', state: 'muted' }]);
  expect(texts([heard])).toEqual([]);
  await inspector.muteAlert('mail workers', { for: 0 });
  await eventually(() => heard.told.length > 0, { what: 'the alert to be told' });
});

it('a critical failure is an alert at once, and counts on', async () => {
  const heard = new Heard();
  const { watch } = await processWith(heard);
  const reason = 'CardError: no money';
  await watch.criticalFailed('payments', 'charge', { jobId: 'first', reason });
  expect(texts([heard])).toEqual(['payments critical charge firing']);
  expect(heard.told[0]).toMatchObject({ lastFailure: { jobId: 'first', reason } });
  await watch.criticalFailed('payments', 'charge', { jobId: 'second', reason });
  const inspector = new RqInspector(engine.store);
  await eventually(async () => (await inspector.alerts())[0]?.value === 2, {
    what: 'two failures',
  });
  expect(await inspector.alerts()).toMatchObject([
    {
      lastFailure: { jobId: 'second' },
      sentence: expect.stringContaining('(the last: job second'),
    },
  ]);
  expect(texts([heard])).toHaveLength(1);
  // Five minutes later.
  await engine.client.hset('rq:nrq:alerts:critical', 'last\npayments\ncharge', 1);
  await eventually(() => texts([heard]).length === 2, { what: 'the end' });
  expect(await engine.client.exists('rq:nrq:alerts:critical')).toBe(0);
});
