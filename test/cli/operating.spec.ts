// The command line for those on duty: what is wrong, who is to be told, what was deleted by mistake; golden transcripts.
import { Engine } from '../integration/support/engine.js';
import { eventually } from '../support/wait.js';
import { type RunOptions, commandLine } from './support/command-line.js';

const engine = Engine.forThisFile();

const rq = (words: readonly string[] | string, options: RunOptions = {}) =>
  commandLine(typeof words === 'string' ? words.split(' ') : words, {
    ...options,
    env: { RQ_REDIS_URL: engine.redis.url, ...options.env },
  });
const values = (text: string) =>
  text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** What differs from run to run is made alike. */
const golden = (text: string) =>
  text
    .replace(/Redis \d\S*, primary, [\d.]+ [KMG]B/, 'Redis VERSION, primary, MEMORY')
    .replace(/nestjs-rq \d+\.\d+\S*/g, 'nestjs-rq VERSION')
    .replace(/\d+(\.\d+)?(ms|s) ago/g, 'NOW');

const HOSTILE = 'evil\u001B[2J\u001B]0;title\u0007\u202Ename';

async function firing(queue = 'mail'): Promise<void> {
  const now = Date.now();
  const record = { rule: 'workers', queue, state: 'firing', severity: 'critical', value: 0 };
  const times = { limit: 1, since: now, at: now, calm: 0 };
  await engine.client.hset(
    'rq:nrq:alerts',
    `${queue} workers`,
    JSON.stringify({ ...record, ...times }),
  );
}

describe('doctor', () => {
  it('names what is wrong and what helps, in a pipe and at a terminal', async () => {
    await engine.queue('mail').enqueue('send');
    const piped = await rq('doctor');
    expect(piped.code).toBe(1);
    expect(golden(piped.out)).toBe(
      [
        '✓ Redis VERSION, primary, MEMORY',
        '✓ no worker lives',
        '! Redis keeps no log of its writes: when it crashes, jobs since its last save are lost → CONFIG SET appendonly yes',
        '! mail: 1 job waits, and no worker serves it → start a process whose @Job methods serve it, or delete the jobs: nestjs-rq empty mail',
        '2 findings',
        '',
      ].join('\n'),
    );
    const shown = await rq('doctor mail', { typed: '' });
    expect(golden(shown.out)).toContain('\u001B[32m✓ \u001B[39mRedis VERSION, primary, MEMORY');
    expect(shown.out).toContain('\u001B[33m! \u001B[39m\u001B[1mmail\u001B[22m: 1 job waits');
    const plain = await rq('doctor mail', { typed: '', env: { NO_COLOR: '1' } });
    expect(golden(plain.out)).toBe(golden(piped.out));
    expect(values((await rq('doctor --json')).out)).toMatchObject([
      { code: 'no-aof', severity: 'warning' },
      { code: 'no-worker', queue: 'mail' },
    ]);
    expect((await rq('doctor mial')).code).toBe(5);
  });

  it('ends with 0 when nothing is wrong, and with 3 when Redis cannot be reached', async () => {
    await engine.client.config('SET', 'appendonly', 'yes');
    try {
      await engine.work({ send: () => 1 });
      const { code, out } = await rq('doctor');
      expect({ code, out: golden(out) }).toEqual({
        code: 0,
        out: '✓ Redis VERSION, primary, MEMORY\n✓ 1 worker of nestjs-rq VERSION\n✓ Nothing is wrong.\n',
      });
    } finally {
      await engine.client.config('SET', 'appendonly', 'no');
    }
    const away = await rq('doctor --timeout 0.3', { env: { RQ_REDIS_URL: 'redis://127.0.0.1:1' } });
    expect(away.code).toBe(3);
  });

  it('checks the rights of its user, and a hostile name does not reach the terminal', async () => {
    const rights = ['on', '>secret', '~*', '&*', '+@all', '-rename'];
    await engine.client.call('ACL', 'SETUSER', 'small', 'reset', ...rights);
    const url = engine.redis.url.replace('redis://', 'redis://small:secret@');
    const { out, err } = await rq('doctor', { env: { RQ_REDIS_URL: url } });
    expect(out).toContain('✗ its user lacks rights (missing: rename)');
    expect(out + err).not.toContain('secret');
    await engine.client.sadd('rq:queues', `rq:queue:${HOSTILE}`);
    await engine.client.rpush(`rq:queue:${HOSTILE}`, 'x');
    const hostile = await rq('doctor', { typed: '' });
    expect(hostile.out).toContain('evil');
    for (const code of ['\u001B[2J', '\u0007', '\u202E']) expect(hostile.out).not.toContain(code);
  });
});

