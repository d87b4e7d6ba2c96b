import { RqError } from './errors.js';

/**
 * This Redis cannot hold jobs as it is set up. It is too old, a replica or a cluster, or its user lacks rights. Thrown
 * at the start, before anything is written; the message says what to change.
 */
export class UnusableRedisError extends RqError {
  readonly code = 'RQ_UNUSABLE_REDIS';
  /** What was found, each by its code: `too-old`, `replica`, `cluster`, `no-cluster`, `other-layout`,
   * `missing-rights`, `memory-full`, `no-persistence`. */
  readonly findings: readonly string[];
  /** Waiting may help: all that was found may pass by itself. */
  readonly mayPass: boolean;

  constructor(details: { findings: readonly Finding[] }) {
    const reasons = details.findings.map(({ sentence, fix }) => `${sentence}: ${fix}.`);
    super(`This Redis cannot be used for jobs. ${reasons.join(' ')}`);
    this.mayPass = details.findings.every(({ severity }) => severity === 'passing');
    this.findings = details.findings.map(({ code }) => code);
  }
}

/** Something that is wrong. `passing`: waiting may help; `fatal`: it never will; `warning`: it works all the same. */
export interface Finding {
  readonly severity: 'fatal' | 'passing' | 'warning';
  /** For code to compare with. */
  readonly code: string;
  readonly sentence: string;
  /** What to do about it. */
  readonly fix: string;
}
