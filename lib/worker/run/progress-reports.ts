import type { ClaimedJob } from '../../wire/index.js';
import type { WorkerStore } from '../../store/index.js';
import type { ProgressEvent } from '../../job/index.js';

/**
 * How far a run is, on its way to Redis. While one report travels, the newest one waits and those between are skipped:
 * a handler may report as often as it likes.
 */
export class ProgressReports {
  private next: Report | undefined;
  private sending: Promise<void> | undefined;

  constructor(
    private readonly claimed: ClaimedJob,
    private readonly store: Pick<WorkerStore, 'progress'>,
  ) {}

  /** Resolves when this or a newer one is written down, or cannot be: progress is never worth a failure. */
  report(json: string, event: ProgressEvent): Promise<void> {
    this.next = { json, event };
    this.sending ??= this.send();
    return this.sending;
  }

  private async send(): Promise<void> {
    while (this.next) {
      const { json, event } = this.next;
      this.next = undefined;
      try {
        await this.store.progress(this.claimed, json, event);
      } catch {
        // Redis is away: the worker has noticed by itself.
      }
    }
    this.sending = undefined;
  }
}

interface Report {
  readonly json: string;
  readonly event: ProgressEvent;
}
