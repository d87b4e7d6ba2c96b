// The command line: what each command shows and does, its exit codes, what it asks, and what it never prints.
import { readFileSync } from 'node:fs';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Engine } from '../integration/support/engine.js';
import { deferred, eventually } from '../support/wait.js';
import { type RunOptions, commandLine } from './support/command-line.js';

const engine = Engine.forThisFile();

const rq = (words: string, options: RunOptions = {}) =>
  commandLine(words.split(' '), { env: { RQ_REDIS_URL: engine.redis.url }, ...options });
const values = (text: string) =>
  text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function failedJobs(count: number): Promise<string[]> {
  let number = 0;
  const worker = await engine.work({
    boom: () => Promise.reject(new RangeError(`no answer from ${(number += 1)}`)),
  });
  const jobs = Array.from({ length: count }, () => ({ name: 'boom', data: { card: 4242 } }));
  const handles = await engine.queue().enqueueMany(jobs);
  await worker.events.waitFor('jobFailed', count);
  await worker.stop();
  return handles.map(({ id }) => id);
}

describe('info', () => {
  it('shows queues, workers and troubles, for people and for programs', async () => {
    await engine.queue('mail').enqueue('send');
    const { out, code } = await rq('info');
    expect(code).toBe(0);
    expect(out).toMatch(/^redis \d+\.\d+/);
    expect(out).toContain('! mail: 1 job waits, and no worker serves it');
    expect(out).toMatch(/^QUEUE +WAIT +OLDEST/m);
    expect(out).toMatch(/^mail +1 .* none /m);
    const [json] = values((await rq('info --json')).out);
    expect(json).toMatchObject({
      queues: [{ queue: 'mail', queued: 1, workers: 0, lastHour: { attempts: 0 } }],
      troubles: [{ code: 'no-worker' }],
      server: { role: 'master' },
    });
    expect((await rq('info --check')).code).toBe(1);
    expect((await rq('info mial')).err).toBe('There is no queue "mial": did you mean "mail"?\n');
    expect((await rq('info mial')).code).toBe(5);
  });

  it('goes on until it is told to end', async () => {
    const stop = new AbortController();
    const running = rq('info --watch --interval 0.5 --json', { signal: stop.signal });
    await eventually(() => engine.client.exists('rq:nrq:viewed'), { what: 'a live look' });
    stop.abort();
    expect((await running).code).toBe(0);
  });

  it('says so when there is nothing', async () => {
    expect((await rq('info')).out).toContain('No queues');
  });
});

