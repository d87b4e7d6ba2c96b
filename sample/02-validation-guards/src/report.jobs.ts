// The handler does its work and nothing else: who may have it done, whether the data makes sense, how
// long it takes and what an error means is said by decorators, as on a controller.
import {
  BadRequestException,
  ForbiddenException,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { Job, JobData } from 'nestjs-rq';
import { ActiveTenantGuard } from './active-tenant.guard.js';
import { DurationLog } from './duration-log.js';
import { LedgerErrors } from './ledger-errors.filter.js';
import { Ledger } from './ledger.js';
import { ReportOrder, validOrder } from './report-order.js';
import { TenantOfJob } from './tenant-of-job.js';

export interface Report {
  total: string;
  remark?: string;
}

@Injectable()
@UseGuards(ActiveTenantGuard)
@UseInterceptors(DurationLog)
@UseFilters(LedgerErrors)
export class ReportJobs {
  constructor(
    private readonly ledger: Ledger,
    private readonly tenant: TenantOfJob,
  ) {}

  @Job({
    queue: 'reports',
    // Who is not allowed now is not allowed in five seconds, and data that is wrong now is wrong then, too.
    retry: { max: 3, interval: 5, except: [BadRequestException, ForbiddenException] },
  })
  async makeReport(@JobData(validOrder) order: ReportOrder): Promise<Report> {
    const amounts = await this.ledger.amounts(order.month);
    return { total: this.tenant.money(amounts.reduce((sum, amount) => sum + amount, 0)) };
  }
}
