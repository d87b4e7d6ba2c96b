// A request-scoped provider: in a job the request is the job, and every job gets an instance of its own.
import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import type { RunningJob } from 'nestjs-rq';
import type { ReportOrder } from './report-order.js';
import { Tenants } from './tenants.js';

@Injectable({ scope: Scope.REQUEST })
export class TenantOfJob {
  constructor(
    @Inject(REQUEST) private readonly job: RunningJob<ReportOrder>,
    private readonly tenants: Tenants,
  ) {}

  /** An amount in the currency of the tenant for whom this job runs. */
  money(amount: number): string {
    const currency = this.tenants.find(this.job.data.tenant)?.currency;
    return new Intl.NumberFormat('en', { style: 'currency', currency }).format(amount);
  }
}
