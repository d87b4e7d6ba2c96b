// The application that is bundled: one queue, with jobs during which things happen to the process that runs them.
import { Injectable, Module } from '@nestjs/common';
import { Job, RqModule, type RunningJob } from 'nestjs-rq';

/** Injected by its type, so that the bundle must have kept Nest's metadata. */
@Injectable()
export class Teller {
  tell(message: object): void {
    process.send?.(message);
  }
}

@Injectable()
export class HardJobs {
  constructor(private readonly teller: Teller) {}

  /** Blocks the event loop, without burning the processor. */
  @Job({ queue: 'hard' })
  block(data: { milliseconds: number }, job: RunningJob) {
    this.begin(job);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, data.milliseconds);
    return { pid: process.pid };
  }

  /** At the first attempt it runs until its process is killed. */
  @Job({ queue: 'hard' })
  async hold(_: object, job: RunningJob) {
    this.begin(job);
    if (job.attempt === 1)
      await new Promise((resolve) => job.signal.addEventListener('abort', resolve));
    return { pid: process.pid };
  }

  private begin({ id, attempt }: RunningJob): void {
    this.teller.tell({ began: id, attempt });
  }
}

@Module({
  imports: [
    RqModule.forRoot({ connection: String(process.env.REDIS_URL), worker: { lease: 1.5 } }),
    RqModule.registerQueue('hard'),
  ],
  providers: [HardJobs, Teller],
})
export class AppModule {}