describe('doctor --fix', () => {
  /** A worker has died with a job, and another with one that it had only popped; somebody else looks after the queue. */
  async function deadWorkers(): Promise<void> {
    const { client } = engine;
    const queue = engine.queue('video');
    await queue.enqueue('encode', {}, { id: 'ran' });
    await queue.enqueue('encode', {}, { id: 'popped' });
    await client.del('rq:queue:video');
    await client.zadd('rq:wip:video', 5, 'ran:1');
    await client.hset('rq:job:ran', 'status', 'started');
    await client.rpush('rq:queue:video:intermediate', 'popped');
    const since = await client.hget('rq:job:popped', 'enqueued_at');
    await client.hset('rq:nrq:popped:video', 'popped', `1000 ${since ?? ''} `);
    await isLookedAfter();
  }

  /** Leases count while somebody was there within nine seconds. */
  async function isLookedAfter(): Promise<void> {
    const [seconds] = await engine.client.time();
    await engine.client.zadd('rq:nrq:alive:video', `${seconds}000`, '15000');
  }

  it('puts back what dead workers have left, when it may', async () => {
    await deadWorkers();
    const queue = engine.queue('video');
    const found = await rq('doctor video');
    expect(found.out).toContain('1 job of dead workers that nobody has recovered → start a worker');
    expect(found.out).toContain('nestjs-rq doctor --fix video');
    const dry = await rq('doctor video --fix --dry-run');
    expect(dry).toMatchObject({ code: 1 });
    expect(dry.out).toContain('It would put jobs of dead workers back into video.');
    expect((await rq('doctor video --fix')).code).toBe(2);
    const refused = await rq('doctor video --fix', { typed: 'n\n' });
    expect(refused.err).toContain('Put jobs of dead workers back into video? [y/N]');
    expect((await queue.counts()).queued).toBe(0);
    await isLookedAfter();
    const fixed = await rq('doctor video --fix', { typed: 'y\n' });
    expect(fixed.out).toContain('video: 2 jobs put back.');
    expect(await queue.counts()).toMatchObject({ queued: 2, started: 0 });
    // A job that was lost to a crash has spent nothing else: its workers decide when it has crashed too often.
    expect(await engine.fields('ran')).toMatchObject({
      status: 'queued',
      nrq_crashes: expect.any(String),
    });
    const again = await rq('doctor video --fix --yes');
    expect(again.err).toContain('nothing that --fix can do');
    expect(again.code).toBe(1);
  });

  it('is the same for programs, and is asked for as a whole', async () => {
    await deadWorkers();
    const { out, code } = await rq('doctor video --fix --yes --json');
    expect(values(out)).toEqual([{ queue: 'video', requeued: 2, left: 0 }]);
    expect(code).toBe(1);
    expect((await rq('doctor --yes')).code).toBe(2);
    expect(values((await rq('audit --json')).out)).toMatchObject([
      { action: 'recover', queue: 'video', result: 'done', count: 2 },
      { action: 'recover', queue: 'video', result: 'begun' },
    ]);
  });
});

describe('what is done', () => {
  it('is in the audit, before and after, with whoever sits there', async () => {
    await engine.queue('mail').enqueue('send', {}, { id: 'a' });
    await rq('pause mail');
    await rq('cancel mail a --yes');
    const entries = values((await rq('audit --json --limit 3')).out);
    expect(entries).toMatchObject([
      { action: 'cancel', queue: 'mail', what: 'a', count: 1, result: 'done' },
      { action: 'cancel', result: 'begun' },
      { action: 'pause', queue: 'mail', result: 'done' },
    ]);
    expect(entries[0]?.['who']).toMatch(/^cli:.+@.+/);
    expect((await rq('audit')).out).toMatch(/^ *WHEN +WHO +ACTION +QUEUE +JOBS +RESULT +WHAT$/m);
  });

  it('may be that nothing runs at all', async () => {
    expect((await rq('suspend')).code).toBe(2);
    expect((await rq('suspend --yes')).out).toContain('No worker takes a job now');
    expect(await engine.client.exists('rq:suspended')).toBe(1);
    expect((await rq('resume')).code).toBe(2);
    expect((await rq('resume --all')).code).toBe(0);
    expect(await engine.client.exists('rq:suspended')).toBe(0);
  });

  it('is done all the same by one who may not write into the audit', async () => {
    const rights = ['on', '>secret', '~*', '&*', '+@all', '-xadd'];
    await engine.client.call('ACL', 'SETUSER', 'quiet', 'reset', ...rights);
    const url = engine.redis.url.replace('redis://', 'redis://quiet:secret@');
    const { code, err } = await rq('pause mail --new-queue', { env: { RQ_REDIS_URL: url } });
    expect({ code, err }).toEqual({ code: 0, err: 'It could not be written into the audit.\n' });
    expect(await engine.queue('mail').isPaused()).toBe(true);
  });
});

