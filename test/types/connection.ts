import { Connections, RqModule } from 'nestjs-rq';
import { Redis } from 'ioredis';

/** As in queue.ts: compiled by `npm run typecheck`, never run. */

interface OptionsOfFive {
  host?: string;
  keepAlive?: number;
  reconnectOnError?: ((error: Error) => boolean | 1 | 2) | null;
}

/** What ioredis 5 exports, as far as types are compared: private parts, and options of its own. */
declare class RedisOfFive {
  readonly options: OptionsOfFive;
  private connector: unknown;
  private condition: { select: number } | null;
  duplicate(override?: Partial<OptionsOfFive>): RedisOfFive;
}

export function forms(five: RedisOfFive, six: Redis): void {
  RqModule.forRoot({ connection: 'redis://localhost' });
  RqModule.forRoot({ connection: { host: 'localhost', db: 1 } });
  RqModule.forRoot({ connection: six });
  RqModule.forRoot({ connection: five });
  const database: number = new Connections(five).database;
  void database;

  // @ts-expect-error: the URL itself is the connection
  RqModule.forRoot({ connection: { url: 'redis://localhost' } });
  // @ts-expect-error: it is called host
  RqModule.forRoot({ connection: { hostname: 'localhost' } });
  // @ts-expect-error: a port alone is no connection
  RqModule.forRoot({ connection: 6379 });
}
