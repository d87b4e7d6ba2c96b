import { ReturnedRetry } from '../../job/index.js';

/**
 * In which trace an attempt ran, until its line of the log is written. The line tells what Redis has recorded, which is
 * after the attempt has left its trace.
 */
export class RunningTraces {
  private readonly ids = new Map<string, string>();

  /** Runs an attempt. What has gone well is forgotten: it has no line. */
  async follow<Result>(
    jobId: string,
    attempt: number,
    traceId: string | undefined,
    run: () => Promise<Result>,
  ): Promise<Result> {
    if (traceId === undefined) return run();
    this.note(jobId, attempt, traceId);
    const result = await run();
    if (!(result instanceof ReturnedRetry)) this.ids.delete(keyOf(jobId, attempt));
    return result;
  }

  /** Of a batch, of which one job may fail by itself. */
  note(jobId: string, attempt: number, traceId: string): void {
    this.ids.set(keyOf(jobId, attempt), traceId);
    // Those of lines that are never written, since nothing has failed or Redis has refused the outcome.
    if (this.ids.size > MOST) this.ids.delete(this.ids.keys().next().value as string);
  }

  /** The trace of an attempt that has ended otherwise than well. */
  take(jobId: string, attempt: number): string | undefined {
    const key = keyOf(jobId, attempt);
    const id = this.ids.get(key);
    this.ids.delete(key);
    return id;
  }
}

function keyOf(jobId: string, attempt: number): string {
  return `${attempt} ${jobId}`;
}

const MOST = 10_000;
