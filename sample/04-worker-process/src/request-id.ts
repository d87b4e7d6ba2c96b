// The id of an HTTP request follows the work that it began: through the API by nestjs-cls, to the worker in the
// headers of the job, and through the handler by nestjs-cls again.
import { CLS_ID, ClsModule, type ClsService } from 'nestjs-cls';
import type { JobContextOptions } from 'nestjs-rq';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const HEADER = 'request-id';

/** Every request has an id: that of its header, or a new one. */
export const requestIds = ClsModule.forRoot({
  global: true,
  middleware: {
    mount: true,
    generateId: true,
    idGenerator: (request: IncomingMessage) => {
      const given = request.headers[`x-${HEADER}`];
      return typeof given === 'string' ? given : randomUUID();
    },
  },
});

/** What travels with each job that is enqueued, and the context in which its handler runs. */
export const contextOfRequest = (cls: ClsService): JobContextOptions => ({
  inject: (headers) => {
    if (cls.isActive()) headers[HEADER] = cls.getId();
  },
  extract: (headers, run) =>
    cls.run(() => {
      cls.set(CLS_ID, headers[HEADER]);
      return run();
    }),
});