describe('failures of retries', () => {
  it('are told apart from those for good, and where most attempts fail, info says so', async () => {
    const worker = await engine.work({
      flaky: {
        run: () => Promise.reject(new RangeError('no answer')),
        retry: { max: 3, interval: 3600 },
      },
    });
    await engine.queue().enqueueMany(Array.from({ length: 12 }, () => ({ name: 'flaky' })));
    await engine.queue().enqueueIn(3600, 'flaky');
    await worker.events.waitFor('jobRetrying', 12);
    await worker.stop();
    expect((await rq('failures')).err).toBe(
      'No job has failed for good; 12 jobs wait for a retry: --retrying shows why.\n',
    );
    expect((await rq('failures jobs --retrying')).out).toMatch(
      /^[\da-f]{10} +12 +jobs +flaky .*RangeError: no answer$/m,
    );
    expect((await rq('failures --name other --retrying')).err).toBe('No job waits for a retry.\n');
    expect((await rq('info')).out).toContain(
      '! jobs: 100% of 12 attempts of the last minutes failed → nestjs-rq failures jobs --retrying',
    );
  });
});

describe('alerts', () => {
  it('shows what goes on, mutes it, and says so when nobody looks', async () => {
    await firing();
    const { out, err, code } = await rq('alerts');
    expect(out).toMatch(/^SEVERITY +SINCE +ALERT +WHAT$/m);
    expect(golden(out)).toMatch(
      /^critical +NOW +mail workers +mail: jobs could run, and no worker serves it$/m,
    );
    expect(err).toContain('No application with nestjs-rq looks for alerts');
    expect(code).toBe(0);
    expect((await rq('alerts --check')).code).toBe(1);
    await rq(['alerts', '--mute', 'mail workers', '--for', '2h']);
    expect(values((await rq('alerts --json')).out)).toMatchObject([
      { id: 'mail workers', state: 'muted' },
    ]);
    await engine.client.set('rq:nrq:alerts:lock', '1:x');
    expect(await rq('alerts --check')).toMatchObject({ code: 0, err: '' });
    expect((await rq('info')).out).not.toContain('alert (critical)');
    await rq(['alerts', '--mute', 'mail workers', '--for', '0']);
    expect((await rq('info')).out).toContain('alert (critical) mail: jobs could run');
  });
});

describe('undo', () => {
  it('gives back what a delete has taken', async () => {
    const job = await engine.queue('mail').enqueue('send');
    await job.cancel();
    const deleted = await rq('delete mail --in canceled --all --yes');
    expect(deleted.out).toBe('1 job deleted.\n');
    const [, id = ''] = /nestjs-rq undo mail ([0-9a-f]+)$/m.exec(deleted.err) ?? [];
    expect(await rq(`undo mail ${id}`)).toMatchObject({ out: '1 job given back.\n', code: 0 });
    expect(await job.status()).toBe('canceled');
    expect((await rq(`undo mail ${id}`)).code).toBe(5);
    expect((await rq('undo mail nonsense')).code).toBe(2);
    const forGood = await rq('delete mail --in canceled --all --yes --for-good --json');
    expect(values(forGood.out)).toEqual([
      { done: 1, skipped: { running: 0, state: 0, duplicate: 0 }, missing: 0, looked: 1 },
    ]);
  });
});

describe('enqueue', () => {
  it('enqueues a job by hand, and shows its result', async () => {
    await engine.work({ double: (data) => (data as { n: number }).n * 2 });
    const { out } = await rq(['enqueue', 'jobs', 'double', '{"n":21}', '--wait', '10s']);
    expect(out).toBe('42\n');
    const later = await rq(['enqueue', 'jobs', 'double', '{"n":1}', '--delay', '1h', '--json']);
    const [{ id = '' } = {}] = values(later.out);
    expect(await engine.queue().job(String(id)).status()).toBe('scheduled');
    expect((await rq(['enqueue', 'jobs', 'double', '{n}'])).err).toContain('must be JSON');
    expect((await rq(['enqueue', 'jobs', 'double', '1', '--at', 'soon'])).code).toBe(2);
    expect((await rq(['enqueue', 'jobs', 'double', '1', '--delay', 'soon'])).code).toBe(2);
  });
});

