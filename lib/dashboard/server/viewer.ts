import type { PermissionCheck, RqPermission } from './permissions.js';
import { PERMISSIONS } from './permissions.js';
import { Refused } from './problems.js';

/** Whoever looks: what they may do is asked of the application, once per request and question. */
export class Viewer {
  readonly #answers = new Map<string, Promise<boolean>>();

  constructor(
    private readonly check: PermissionCheck,
    private readonly user: unknown,
    /** For the audit and the page's corner. */
    readonly who: string,
    readonly ip: string | undefined,
    private readonly readOnly: boolean,
  ) {}

  /** An application that fails to answer means no. */
  may(action: RqPermission, queue?: string, jobName?: string): Promise<boolean> {
    if (this.readOnly && !READS.has(action)) return Promise.resolve(false);
    const key = JSON.stringify([action, queue, jobName]);
    let answer = this.#answers.get(key);
    if (!answer) {
      answer = (async () =>
        (await this.check(action, { user: this.user, queue, jobName })) === true)();
      this.#answers.set(key, answer);
    }
    return answer;
  }

  /** @throws Refused */
  async demand(action: RqPermission, queue?: string, jobName?: string): Promise<void> {
    if (await this.may(action, queue, jobName)) return;
    throw new Refused(
      'permission',
      `"${action}" is not allowed${queue === undefined ? '' : ` in queue "${queue}"`}`,
    );
  }

  /** All that is allowed, for the page to know what to offer. */
  async all(queue?: string, jobName?: string): Promise<RqPermission[]> {
    const answers = await Promise.all(PERMISSIONS.map((one) => this.may(one, queue, jobName)));
    return PERMISSIONS.filter((_, index) => answers[index]);
  }

  /** Those of some queues that may be seen. */
  async visible(queues: readonly string[]): Promise<string[]> {
    const answers = await Promise.all(queues.map((queue) => this.may('view', queue)));
    return queues.filter((_, index) => answers[index]);
  }

  /** Asks anew from now on. */
  forget(): void {
    this.#answers.clear();
  }
}

const READS: ReadonlySet<RqPermission> = new Set(['view', 'view:data', 'audit', 'export']);
