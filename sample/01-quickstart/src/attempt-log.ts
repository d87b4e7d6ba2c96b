// Nest's interceptors work on jobs as they do on requests: this one logs every attempt and its result.
// (What fails, and when it runs again, is logged by nestjs-rq itself.)
import {
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { RqContext } from 'nestjs-rq';
import { tap, type Observable } from 'rxjs';

/** How many attempts of each job this process has seen, by the job's id. */
@Injectable()
export class AttemptCounts extends Map<string, number> {}

@Injectable()
export class AttemptLog implements NestInterceptor {
  private readonly logger = new Logger('Jobs');

  constructor(private readonly counts: AttemptCounts) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { job } = RqContext.of(context);
    const what = `${job.name} ${job.id} ${JSON.stringify(job.data)}`;
    this.counts.set(job.id, job.attempt);
    this.logger.log(`${what}: attempt ${job.attempt}`);
    return next.handle().pipe(tap((result) => this.logger.log(`${what}: ${inWords(result)}`)));
  }
}

function inWords(result: unknown): string {
  return typeof result === 'string' ? result : JSON.stringify(result);
}
