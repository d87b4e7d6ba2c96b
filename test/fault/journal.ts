// What workers write down while they run jobs, in one file that all of them append to: a process that is killed has
// written everything up to its last moment, which messages between processes cannot promise.
import { closeSync, openSync, readSync } from 'node:fs';

/** One line of the journal, written by `acting-worker.mjs`. */
export interface Entry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The worker's label in the test. */
  readonly worker: string;
  readonly event:
    | 'run' // the handler begins
    | 'end' // the handler is about to return or to throw
    | 'aborted' // the job's signal
    | 'finished' // Redis has recorded the result; and so on, as the worker's observer is told
    | 'retrying'
    | 'failed'
    | 'returned'
    | 'canceled'
    | 'lost'
    | 'requeued' // found after a crash
    | 'poisoned'
    | 'dropped'
    | 'problem'
    | 'problemSolved'
    | 'rejection' // nobody has handled it
    | 'stopped' // worker.stop() has resolved
    | 'closed'; // and so has connections.close()
  readonly id?: string;
  readonly attempt?: number;
  /** What came with the job, for tests that compare data. */
  readonly value?: number;
  readonly retriesLeft?: number;
  readonly how?: 'returned' | 'threw';
  readonly delay?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** Reads a journal that is being written. */
export class Journal {
  private readonly lines: Entry[] = [];
  private readonly descriptor: number;
  private rest = Buffer.alloc(0);
  private readonly chunk = Buffer.alloc(1 << 18);

  constructor(readonly path: string) {
    this.descriptor = openSync(path, 'a+');
  }

  /** All entries so far, in the order in which they were written. */
  entries(): readonly Entry[] {
    for (;;) {
      const read = readSync(this.descriptor, this.chunk, 0, this.chunk.length, this.position);
      if (read === 0) return this.lines;
      this.position += read;
      const text = Buffer.concat([this.rest, this.chunk.subarray(0, read)]);
      const end = text.lastIndexOf('\n');
      for (const line of text
        .subarray(0, end + 1)
        .toString()
        .split('\n')) {
        if (line !== '') this.lines.push(JSON.parse(line) as Entry);
      }
      this.rest = text.subarray(end + 1);
    }
  }

  /** Entries of this kind, maybe only those of one job or one worker. */
  of(event: Entry['event'], { id, worker }: { id?: string; worker?: string } = {}): Entry[] {
    return this.entries().filter(
      (entry) =>
        entry.event === event &&
        (id === undefined || entry.id === id) &&
        (worker === undefined || entry.worker === worker),
    );
  }

  /** Ids of the jobs to which that happened, in this order. */
  ids(event: Entry['event'], of: { worker?: string } = {}): string[] {
    return this.of(event, of).map(({ id }) => String(id));
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private position = 0;
}