describe('schedules', () => {
  it('lists them, pauses one and runs it now', async () => {
    const queue = engine.queue('mail');
    await queue.schedule('daily', { cron: '0 6 * * *', tz: 'Europe/Berlin' }, 'digest');
    expect((await rq('schedules')).out).toMatch(
      /^daily +mail +digest +0 6 \* \* \* \(Europe\/Berlin\)/m,
    );
    expect((await rq('schedules --pause daily')).out).toBe('daily is paused now.\n');
    expect(values((await rq('schedules mail --json')).out)).toMatchObject([{ paused: true }]);
    await rq('schedules --resume daily');
    expect((await rq('schedules --run daily')).out).toMatch(/^Enqueued as /);
    expect(await queue.count()).toBe(1);
    expect((await rq('schedules --run nobody')).code).toBe(5);
    expect((await rq('schedules --run a --pause b')).code).toBe(2);
  });
});

describe('events', () => {
  it('tells what becomes of jobs, as it happens', async () => {
    await engine.work({ boom: () => Promise.reject(new RangeError('no')) });
    await engine.queue().enqueue('boom');
    const telling = rq('events jobs --type failed --limit 1 --json');
    await eventually(
      () =>
        engine.client
          .call('PUBSUB', 'NUMSUB', 'rq:nrq:events:jobs')
          .then((reply) => Number((reply as unknown[])[1]) > 0),
      { what: 'somebody who listens' },
    );
    // Workers know a moment later.
    const timer = setInterval(() => void engine.queue().enqueue('boom'), 100);
    const { out, code } = await telling.finally(() => clearInterval(timer));
    expect(code).toBe(0);
    expect(values(out)).toMatchObject([{ type: 'failed', queue: 'jobs', name: 'boom' }]);
  });
});

describe('metrics', () => {
  it('prints them once, or serves them with those of rq-exporter', async () => {
    await engine.queue('mail').enqueue('send');
    await engine.work({ send: () => 1 });
    const once = await rq('metrics');
    expect(once.out).toMatch(/^rq_jobs\{queue="mail",status="queued"\} 1$/m);
    expect(once.out).not.toContain('rq_workers{');
    const stop = new AbortController();
    let port = '';
    const serving = rq('metrics --port 0 --host 127.0.0.1 --compat rq-exporter', {
      signal: stop.signal,
      onError: (text) => (port ||= /at port (\d+)/.exec(text)?.[1] ?? ''),
    });
    await eventually(() => port !== '', { what: 'the server' });
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(text).toMatch(/^rq_workers\{name="[^"]+",state="\w+",queues="jobs"\} 1$/m);
    expect(text).toContain('# TYPE rq_workers_success_total counter');
    expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404);
    stop.abort();
    expect((await serving).code).toBe(0);
    expect((await rq('metrics --compat other')).code).toBe(2);
    expect((await rq('metrics --port x')).code).toBe(2);
  });
});

describe('completion', () => {
  it('has a script for each shell, and knows commands, options and queues', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect((await rq(`completion ${shell}`)).out).toContain('nestjs-rq __complete');
    }
    expect((await rq('completion tcsh')).code).toBe(2);
    expect((await rq(['__complete', '--', 'in'])).out.split('\n')).toContain('info');
    expect((await rq(['__complete', '--', 'requeue', '--'])).out).toContain('--fresh-retries');
    await engine.queue('mail').enqueue('send');
    expect((await rq(['__complete', '--', 'requeue', ''])).out).toBe('mail\n');
  });
});

describe('top', () => {
  it('shows views by their keys, filters, and leaves the terminal as it was', async () => {
    await engine.queue('mail').enqueue('send');
    await engine.queue('pdf').enqueue('print');
    await firing();
    let shown = '';
    const keys: ((key: string) => void)[] = [];
    const running = rq('top', {
      typed: '',
      onOutput: (text) => (shown += text),
      onInput: (type) => keys.push(type),
    });
    const type = (key: string) => keys[0]?.(key);
    await eventually(() => /mail +1 /.test(shown), { what: 'the queues' });
    expect(shown.startsWith('\u001B[?1049h')).toBe(true);
    type('a');
    await eventually(() => shown.includes('jobs could run'), { what: 'the alerts' });
    type('w');
    await eventually(() => shown.includes('WORKER'), { what: 'the workers' });
    type('f');
    await eventually(() => shown.includes('CAUSE'), { what: 'the failures' });
    type('q');
    type('/');
    type('pdf\r');
    await eventually(() => shown.includes('/ pdf'), { what: 'the filter' });
    type('x');
    expect((await running).code).toBe(0);
    expect(shown.endsWith('\u001B[?25h\u001B[?1049l')).toBe(true);
    expect((await rq('top')).code).toBe(2);
  });
});
