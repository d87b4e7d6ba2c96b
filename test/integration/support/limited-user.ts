// The user `rq` of a test's server, from whom rights are taken away, and the connections that he has.
import { Connections } from '../../../lib/redis/index.js';
import type { Engine } from './engine.js';

export class LimitedUser {
  connections!: Connections;

  private constructor(private readonly engine: Engine) {}

  static forThisFile(engine: Engine): LimitedUser {
    const user = new LimitedUser(engine);
    beforeAll(async () => {
      await user.mayAllBut();
      const { url } = engine.redis;
      user.connections = new Connections(`redis://rq:pw@${url.slice('redis://'.length)}`);
      await user.connections.connect();
    });
    afterAll(() => user.connections.close());
    return user;
  }

  /** From now on he may do everything but these commands. */
  async mayAllBut(...commands: string[]): Promise<void> {
    const rights = ['reset', 'on', '>pw', '~*', '&*', '+@all', ...commands.map((one) => `-${one}`)];
    await this.engine.client.call('ACL', 'SETUSER', 'rq', ...rights);
  }
}
