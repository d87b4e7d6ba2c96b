// What each command prints, word for word, of data that strangers have written: the same at a terminal and in a pipe, but
// for our own colours. `npx jest -u` writes the transcripts anew.
import { stripVTControlCharacters } from 'node:util';
import { RqInspector } from '../../lib/observe/index.js';
import { Engine } from '../integration/support/engine.js';
import { eventually } from '../support/wait.js';
import { type Run, type RunOptions, commandLine } from './support/command-line.js';

const engine = Engine.forThisFile();
const HOSTILE = 'evil\u001B[35m\u009B2J\u0007\u202E\r\nforged';

async function run(words: readonly string[], options: RunOptions = {}): Promise<Run> {
  const env = { RQ_REDIS_URL: engine.redis.url };
  return commandLine(words, { ...options, env: { ...env, ...options.env } });
}

/** Failed jobs, waiting ones, a schedule, a dead worker, an alert, an audit: all with hostile words where they may be. */
async function scene(): Promise<void> {
  const { client } = engine;
  const mail = engine.queue('mail');
  const worker = await engine.work(
    [
      { name: 'boom', queue: 'mail', run: () => Promise.reject(new RangeError(HOSTILE)) },
      { name: 'fine', queue: 'mail', run: () => ({ text: HOSTILE }) },
    ],
    { name: 'w1' },
  );
  await mail.enqueue('boom', { text: HOSTILE }, { id: 'failed-1', description: HOSTILE });
  await mail.enqueueMany([{ name: 'fine' }, { name: 'fine' }]);
  await worker.events.waitFor('jobFailed');
  await worker.events.waitFor('jobFinished', 2);
  await worker.stop();
  await mail.enqueue('fine', { text: HOSTILE }, { id: 'waiting-1' });
  await mail.enqueueIn(3600, 'fine', {}, { id: 'later-1' });
  await mail.schedule('daily', { cron: '0 6 * * *' }, 'fine', { text: HOSTILE });
  await client.hset('rq:worker:dead', {
    queues: HOSTILE,
    state: HOSTILE,
    hostname: HOSTILE,
    version: HOSTILE,
    nrq_version: HOSTILE,
    last_heartbeat: '2026-01-01T00:00:00Z',
    nrq_running: JSON.stringify([[HOSTILE, HOSTILE, HOSTILE, 1]]),
  });
  await client.sadd('rq:workers', 'rq:worker:dead');
  const alert = { rule: 'workers', queue: HOSTILE, state: 'firing' };
  const times = { severity: 'critical', value: 1, limit: 0, since: Date.now(), at: Date.now() };
  await client.hset(
    'rq:nrq:alerts',
    `${HOSTILE} workers`,
    JSON.stringify({ ...alert, ...times, calm: 0 }),
  );
  const { audit } = new RqInspector(engine.store).desk;
  await audit.add({
    who: HOSTILE,
    action: 'delete',
    result: 'failed',
    what: HOSTILE,
    why: HOSTILE,
  });
}

/** What differs from run to run is made alike. */
function golden({ code, out, err }: Run): string {
  const text = (out + (err === '' ? '' : `--- stderr\n${err}`))
    .replace(/redis \S+ · [\d.]+ [KMG]?B/i, 'redis VERSION · MEMORY')
    .replace(/Redis \d\S*, primary, [\d.]+ [KMG]?B/, 'Redis VERSION, primary, MEMORY')
    .replace(/\d{4}-\d{2}-\d{2}(T| )\d{2}:\d{2}(:[\d.]+Z)?/g, 'DATE')
    .replace(/\d+h\d+m\b|\d+m\d+s|\b\d+d\d+h|\b[\d.]+(ms|s)\b/g, 'TIME')
    .replace(/for \d+ s\b/g, 'for TIME')
    .replace(/\/\S+:\d+:\d+/g, 'PLACE')
    .replace(/^\s+at .*\n/gm, '')
    .replace(/cli:\S+/g, 'cli:USER@HOST')
    .replace(/undo mail [\da-f]+/g, 'undo mail UNDO-ID')
    .replace(/\b[\da-f]{10}\b/g, 'CAUSE')
    .replace(/[▁▂▃▄▅▆▇█]{2,}/g, 'BARS')
    .replace(/[ ]{2,}/g, '  ')
    // What stands at the right begins where the longest does.
    .replace(/^ +/gm, '')
    // Attempts of the minutes before this one.
    .replace(/ {2}[\d.]+ {2}(\d+%|–) {2}(TIME|–) {2}none/g, '  RATE  $1  $2  none');
  return `${text}--- exit code ${code}`;
}

