// Rounds of faults under load. The check runs a short storm of all that can happen to processes, network and one Redis
// (each by itself is in a file of its own). `npm run faults` runs every case for long, and writes docs/reliability.md.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Dice } from './rounds/dice.js';
import { FAILOVERS } from './rounds/failovers.js';
import { KILLED_AT_COMMAND, KILLED_REDIS, SINGLE_FAULTS, STORM } from './rounds/one-server.js';
import { type RoundResult, runRound } from './rounds/round.js';

interface LongRound {
  /** For all cases together. */
  readonly minutes: number;
  /** Only those with this text in their names, or with one of several: `address|Sentinel`. */
  readonly only?: string;
  /** The file for the results. */
  readonly report: string;
}

/** Seconds of the storm in the check. */
const SHORT = 20;
/** Seconds: longer ones are several, since finished jobs are kept for 500. */
const LONGEST = 240;

const long = process.env.FAULTS ? (JSON.parse(process.env.FAULTS) as LongRound) : undefined;
const seed = Number(process.env.FAULTS_SEED ?? Date.now() % 1_000_000);
const ALL = [...SINGLE_FAULTS, STORM, KILLED_AT_COMMAND, KILLED_REDIS, ...FAILOVERS];
const cases = long
  ? ALL.filter(({ name }) => (long.only ?? '').split('|').some((text) => name.includes(text)))
  : [STORM];

/** Seconds of each round of one case. */
function lengths(): number[] {
  const all = long ? (long.minutes * 60) / cases.length : SHORT;
  const count = Math.ceil(all / LONGEST);
  return Array.from({ length: count }, () => all / count);
}

describe(`under load (FAULTS_SEED=${seed})`, () => {
  const results: RoundResult[] = [];
  /** Those that are under way, too: whoever is interrupted has not passed. */
  const failed = new Set<string>();
  const report = () => {
    const names = ALL.map(({ name }) => name);
    if (long)
      writeFileSync(long.report, JSON.stringify({ seed, names, results, failed: [...failed] }));
  };

  it.each(cases.map((fault, index) => [fault.name, fault, index] as const))(
    '%s',
    async (_, fault, index) => {
      failed.add(fault.name);
      report();
      for (const [number, seconds] of lengths().entries()) {
        const dice = new Dice(seed + 1000 * index + number);
        const result = await runRound(fault, { seconds, dice });
        expect(result.violations).toEqual([]);
        expect(result.faults).toBeGreaterThan(0);
        results.push(result);
      }
      failed.delete(fault.name);
      report();
    },
    (lengths().length * LONGEST + 300) * 1000,
  );
});
