// Runs one case: both sides in turn, in rounds that go forwards and backwards (A B, then B A), Redis emptied before each
// run. A run that lost, repeated or left behind a job is void: reported, and counted in no figure.

import { Child, startDelayProxy } from './children.mjs';
import { median, quantile, range } from './statistics.mjs';

const OWN = 'nestjs-rq';
const OTHER = 'bullmq';

/**
 * @param {object} benchmark a case, see `cases/`
 * @param {{ redis: { port: number, client: object }, sides: string[], rounds: number, limited: boolean, quick: boolean,
 *   onRun: (run: object) => void }} options `limited`: fewer rounds when the case takes too long
 */
export async function measureCase(benchmark, { redis, sides, rounds, limited, quick, onRun }) {
  const variants = benchmark.variants(quick);
  const proxy = benchmark.proxyDelay && (await startDelayProxy(redis.port, benchmark.proxyDelay));
  const children = new Map();
  const childOf = (side) => {
    const existing = children.get(side);
    if (existing && !existing.exited) return existing;
    const args = [side, benchmark.name, redis.port, proxy?.port ?? 0, quick];
    const child = Child.start('harness/side.mjs', args);
    children.set(side, child);
    return child;
  };

  const runs = [];
  const plan = roundsOf(benchmark, variants, { sides, rounds, quick });
  const begin = performance.now();
  let made = 0;
  try {
    for (const round of plan) {
      const perRound = (performance.now() - begin) / 1000 / (made || 1);
      if (limited && made > 0 && perRound * (made + 1) > timeLimit(benchmark, quick)) break;
      for (const planned of round) {
        await redis.client.flushall('SYNC');
        const run = await measure(childOf(planned.side), planned);
        runs.push(run);
        onRun(run);
      }
      made += 1;
    }
  } finally {
    await Promise.all([...children.values()].map((child) => child.end()));
    await proxy?.stop();
    await redis.client.flushall('SYNC');
  }
  return { ...summarise(benchmark, variants, runs), rounds: made };
}

function roundsOf(benchmark, variants, { sides, rounds, quick }) {
  const forwards = variants.flatMap((variant) =>
    sides
      .filter((side) => (benchmark.sides ?? sides).includes(side))
      .map((side) => ({ variant, side })),
  );
  const count = Math.min(rounds, (quick && benchmark.quickRounds) || benchmark.rounds || rounds);
  return Array.from({ length: count }, (_, round) =>
    (round % 2 === 0 ? forwards : [...forwards].reverse()).map((run) => ({ ...run, round })),
  );
}

/** Seconds after which a case begins no more rounds: a slow or busy machine makes fewer, not a run without end. */
const timeLimit = ({ variants }, quick) =>
  (quick ? 10 : 60) + variants(quick).length * (quick ? 1 : 8);

async function measure(child, { variant, side, round }) {
  const run = { variant: variant.key, side, round };
  try {
    const { measures } = await child.ask({ settings: variant.settings });
    return { ...run, measures };
  } catch (error) {
    return { ...run, void: error.message };
  }
}

function summarise(benchmark, variants, runs) {
  const rows = variants.flatMap((variant) =>
    variant.rows.map((row) => summariseRow(variant, row, runs)),
  );
  const perRound = (variant, measure) =>
    rows.find((row) => row.variant === variant && row.measure === measure)?.own?.perRound ?? {};
  return {
    name: benchmark.name,
    title: benchmark.title,
    rows,
    verdicts: benchmark.verdicts?.({ perRound, variants }) ?? [],
    voidRuns: runs.filter((run) => run.void),
  };
}

function summariseRow(variant, { measure, quantile: q, label, unit, goal }, runs) {
  const figures = (side) => {
    const measured = runs.filter(
      (run) => run.side === side && run.variant === variant.key && run.measures,
    );
    if (measured.length === 0) return undefined;
    const values = measured.map((run) => run.measures[measure]);
    const perRun = q === undefined ? values : values.map((samples) => quantile(samples, q));
    return {
      median: q === undefined ? median(values) : quantile(values.flat(), q),
      range: range(perRun),
      perRound: Object.fromEntries(measured.map((run, index) => [run.round, perRun[index]])),
    };
  };
  const own = figures(OWN);
  const other = figures(OTHER);
  const ratio = own && other ? own.median / other.median : undefined;
  const pairs = Object.keys(own?.perRound ?? {}).filter((round) => other?.perRound[round]);
  const judged = own && (ratio !== undefined || !goal?.text.startsWith('ratio'));
  return {
    variant: variant.key,
    measure,
    label,
    unit,
    own,
    other,
    ratio,
    ratioRange: range(pairs.map((round) => own.perRound[round] / other.perRound[round])),
    goal: goal?.text,
    met: goal && judged ? goal.met({ own: own.median, ratio }) : undefined,
  };
}
