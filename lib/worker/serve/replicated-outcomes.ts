import { REPLICAS_ASKED_EACH_MS, ReplicaPatience } from '../../queue/index.js';
import type { OutcomeCall } from '../../store/index.js';
import { after } from '../../time/timer.js';
import type { PendingEvents } from '../report/pending-events.js';
import type { Settlement } from '../report/settlement.js';
import type { ConsumerSettings } from './consumer-settings.js';

/**
 * Outcomes that Redis has written down, and that are told only when its replicas have them, too (`durability`).
 *
 * 1. The answer of an exchange brings them here. Redis is asked, over a connection of its own, whether it and so many replicas
 *    know the call that brought them. One question is under way at a time, for all that are here; exchanges go on meanwhile.
 * 2. They know it. The outcomes are told.
 * 3. Redis does not know it: another server has taken its place, and has never heard of the call. It is made again, as one
 *    whose answer was lost. The lease may still be there, and the job is settled without running again.
 * 4. They do not say so in time. They are asked again; how long, ReplicaPatience knows.
 */
export class ReplicatedOutcomes {
  private readonly held = new Set<HeldOutcomes>();
  private readonly patience = new ReplicaPatience();
  private isAsking = false;

  constructor(private readonly work: ReplicatedWork) {}

  get isEmpty(): boolean {
    return this.held.size === 0;
  }

  /** In the new primary their leases may still be ours. */
  *outcomes(): Iterable<Settlement> {
    for (const { written } of this.held) yield* written;
  }

  hold(call: OutcomeCall, written: readonly Settlement[]): void {
    this.held.add({ call, written, since: performance.now() });
    if (!this.isAsking) void this.askAgainAndAgain();
  }

  /** The worker stops: nobody is waited for any more. */
  giveUp(): void {
    for (const one of this.held) this.release(one, true);
  }

  private async askAgainAndAgain(): Promise<void> {
    this.isAsking = true;
    while (this.held.size > 0) {
      const asked = [...this.held];
      try {
        const known = await this.work.ask(asked.map(({ call }) => call));
        this.patience.renew();
        this.work.solved();
        let isAnyLost = false;
        for (const [index, one] of asked.entries()) {
          this.release(one, known[index] === true);
          isAnyLost ||= known[index] !== true;
        }
        // Maybe the exchanges still go to the other server.
        if (isAnyLost) await pause();
      } catch (error) {
        for (const one of asked) {
          if (!this.patience.endsWith(error, one.since)) continue;
          this.work.trouble(error);
          this.release(one, true);
        }
        if (this.held.size > 0) await pause();
      }
    }
    this.isAsking = false;
  }

  private release(one: HeldOutcomes, isKnown: boolean): void {
    if (!this.held.delete(one)) return;
    if (isKnown) this.work.tell(one.call, one.written);
    else this.work.repeat(one.call, one.written);
  }
}

/** What is to be done with them. */
export interface ReplicatedWork {
  /** Which of these calls Redis and the replicas know. Rejects when that is not known. */
  ask(calls: readonly OutcomeCall[]): Promise<readonly boolean[]>;
  tell(call: OutcomeCall, written: readonly Settlement[]): void;
  /** Redis does not know the call. */
  repeat(call: OutcomeCall, written: readonly Settlement[]): void;
  /** Outcomes are told although replicas do not have them. */
  trouble(error: unknown): void;
  /** Replicas have answered. */
  solved(): void;
}

/** The replicas that are to have the outcomes of a queue before these are told. */
export interface AskedReplicas extends Pick<ReplicatedWork, 'ask'> {
  readonly queue: string;
  /** An outcome was told in this process: others may hear of it, too. */
  told(settlement: Settlement): void;
  /** All outcomes of a call were told. */
  allTold(): void;
}

/** Undefined: nobody asks for them. */
export function replicasFor(
  queue: string,
  { store, token, durability }: Pick<ConsumerSettings, 'store' | 'token' | 'durability'>,
  events: Pick<PendingEvents, 'told'>,
  allTold: () => void,
): AskedReplicas | undefined {
  if (!durability) return undefined;
  const ask: AskedReplicas['ask'] = (calls) =>
    store.replicated.haveCalls(queue, token, calls, durability);
  return { queue, ask, told: (outcome) => events.told(outcome), allTold };
}

interface HeldOutcomes {
  readonly call: OutcomeCall;
  readonly written: readonly Settlement[];
  /** By the clock of `performance.now()`. */
  readonly since: number;
}

function pause(): Promise<void> {
  return new Promise((resolve) => after(REPLICAS_ASKED_EACH_MS, resolve).unref());
}
