// Where the time goes: `node bench/profile.mjs [--side bullmq] [--jobs 100000] [--keep]` processes no-op jobs at
// concurrency 100 in a process under `--cpu-prof`, and prints the client's dearest functions, the server's commands per
// job, and every command that took 5 ms or more.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Child } from './harness/children.mjs';
import { fill } from './harness/filling.mjs';
import { commandStatistics, info, startRedis } from './harness/redis-server.mjs';

const QUEUE = 'profile';
const FUNCTIONS = 15;
const SLOW_MICROSECONDS = 5000;

const { values } = parseArgs({
  options: {
    side: { type: 'string', default: 'nestjs-rq' },
    jobs: { type: 'string', default: '100000' },
    keep: { type: 'boolean', default: false },
  },
});
const jobs = Number(values.jobs);
const adapter = await import(`./adapters/${values.side}.mjs`);
const folder = await mkdtemp(join(tmpdir(), 'nestjs-rq-profile-'));
const redis = await startRedis();
try {
  const producer = await adapter.openProducer({
    port: redis.port,
    queue: QUEUE,
    keep: values.keep,
  });
  await fill(producer, jobs);
  await producer.close();
  const measured = await consume();
  printHead(measured);
  printFunctions(await readProfile(), measured);
  printCommands(measured);
  printSlow(measured);
} finally {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

async function consume() {
  const { client, port } = redis;
  const options = { queues: [QUEUE], concurrency: 100, keep: values.keep, port };
  const worker = Child.start(
    'harness/worker-process.mjs',
    [adapter.name, JSON.stringify(options)],
    ['--cpu-prof', '--cpu-prof-dir', folder],
  );
  await worker.ask({ request: 'prepare' });
  await client.config('RESETSTAT');
  await client.config('SET', 'slowlog-log-slower-than', SLOW_MICROSECONDS, 'slowlog-max-len', 1000);
  await client.slowlog('RESET');
  const cpuBefore = await serverSeconds();
  const begin = microseconds();
  await worker.ask({ request: 'start' });
  for (;;) {
    const { waiting, running } = await adapter.census(client, QUEUE);
    if (waiting + running === 0) break;
    await sleep(20);
  }
  const end = microseconds();
  const serverCpu = (await serverSeconds()) - cpuBefore;
  const commands = await commandStatistics(client, ['info', 'config|set', 'slowlog|reset']);
  const slow = await client.slowlog('GET', 1000);
  await worker.ask({ request: 'stop' });
  await worker.end();
  return { begin, end, seconds: (end - begin) / 1e6, serverCpu, commands, slow };
}

/** On the clock of the machine, which profiles use, too. */
function microseconds() {
  return Number(process.hrtime.bigint()) / 1000;
}

async function serverSeconds() {
  const { used_cpu_user: user, used_cpu_sys: system } = await info(redis.client, 'cpu');
  return Number(user) + Number(system);
}

function printHead({ seconds, serverCpu }) {
  console.log(
    `${adapter.name}: ${jobs} jobs, concurrency 100, result ${values.keep ? 'kept' : 'deleted'}, under the profiler: ` +
      `${Math.round(jobs / seconds)} jobs/s; server busy ${((serverCpu / seconds) * 100).toFixed(0)} % of one core\n`,
  );
}

/** Self time per function over the main thread's profile. */
async function readProfile() {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'));
  const profiles = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8'))),
  );
  // Helper threads write profiles of their own; the main thread's has the most nodes.
  return profiles.reduce((most, profile) =>
    profile.nodes.length > most.nodes.length ? profile : most,
  );
}

/** Only what was sampled while jobs ran: loading the modules is no part of it. */
function printFunctions({ nodes, samples, timeDeltas, startTime }, { begin, end }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, place(callFrame)]));
  const self = new Map();
  let time = startTime;
  samples.forEach((id, index) => {
    time += timeDeltas[index];
    if (time < begin || time > end) return;
    const name = names.get(id);
    self.set(name, (self.get(name) ?? 0) + timeDeltas[index]);
  });
  const idle = self.get('(idle)') ?? 0;
  self.delete('(idle)');
  const busy = [...self.values()].reduce((sum, time) => sum + time, 0);
  console.log(
    `Client, self time (busy ${(busy / 1e6).toFixed(2)} s, idle ${(idle / 1e6).toFixed(2)} s):`,
  );
  const dearest = [...self].sort(([, a], [, b]) => b - a).slice(0, FUNCTIONS);
  for (const [name, spent] of dearest) {
    const share = `${((spent / busy) * 100).toFixed(1)} %`;
    console.log(`  ${share.padStart(7)}  ${(spent / jobs).toFixed(2).padStart(6)} µs/job  ${name}`);
  }
}

function place({ functionName, url, lineNumber }) {
  const name = functionName || 'anonymous';
  return url ? `${name}  ${basename(url)}:${lineNumber + 1}` : name;
}

function printCommands({ commands }) {
  console.log('\nServer, commands (those inside scripts are part of evalsha):');
  const own = commands.filter(({ command }) => !command.startsWith('slowlog'));
  for (const { command, calls, microseconds } of own.sort((a, b) => b.calls - a.calls)) {
    console.log(
      `  ${(calls / jobs).toFixed(3).padStart(8)} per job  ${(microseconds / jobs).toFixed(2).padStart(6)} µs/job  ` +
        `${(microseconds / calls).toFixed(1).padStart(8)} µs/call  ${command}`,
    );
  }
}

function printSlow({ slow }) {
  console.log(
    `\nServer, commands of ${SLOW_MICROSECONDS / 1000} ms or more: ${slow.length || 'none'}`,
  );
  const slowest = slow.sort(([, , a], [, , b]) => b - a).slice(0, 10);
  for (const [, , microseconds, [command, argument]] of slowest) {
    console.log(`  ${(microseconds / 1000).toFixed(1)} ms  ${command} ${argument}`);
  }
}
