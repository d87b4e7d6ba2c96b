// The user `rq` of a test's server, from whom rights are taken away, and the connections that he has.
import type { RedisJobStore, RedisJobStoreOptions } from '../../../lib/store/index.js';
import type { Engine } from './engine.js';
import { commandHere } from './layout.js';

export class LimitedUser {
  private constructor(private readonly engine: Engine) {}

  static forThisFile(engine: Engine): LimitedUser {
    const user = new LimitedUser(engine);
    beforeAll(() => user.mayAllBut());
    return user;
  }

  /** A store of his. */
  openStore(options?: RedisJobStoreOptions): Promise<RedisJobStore> {
    return this.engine.openStore(options, {
      login: { user: 'rq', password: 'pw' },
      isKept: true,
    });
  }

  /** From now on he may do everything but these commands. */
  async mayAllBut(...commands: string[]): Promise<void> {
    const rights = [
      'reset',
      'on',
      '>pw',
      '~*',
      '&*',
      '+@all',
      ...commands.map((one) => `-${commandHere(one)}`),
    ];
    await this.engine.client.call('ACL', 'SETUSER', 'rq', ...rights);
  }
}
