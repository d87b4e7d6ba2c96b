// Nobody works for a customer who has left: a job that a guard refuses fails with ForbiddenException.
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { RqContext } from 'nestjs-rq';
import type { ReportOrder } from './report-order.js';
import { Tenants } from './tenants.js';

@Injectable()
export class ActiveTenantGuard implements CanActivate {
  constructor(private readonly tenants: Tenants) {}

  /** Guards come before pipes, as always in Nest: the data has not been validated yet. */
  canActivate(context: ExecutionContext): boolean {
    const { data } = RqContext.of<Partial<ReportOrder> | undefined>(context);
    return this.tenants.find(String(data?.tenant))?.isActive ?? false;
  }
}
