// The id of an HTTP request follows the work that it began: through the API by AsyncLocalStorage, to the
// worker in the headers of the job's meta, and through the handler by AsyncLocalStorage again.
import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { RqContext } from 'nestjs-rq';
import { Observable } from 'rxjs';
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const HEADER = 'request-id';
const storage = new AsyncLocalStorage<string>();

/** Of the request that is being answered, or that the running job comes from. */
export function requestId(): string | undefined {
  return storage.getStore();
}

/** Express middleware: `X-Request-Id`, or a new id. */
export function readRequestId(request: IncomingMessage, _: ServerResponse, next: () => void): void {
  const given = request.headers[`x-${HEADER}`];
  storage.run(typeof given === 'string' ? given : randomUUID(), next);
}

/** What travels with a job. */
export function jobHeaders(): Record<string, string> {
  const id = requestId();
  return id === undefined ? {} : { [HEADER]: id };
}

/** Runs a handler in the context of the request that its job comes from. */
@Injectable()
export class RequestIdOfJob implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { headers } = RqContext.of(context).job.meta as { headers?: Record<string, string> };
    const id = headers?.[HEADER];
    if (id === undefined) return next.handle();
    // A handler runs when its Observable is subscribed to.
    return new Observable((subscriber) =>
      storage.run(id, () => next.handle().subscribe(subscriber)),
    );
  }
}