describe('jobs', () => {
  it('lists and searches, as a table or as JSON', async () => {
    const [id = ''] = await failedJobs(3);
    await engine.queue().enqueueMany(Array.from({ length: 60 }, () => ({ name: 'later' })));
    const { out } = await rq('jobs jobs --in failed --error RangeError --since 1h');
    expect(out).toContain(id);
    expect(out).toMatch(/RangeError: no answer from 3/);
    expect(values((await rq('jobs --status failed --json')).out)).toHaveLength(3);
    const cut = await rq('jobs jobs');
    expect(cut.out.trim().split('\n')).toHaveLength(51);
    expect(cut.err).toContain('The first 50 are shown');
    const searched = await rq('jobs jobs --name nobody --budget 10 --json');
    expect(searched).toMatchObject({
      out: '',
      err: 'Searched 10 of 60 entries: --budget searches more.\n',
    });
    expect(values((await rq('jobs jobs --limit 2 --json')).out)).toHaveLength(2);
    expect((await rq('jobs jobs --in canceled')).err).toBe('There are none.\n');
  });

  it.each([
    ['jobs jobs --in nowhere', 'in'],
    ['jobs jobs --since yesterday', '--since'],
    ['jobs jobs --limit x', '--limit'],
    ['jobs jobs --cause zz', 'cause'],
    ['jobs --nothing', '--nothing'],
    ['nonsense', 'nonsense'],
  ])('refuses %s with exit code 2', async (words, what) => {
    await engine.queue().enqueue('x');
    const { code, err, out } = await rq(words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(what);
  });
});

describe('job', () => {
  it('shows all of it, and its data only if they may be seen', async () => {
    const [id = ''] = await failedJobs(1);
    const { out } = await rq(`job ${id}`);
    expect(out).toContain('boom');
    expect(out).toContain('RangeError: no answer from 1');
    expect(out).toContain('{"card":4242}');
    expect((await rq(`job ${id} --no-data`)).out).not.toContain('4242');
    expect((await rq(`job ${id} --no-data --json`)).out).not.toContain('4242');
    expect(values((await rq(`job ${id} --json`)).out)).toMatchObject([
      { id, status: 'failed', data: { card: 4242 }, attempts: [{ outcome: 'failed' }], log: [] },
    ]);
    expect(await rq('job nobody')).toMatchObject({ code: 5, out: '' });
  });

  it('is shown when only Python can read it', async () => {
    await engine.client.hset(
      'rq:job:p',
      'data',
      Buffer.from([0x80, 0x04]),
      'status',
      'queued',
      'origin',
      'jobs',
    );
    const { out, code } = await rq('job p');
    expect(code).toBe(0);
    expect(out).toContain('(pickle)');
  });

  it('is stopped', async () => {
    const gate = deferred();
    const worker = await engine.work({ slow: () => gate.promise });
    const { id } = await engine.queue().enqueue('slow');
    await worker.events.waitFor('jobStarted');
    expect((await rq(`stop ${id}`)).out).toBe('Its worker is told.\n');
    await worker.events.waitFor('jobCanceled');
    gate.resolve();
    const queued = await engine.queue('other').enqueue('slow');
    expect((await rq(`stop ${queued.id}`)).code).toBe(5);
  });
});

describe('what is done to many jobs', () => {
  it('is tried, asked for, and done', async () => {
    await failedJobs(4);
    const queue = engine.queue();
    const [{ cause } = { cause: '' }] = values((await rq('failures --json')).out);
    expect(await rq('requeue jobs --all --dry-run')).toMatchObject({
      code: 0,
      out: 'It would be 4 jobs.\n',
    });
    const unasked = await rq('requeue jobs --all');
    expect(unasked).toMatchObject({ code: 2, out: '' });
    expect(unasked.err).toContain('--yes');
    const refused = await rq('requeue jobs --all', { typed: 'n\n' });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('Requeue 4 jobs of jobs? [y/N]');
    expect((await queue.counts()).failed).toBe(4);
    const done = await rq(`requeue jobs --cause ${String(cause)} --limit 3 --rate 1000/s`, {
      typed: 'y\n',
    });
    expect(stripVTControlCharacters(done.out)).toBe('3 jobs requeued.\n');
    expect(await queue.counts()).toMatchObject({ failed: 1, queued: 3 });
    expect(values((await rq('cancel jobs --in queued --all --yes --json')).out)).toMatchObject([
      { done: 3 },
    ]);
    expect((await rq('delete jobs --in canceled --all --yes')).out).toBe('3 jobs deleted.\n');
    expect((await rq('delete jobs --in canceled --all --yes')).out).toBe(
      'There are no such jobs.\n',
    );
    await queue.enqueueIn(600, 'boom', 1, { id: 'later' });
    expect((await rq('promote jobs later --yes')).out).toBe('1 job put into the queue.\n');
    expect((await rq('empty jobs --yes')).out).toBe('1 job deleted.\n');
    expect((await rq('empty jobs --yes')).out).toBe('No job waits.\n');
    expect((await rq('delete jobs nobody --yes')).code).toBe(5);
  });

  it.each([
    'requeue jobs',
    'cancel jobs',
    'cancel jobs --in failed --all --yes',
    'delete jobs id --all --yes',
    'requeue jobs --all --yes --rate fast',
    'requeue jobs --all --yes --retries many',
  ])('is not begun when it is not clear what is meant: %s', async (words) => {
    await failedJobs(1);
    expect((await rq(words)).code).toBe(2);
    expect((await engine.queue().counts()).failed).toBe(1);
  });

  it('can be a pause', async () => {
    await engine.queue().enqueue('x');
    await engine.queue('mail').enqueue('x');
    expect((await rq('pause jobs mail')).out).toBe('jobs is paused now.\nmail is paused now.\n');
    expect(await engine.queue('mail').isPaused()).toBe(true);
    expect((await rq('pause jobs')).out).toBe('jobs was paused already.\n');
    expect(values((await rq('resume jobs --json')).out)).toEqual([
      { queue: 'jobs', paused: false, wasPaused: true },
    ]);
    expect(await engine.queue().isPaused()).toBe(false);
  });
});

describe('a queue that is not there', () => {
  it.each([
    'info mial',
    'jobs mial',
    'failures mial',
    'history mial',
    'requeue mial --all --yes',
    'cancel mial --in queued --all --yes',
    'delete mial --in queued --all --yes',
    'promote mial --all --yes',
    'undo mial some-id',
    'empty mial --yes',
    'pause mail mial',
    'resume mail mial',
    'enqueue mial send',
    'schedules mial',
    'schedules mial --run nobody',
    'events mial',
    'doctor mial',
  ])('is named with the one that is meant, and nothing is done: %s', async (words) => {
    await engine.queue('mail').enqueue('send');
    const { code, out, err } = await rq(words);
    expect({ code, out }).toEqual({ code: 5, out: '' });
    expect(err).toMatch(/^There is no queue "mial": did you mean "mail"\?/);
    expect(await engine.queue('mail').isPaused()).toBe(false);
    expect(await engine.queue('mail').count()).toBe(1);
    expect(await engine.client.exists('rq:queue:mial')).toBe(0);
  });

  it('may be a new one where somebody says so', async () => {
    await engine.queue('mail').enqueue('send');
    expect((await rq('enqueue nightly send')).err).toBe(
      'There is no queue "nightly"; there are mail. For a new queue: --new-queue.\n',
    );
    expect(await rq('pause other --new-queue')).toMatchObject({ code: 0 });
    // It is known by that.
    expect((await rq('resume other')).out).toBe('other is not paused now.\n');
    expect(await rq('enqueue nightly send --new-queue')).toMatchObject({ code: 0 });
    expect(await rq('enqueue nightly send')).toMatchObject({ code: 0 });
    expect(await engine.queue('nightly').count()).toBe(2);
  });

  it('is not looked for by whoever may only enqueue', async () => {
    const { client } = engine;
    await engine.queue('mail').enqueue('send');
    await client.call('ACL', 'SETUSER', 'maker', 'on', '>s', '~*', '&*', '+@all', '-smembers');
    try {
      const url = engine.redis.url.replace('redis://', 'redis://maker:s@');
      const env = { RQ_REDIS_URL: url };
      expect(await rq('enqueue mail send', { env })).toMatchObject({ code: 0 });
      expect(await rq('info mail', { env })).toMatchObject({ code: 4 });
    } finally {
      await client.call('ACL', 'DELUSER', 'maker');
    }
  });
});

describe('workers, failures and history', () => {
  it('show who is there and what became of jobs', async () => {
    const gate = deferred();
    const worker = await engine.work(
      { slow: () => gate.promise, ok: () => 1 },
      { name: 'w1', concurrency: 3 },
    );
    const { id } = await engine.queue().enqueue('slow');
    await engine.queue().enqueue('ok');
    await worker.events.waitFor('jobFinished');
    await eventually(async () => (await rq('workers --runs')).out.includes(id), {
      what: 'the run to show',
    });
    // Its next sign of life may tell of both jobs still.
    await eventually(async () => /^w1 +jobs +busy +1\/3 /m.test((await rq('workers')).out), {
      what: 'one of three slots to be in use',
      timeout: 20_000,
    });
    expect(values((await rq('workers --json')).out)).toMatchObject([
      { name: 'w1', slots: 3, busy: 1 },
    ]);
    gate.resolve();
    await worker.events.waitFor('jobFinished', 2);
    await worker.stop();
    expect((await rq('history jobs')).out).toContain('in all 2 attempts, 0 failed for good');
    expect((await rq('history jobs --last 30d --by-job')).out).toMatch(/^ok +1 /m);
    expect(values((await rq('history jobs --json')).out)).toMatchObject([
      { total: { finished: 2 } },
    ]);
    expect((await rq('history jobs --last 1y')).code).toBe(2);
    await failedJobs(2);
    expect((await rq('failures jobs')).out).toMatch(
      /^[\da-f]{10} +2 +jobs +boom .*RangeError: no answer from #$/m,
    );
    expect((await rq('workers')).err).toBe('No worker shows itself.\n');
  });
});

describe('what is never printed', () => {
  const hostile = 'x\u001B[31m\u009B2J\u0007\u202Eevil\r\nforged';

  it('what a terminal obeys, whoever wrote it', async () => {
    const { id } = await engine
      .queue()
      .enqueue('boom', { text: hostile }, { description: hostile });
    await engine.client.hset(`rq:job:${id}`, 'worker_name', hostile, 'nrq_reason', hostile);
    await engine.client.sadd('rq:queues', `rq:queue:${hostile}`);
    await engine.client.sadd('rq:workers', `rq:worker:${hostile}`);
    await engine.client.hset(
      `rq:worker:${hostile}`,
      'queues',
      hostile,
      'state',
      hostile,
      'version',
      hostile,
    );
    const running = JSON.stringify([[hostile, hostile, hostile, 1]]);
    await engine.client.hset(`rq:worker:${hostile}`, 'nrq_running', running, 'hostname', hostile);
    await engine.client.rpush('rq:queue:jobs', hostile);
    for (const words of [
      'info',
      'jobs',
      'jobs jobs',
      `job ${id}`,
      'workers',
      'workers --runs',
      'failures',
    ]) {
      for (const flag of ['', ' --json']) {
        const { out, err, code } = await rq(words + flag);
        expect([words, code]).toEqual([words, 0]);
        // oxlint-disable-next-line no-control-regex -- they are what is looked for
        expect([words, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/.exec(out + err)]).toEqual([
          words,
          null,
        ]);
        expect(out).not.toMatch(/^forged/m);
      }
    }
    const { out, err } = await commandLine(['jobs', hostile], {
      env: { RQ_REDIS_URL: engine.redis.url },
    });
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(out + err).not.toMatch(/[\u001B\u009B\u202E]/);
  });

  it('a colour where nobody sees it', async () => {
    await engine.queue('mail').enqueue('send');
    expect((await rq('info')).out).not.toContain('\u001B');
    expect((await rq('info', { typed: '' })).out).toContain('\u001B[');
    const env = { RQ_REDIS_URL: engine.redis.url, NO_COLOR: '1' };
    expect((await rq('info', { typed: '', env })).out).not.toContain('\u001B');
  });

  it('the secrets of a URL', async () => {
    const url = 'redis://user:geheim@127.0.0.1:1';
    const given = await commandLine(['info', '--url', url, '--timeout', '0.5']);
    expect(given.code).toBe(3);
    expect(given.out + given.err).not.toContain('geheim');
    expect(given.err).toContain('RQ_REDIS_URL');
    const wrong = await commandLine(['info', '--url', 'htp://user:geheim@x']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).not.toContain('geheim');
  });
});

describe('the connection', () => {
  it('may have its password in a file, and says when Redis does not let it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rq-cli-'));
    try {
      const file = join(folder, 'password');
      await writeFile(file, 'pw\n');
      await engine.client.call(
        'ACL',
        'SETUSER',
        'ops',
        'reset',
        'on',
        '>pw',
        '~*',
        '&*',
        '+@all',
        '-set',
      );
      const url = engine.redis.url.replace('redis://', 'redis://ops@');
      const words = ['--url', url, '--timeout', '10', '--password-file', file];
      expect((await commandLine(['info', ...words])).code).toBe(0);
      expect((await commandLine(['pause', 'jobs', '--new-queue', ...words])).code).toBe(4);
      await writeFile(file, 'wrong');
      expect((await commandLine(['info', ...words])).code).toBe(4);
      expect(
        (await commandLine(['info', '--url', url, '--password-file', join(folder, 'no')])).code,
      ).toBe(2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is not made for help', async () => {
    const { code, out } = await commandLine(['--help']);
    expect(code).toBe(0);
    const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
    const commands = [...out.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    expect(commands.length).toBeGreaterThan(10);
    for (const name of commands.filter((one) => one !== 'help'))
      expect(page).toContain(`\`${name}`);
  });
});