/** In their order: what one does, the next may show. `undo` wants what the delete has said. */
const COMMANDS = [
  'info',
  'jobs',
  'jobs mail --in failed',
  'jobs mail --in scheduled',
  'job failed-1',
  'job waiting-1',
  'job nobody',
  'workers',
  'workers --runs',
  'failures',
  'history mail --by-job',
  'schedules',
  'schedules --pause daily',
  'alerts --check',
  'doctor',
  'doctor --fix --dry-run',
  'requeue mail --all --dry-run',
  'requeue mail --all --yes',
  'cancel mail waiting-1 --yes',
  'delete mail waiting-1 --yes --for-good',
  'promote mail --all --yes',
  'pause mail',
  'resume mail',
  'suspend --yes',
  'resume --all',
  'empty mail --dry-run',
  'empty mail --yes',
  'audit --limit 4',
  'nonsense',
] as const;

it('each command prints the same in a pipe and at a terminal, but for our colours', async () => {
  const piped = await transcript({});
  await engine.stopWorkers();
  await engine.client.flushall();
  const typed = await transcript({ typed: '' });
  expect(piped).toMatchSnapshot();
  expect(typed).toBe(piped);
}, 240_000);

async function transcript(options: RunOptions): Promise<string> {
  await scene();
  const parts: string[] = [];
  for (const words of COMMANDS) {
    const shown = stripColours(await run(words.split(' '), options));
    expect([words, foreign(shown)]).toEqual([words, null]);
    parts.push(`$ nestjs-rq ${words}\n${golden(shown)}`);
  }
  return `\n${parts.join('\n\n')}\n`;
}

it.each(COMMANDS.slice(0, 15))(
  '%s --json has one value a line, and nothing to obey',
  async (words) => {
    await scene();
    const { out, err } = await run([...words.split(' '), '--json']);
    expect(foreign({ code: 0, out, err })).toBeNull();
    for (const line of out.split('\n').filter((text) => text !== '')) JSON.parse(line);
  },
);

it('events, enqueue and metrics, at a terminal', async () => {
  await scene();
  await engine.work([
    { name: 'boom', queue: 'mail', run: () => Promise.reject(new RangeError(HOSTILE)) },
  ]);
  const telling = run(['events', 'mail', '--type', 'failed', '--limit', '1'], { typed: '' });
  const isListened = async () => {
    const reply = await engine.client.call('PUBSUB', 'NUMSUB', 'rq:nrq:events:mail');
    return Number((reply as unknown[])[1]) > 0;
  };
  await eventually(isListened, { what: 'somebody who listens' });
  // Workers know a moment later.
  const timer = setInterval(() => void run(['enqueue', 'mail', 'boom', '{}']), 200);
  const told = await telling.finally(() => clearInterval(timer));
  expect(foreign(stripColours(told))).toBeNull();
  expect(stripVTControlCharacters(told.out)).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} {2}failed {5}mail {2}boom {2}\S+ {2}#1 {2}RangeError: evil/,
  );
  await engine.client.sadd('rq:queues', `rq:queue:${HOSTILE}`);
  const metrics = await run(['metrics'], { typed: '' });
  expect(metrics.out).toContain('rq_jobs{queue="evil');
  expect(foreign(stripColours(metrics))).toBeNull();
  const enqueued = await run(['enqueue', 'mail', 'boom', '{"a":1}', '--id', 'mine'], { typed: '' });
  expect(enqueued).toEqual({ code: 0, out: 'Enqueued as mine.\n', err: '' });
});

/** Our own colours alone: what else a terminal obeys stays and is found. */
function stripColours({ code, out, err }: Run): Run {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const plain = (text: string) => text.replace(/\u001B\[(1|2|22|31|32|33|36|39)m/g, '');
  const progress = plain(err).replaceAll('\r\u001B[K', '');
  return { code, out: plain(out), err: progress.replace(/\r\d+ of \d+ /g, '') };
}

function foreign({ out, err }: Run): string | null {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const found = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]|^forged/m.exec(out + err);
  return found && JSON.stringify(found[0]);
}
