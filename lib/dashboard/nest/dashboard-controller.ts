import {
  Controller,
  Get,
  Inject,
  Post,
  Req,
  Res,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { DashboardServer, type Route } from '../server/index.js';
import { DashboardHost, type FrameworkRequest, type FrameworkResponse } from './dashboard-host.js';
import type { RqDashboardOptions } from './dashboard-options.js';

/**
 * A controller with a method for each route of the table: explicit ones, so that prefixes, hosts, guards and both
 * frameworks treat them as any other route.
 */
export function dashboardController(options: RqDashboardOptions): Type {
  const { path = 'rq', guards, decorators = [], readOnly = false } = options;

  @Controller({ path, version: VERSION_NEUTRAL })
  class RqDashboardController {
    constructor(@Inject(DashboardHost) readonly host: DashboardHost) {}
  }
  const { prototype } = RqDashboardController;
  for (const route of DashboardServer.routes(readOnly)) addMethod(prototype, route);
  if (Array.isArray(guards)) UseGuards(...guards)(RqDashboardController);
  for (const decorate of decorators) decorate(RqDashboardController);
  return RqDashboardController;
}

function addMethod(prototype: object, route: Route): void {
  const name = `${route.kind} ${route.path}`.replace(/\W+/g, '_');
  async function handle(
    this: { host: DashboardHost },
    request: FrameworkRequest,
    response: FrameworkResponse,
  ): Promise<void> {
    await this.host.handle(route, request, response);
  }
  const descriptor = { value: handle, writable: true, configurable: true, enumerable: false };
  Object.defineProperty(prototype, name, descriptor);
  Req()(prototype, name, 0);
  Res()(prototype, name, 1);
  (route.kind === 'act' ? Post : Get)(route.path)(prototype, name, descriptor);
}
