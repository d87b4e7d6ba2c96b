// Tells how long each attempt took, whatever came of it. Interceptors are around pipes and handler.
import {
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { RqContext } from 'nestjs-rq';
import { finalize, type Observable } from 'rxjs';

@Injectable()
export class DurationLog implements NestInterceptor {
  private readonly logger = new Logger('Duration');

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { job } = RqContext.of(context);
    const begun = performance.now();
    return next.handle().pipe(
      finalize(() => {
        const milliseconds = Math.round(performance.now() - begun);
        this.logger.log(`${job.name} ${job.id}, attempt ${job.attempt}: ${milliseconds} ms`);
      }),
    );
  }
}
