// How close the library comes to what its own Lua allows: `exchange.lua` called by a bare loop that decodes no job, runs
// no handler and knows no leases, with two calls under way; and the same work done by the library. A call settles and
// claims 50 jobs (all of concurrency 100 in two calls), or 250, since the library prefetches and so makes larger ones:
// the better of the two is the limit. The arguments are those that the script's head describes.

import { Redis } from 'ioredis';
import { VoidRun } from '../harness/delivery-log.mjs';
import { fill } from '../harness/filling.mjs';
import { processRun } from '../harness/process-run.mjs';
import { pairedRatio } from '../harness/statistics.mjs';

const QUEUE = 'limit';
const CONCURRENCY = 100;
const CALLS_UNDER_WAY = 2;
const BATCHES = [50, 250];
const GOAL = 0.8;

export default {
  name: 'physical-limit',
  title: 'The physical limit: the same Lua without the library, concurrency 100',
  sides: ['nestjs-rq'],
  quickRounds: 1,

  variants(quick) {
    const jobs = quick ? 6_000 : 24_000;
    return [true, false].flatMap((keep) => {
      const fate = keep ? 'kept' : 'deleted';
      const settings = { jobs, concurrency: CONCURRENCY, keep };
      const row = (label) => [
        { measure: 'rate', label: `${label}, result ${fate}`, unit: 'jobs/s' },
      ];
      return [
        ...BATCHES.map((batch) => ({
          key: `raw-${batch}-${fate}`,
          settings: { ...settings, batch },
          rows: row(`Lua alone, ${batch} jobs a call`),
        })),
        { key: `library-${fate}`, settings, rows: row('the library') },
      ];
    });
  },

  run: (side, settings) => (settings.batch ? rawRun(side, settings) : processRun(side, settings)),

  verdicts({ perRound }) {
    return ['kept', 'deleted'].flatMap((fate) => {
      const library = perRound(`library-${fate}`, 'rate');
      const shares = BATCHES.map((batch) =>
        pairedRatio(library, perRound(`raw-${batch}-${fate}`, 'rate')),
      );
      if (!shares.every((share) => share)) return [];
      const share = Math.min(...shares);
      return [
        {
          label: `the library against Lua alone, result ${fate}`,
          value: `${(share * 100).toFixed(0)} %`,
          goal: `≥ ${GOAL * 100} %`,
          met: share >= GOAL,
        },
      ];
    });
  },
};

async function rawRun(side, { keep, batch, ...settings }) {
  const jobs = settings.jobs * side.pace;
  const producer = await side.producer({ queue: QUEUE, keep });
  const ids = await fill(producer, jobs);
  const exchange = await openExchange(side, batch, keep ? 500 : 0);
  side.collectGarbage();

  const warmUp = Math.ceil(jobs / 10);
  const claimed = [];
  let warmAt = 0;
  const loop = async () => {
    let executions = [];
    do {
      executions = await exchange(executions);
      for (const { id } of executions) claimed.push(id);
      if (warmAt === 0 && claimed.length >= warmUp) warmAt = performance.now();
    } while (executions.length > 0);
  };
  await Promise.all(Array.from({ length: CALLS_UNDER_WAY }, loop));
  const seconds = (performance.now() - warmAt) / 1000;

  const texts = new Set(claimed.map((id) => id.toString()));
  if (claimed.length !== jobs || texts.size !== jobs || !ids.every((id) => texts.has(id))) {
    throw new VoidRun(`${texts.size} of ${jobs} jobs claimed, ${claimed.length} times`);
  }
  await side.expectCensus(QUEUE, { finished: keep ? jobs : 0 });
  return { rate: (jobs - warmUp) / seconds };
}

/** A function that settles the given executions as finished and answers with the next ones. */
async function openExchange(side, want, resultTtl) {
  const { Keyspace } = await import('../../dist/wire/keyspace.js');
  const { EXCHANGE } = await import('../../dist/store/scripts/exchange.js');
  const { decodeClaims } = await import('../../dist/wire/claim.js');
  const { CLAIM_FIELDS } = await import('../../dist/wire/claim-fields.js');
  const redis = new Redis({ port: side.port, host: '127.0.0.1' });
  side.closeLater(() => redis.disconnect());
  const keyspace = new Keyspace();
  const keys = [keyspace.queue(QUEUE).list];
  let nextExecution = 1;

  return async (executions) => {
    const values = EXCHANGE.values({
      prefix: keyspace.prefix,
      channels: keyspace.channels,
      queue: QUEUE,
      suspended: keyspace.suspended,
      lease: 15_000,
      worker: 'raw',
      token: 'f'.repeat(48),
      next_execution: nextExecution,
      want,
      promoted: 1000,
      takes_suspect: '1',
      suspect_crashes: 2,
      suspect_delay: 10,
    });
    values.push(0);
    const first = nextExecution;
    nextExecution += want;
    const run = executions.map(({ id, execution }) => `${id}\n${execution}\n1\n`).join('');
    if (run === '') values.push(0);
    else values.push(1, 'finished', resultTtl, 'hash', run);
    values.push(0);
    const [refused, packed, , , , , , , long] = await EXCHANGE.run(redis, keys, values);
    if (refused.length > 0) throw new VoidRun(`${refused.length / 2} outcomes were refused`);
    return decodeClaims(packed, long).map((fields, index) => ({
      id: fields.text(CLAIM_FIELDS.length),
      execution: (first + index).toString(16).padStart(16, '0'),
    }));
  };
}
