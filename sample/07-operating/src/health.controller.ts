import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { RqHealth, type RqHealthResult } from 'nestjs-rq';

@Controller()
export class HealthController {
  constructor(private readonly health: RqHealth) {}

  /** Down: the process is to be restarted. */
  @Get('live')
  async live() {
    return answer(await this.health.worker());
  }

  /** Down: no requests are to be sent here. */
  @Get('ready')
  async ready() {
    const redis = await this.health.redis();
    const payments = await this.health.queue('payments', { oldest: '5m', workers: 1 });
    return answer({ ...redis, ...payments });
  }
}

function answer(results: RqHealthResult) {
  const isUp = Object.values(results).every(({ status }) => status === 'up');
  if (!isUp) throw new ServiceUnavailableException(results);
  return results;
}
