// A worker process for tests that break things. Its one handler, `act`, does what the job's data says, and everything
// that happens goes into the journal. It ends by itself after `{ stop: true }`, or something was left open.
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
// The engine alone, without Nest (see test/support/bundled-script.ts).
import { CancelJob, SnoozeJob } from '../../dist/job/index.js';
import { Queue } from '../../dist/queue/index.js';
import { Connections } from '../../dist/redis/index.js';
import { RedisJobStore } from '../../dist/store/index.js';
import { HandlerRegistry, Worker } from '../../dist/worker/index.js';

const { url, journal, label, queues, connection, handler, options } = JSON.parse(
  process.env.ACTING_WORKER,
);

const RealDate = Date;

function note(event, details) {
  const entry = { at: RealDate.now(), worker: label, event, ...details };
  appendFileSync(journal, `${JSON.stringify(entry)}\n`);
}

process.on('unhandledRejection', (reason) => {
  note('rejection', { message: reason instanceof Error ? reason.stack : String(reason) });
  process.exit(70);
});

/** By the id of a job, or `all`: that it may go on. */
const words = new Map();
function wordFor(whom) {
  let word = words.get(whom);
  if (!word) {
    word = {};
    word.said = new Promise((resolve) => (word.say = resolve));
    words.set(whom, word);
  }
  return word;
}

const clock = new Int32Array(new SharedArrayBuffer(4));

async function act(data, job) {
  const { id, attempt, retriesLeft } = job;
  note('run', { id, attempt, retriesLeft, value: data.value });
  if (data.updates) await job.update(data.updates);
  if (data.dies) process.kill(process.pid, 'SIGKILL');
  let aborted;
  if (data.waits || data.blocks || data.blocksUntil) {
    aborted = new Promise((resolve) =>
      job.signal.addEventListener('abort', () => {
        note('aborted', { id, attempt, reason: job.signal.reason.name });
        resolve();
      }),
    );
  }
  // Blocks the event loop without burning the processor.
  if (data.blocks) Atomics.wait(clock, 0, 0, data.blocks);
  while (data.blocksUntil && !existsSync(data.blocksUntil)) Atomics.wait(clock, 0, 0, 5);
  if (data.takes) await pause(data.takes);
  if (data.waits || data.holds) {
    const told = [wordFor('all').said, wordFor(id).said];
    await Promise.race(data.holds ? told : [...told, aborted]);
  }
  const fails = attempt <= (data.fails ?? 0);
  note('end', { id, attempt, how: fails ? 'threw' : 'returned' });
  if (data.snoozesOn === label) throw new SnoozeJob({ for: 0.2 });
  if (data.cancels) throw new CancelJob('declared');
  if (fails) throw new Error(`declared failure of attempt ${attempt}`);
  return { worker: label, attempt };
}

const connections = new Connections(url, connection);
await connections.connect();
const handlers = new HandlerRegistry();
for (const queue of queues) {
  handlers.register({ queue, name: 'act', owner: 'test', run: act, ...handler });
}
const of = ({ jobId: id, attempt }) => ({ id, attempt });
const worker = new Worker(new RedisJobStore(connections), handlers, options, {
  jobFinished: (event) => note('finished', of(event)),
  jobRetrying: (event) => note('retrying', { ...of(event), delay: event.delay }),
  jobFailed: (event) => note('failed', { ...of(event), reason: event.why }),
  jobSnoozed: (event) => note('returned', { ...of(event), reason: event.reason }),
  jobReleased: (event) => note('returned', { ...of(event), reason: event.reason }),
  jobCanceled: (event) => note('canceled', { ...of(event), reason: event.reason }),
  jobLost: (event) => note('lost', of(event)),
  jobRecovered: (event) =>
    note(event.outcome === 'failed' ? 'poisoned' : 'requeued', { id: event.jobId }),
  jobDropped: (event) => note('dropped', { id: event.jobId, reason: event.reason }),
  problem: (event) => note('problem', { message: `${event.message}: ${event.error?.message}` }),
  problemSolved: (event) => note('problemSolved', { message: event.message }),
});

/** Calls that come one after the other, as requests do, while Redis is down. */
async function enqueueInVain(count) {
  const queue = new Queue('in-vain', new RedisJobStore(connections));
  const calls = [];
  for (let call = 0; call < count; call++) {
    calls.push(
      queue.enqueue('act', {}).then(
        () => 'enqueued',
        (error) => error.name,
      ),
    );
    await pause(1);
  }
  process.send({ rejected: await Promise.all(calls) });
}

/** Commands and answers keep their order on a link. */
async function askRedis(asked) {
  await connections.run('reach Redis', (redis) => redis.ping());
  process.send({ asked });
}

async function stop() {
  await worker.stop();
  note('stopped');
  await connections.close();
  note('closed');
  process.disconnect();
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** As when the machine's clock is set: what measures time otherwise goes on. */
function shiftClock(milliseconds) {
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length === 0 ? [RealDate.now() + milliseconds] : given));
    }
    static now() {
      return RealDate.now() + milliseconds;
    }
  };
}

process.on('message', (message) => {
  if (message.clock !== undefined) shiftClock(message.clock);
  if (message.go) wordFor(message.go).say();
  if (message.stop) void stop();
  if (message.ask) void askRedis(message.ask);
  if (message.enqueue) void enqueueInVain(message.enqueue);
  if (message.measure) {
    collectGarbage();
    const resources = {};
    for (const kind of process.getActiveResourcesInfo())
      resources[kind] = (resources[kind] ?? 0) + 1;
    process.send({ measured: message.measure, heap: process.memoryUsage().heapUsed, resources });
  }
});

await worker.start();
process.send({ ready: true });
