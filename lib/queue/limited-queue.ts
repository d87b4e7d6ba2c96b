import {
  type ConcurrencyLimits,
  type LimitSettings,
  type Limits,
  type SettingOptions,
  readLimitSettings,
  wholeNumber,
} from '../job/index.js';
import type { JobStore, LimitTarget, StoredLane } from '../store/index.js';
import { BulkActions } from './bulk-actions.js';

/** The side of a queue that shows and sets what limits its jobs. How limits are declared: docs/limits.md. */
export abstract class LimitedQueue extends BulkActions {
  readonly #store: JobStore;

  constructor(name: string, store: JobStore) {
    super(name, store);
    this.#store = store;
  }

  /**
   * What limits the jobs of this queue: as declared by the workers, as set by an operator (that wins), and what a handler
   * has put off. Empty: nothing does.
   * @throws RqConnectionError
   */
  async limits(): Promise<LimitInForce[]> {
    const { declared, set, resting } = await this.#store.limits.read(this.name);
    const whole = { handler: undefined, key: undefined };
    return [
      ...[...declared].map(([handler, limits]) => ({
        ...whole,
        handler,
        from: 'declared' as const,
        ...shown(limits),
      })),
      ...set.map(({ target, limits, until }) => ({
        ...target,
        from: 'set' as const,
        ...shown(limits),
        until: until === undefined ? undefined : new Date(until),
      })),
      ...resting.map(({ target, until }) => ({
        ...target,
        from: 'snoozed' as const,
        until: new Date(until),
      })),
    ];
  }

  /**
   * The lanes in which jobs wait, by turn: the jobs of one key behind the gate of their handler.
   * @param range default the first 100
   * @throws InvalidOptionError when offset or limit is no whole number of at least 0
   * @throws RqConnectionError
   */
  async lanes({ offset = 0, limit = 100 }: { offset?: number; limit?: number } = {}): Promise<
    Lane[]
  > {
    const where = `lanes of queue "${this.name}"`;
    wholeNumber(0)(offset, 'offset', where);
    wholeNumber(0)(limit, 'limit', where);
    const lanes = await this.#store.limits.lanes(this.name, { offset, limit });
    return lanes.map(({ opensAt, since, per, ...lane }) => ({
      ...lane,
      opensAt: opensAt === undefined ? undefined : new Date(opensAt),
      per: per === undefined ? undefined : per / 1000,
      since: since === undefined ? undefined : new Date(since),
    }));
  }

  /**
   * Sets limits at run time, at once and for all workers. They win over what is declared, deploys included, until they
   * end (`for`) or are set anew; without any limit, all is as declared again.
   *
   * ```ts
   * await crm.setLimits({ handler: 'sync', concurrency: { total: 5 } }, { for: '1h' });
   * await crm.setLimits({ handler: 'sync', key: 'tenant-7', concurrency: { perKey: 0 } }); // nothing of it starts
   * await crm.setLimits({ handler: 'sync', key: 'tenant-7' }); // as declared
   * ```
   *
   * @throws InvalidOptionError naming the key
   * @throws RqConnectionError
   */
  async setLimits(settings: LimitSettings, options?: SettingOptions): Promise<void> {
    const where = `setLimits on queue "${this.name}"`;
    const { handler, key, limits, lasts } = readLimitSettings(settings, options, where);
    await this.#store.limits.set(this.name, { handler, key }, limits, lasts);
  }
}

/** A limit of a queue, a handler, or one key of a handler. */
export interface LimitInForce extends LimitTarget {
  /** `declared`: by a worker; `set`: by an operator, which wins; `snoozed`: a handler has put it off. */
  readonly from: 'declared' | 'set' | 'snoozed';
  readonly concurrency?: ConcurrencyLimits;
  /** `per` in seconds. */
  readonly rateLimit?: {
    readonly max?: number;
    readonly per?: number;
    readonly perKey?: { readonly max: number; readonly per: number };
  };
  /** When it ends; undefined: not by itself. */
  readonly until?: Date | undefined;
}

/** The jobs of one key that wait behind a gate. */
export interface Lane extends Omit<StoredLane, 'opensAt' | 'per' | 'since'> {
  /** When one may start, if a time is waited for. */
  readonly opensAt: Date | undefined;
  /** Seconds in which `max` may start; undefined: no rate holds them up. */
  readonly per: number | undefined;
  /** When its first job became ready to run; undefined: the job does not say. */
  readonly since: Date | undefined;
}

/** Numbers as a user gives them; Infinity: none, where something is declared. */
function shown({
  total,
  perKey,
  rate,
  keyRate,
}: Limits): Pick<LimitInForce, 'concurrency' | 'rateLimit'> {
  const hasConcurrency = total !== undefined || perKey !== undefined;
  const hasRate = rate !== undefined || keyRate !== undefined;
  return {
    ...(hasConcurrency && { concurrency: { ...given({ total, perKey }) } }),
    ...(hasRate && {
      rateLimit: {
        ...(rate && { max: rate.max, per: rate.per / 1000 }),
        ...(keyRate && { perKey: { max: keyRate.max, per: keyRate.per / 1000 } }),
      },
    }),
  };
}

function given(limits: ConcurrencyLimits): ConcurrencyLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}
