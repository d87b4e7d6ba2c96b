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
 * A controller with a method for each page, and one for each form that addresses of data and of actions have: explicit ones,
 * so that prefixes, hosts, guards and both frameworks treat them as any other route, and few, since Nest logs each.
 */
export function dashboardController(options: RqDashboardOptions): Type {
  const { path = 'rq', guards, decorators = [], readOnly = false } = options;

  @Controller({ path, version: VERSION_NEUTRAL })
  class RqDashboardController {
    constructor(@Inject(DashboardHost) readonly host: DashboardHost) {}
  }
  const { prototype } = RqDashboardController;
  for (const [place, routes] of places(readOnly)) addMethod(prototype, place, routes);
  if (Array.isArray(guards)) UseGuards(...guards)(RqDashboardController);
  for (const decorate of decorators) decorate(RqDashboardController);
  return RqDashboardController;
}

/** The routes by the address with which the framework finds them: `GET api/:what` is all of that form. */
function places(readOnly: boolean): Map<string, Route[]> {
  const found = new Map<string, Route[]>();
  for (const route of DashboardServer.routes(readOnly)) {
    const method = route.kind === 'act' ? 'POST' : 'GET';
    const parts = route.path.split('/').length;
    const isPlain = route.path.startsWith('api/');
    const place = `${method} ${isPlain ? FORMS[parts] : route.path}`;
    found.set(place, [...(found.get(place) ?? []), route]);
  }
  return found;
}

/** By the number of their parts. */
const FORMS: Readonly<Record<number, string>> = { 2: 'api/:what', 3: 'api/:area/:what' };

function addMethod(prototype: object, place: string, routes: readonly Route[]): void {
  const [method, path = ''] = place.split(' ');
  const name = place.replace(/\W+/g, '_');
  async function handle(
    this: { host: DashboardHost },
    request: FrameworkRequest,
    response: FrameworkResponse,
  ): Promise<void> {
    await this.host.handle(routeOf(path, routes, request.params), request, response);
  }
  const descriptor = { value: handle, writable: true, configurable: true, enumerable: false };
  Object.defineProperty(prototype, name, descriptor);
  Req()(prototype, name, 0);
  Res()(prototype, name, 1);
  (method === 'POST' ? Post : Get)(path)(prototype, name, descriptor);
}

function routeOf(
  path: string,
  routes: readonly Route[],
  params: FrameworkRequest['params'] = {},
): Route | undefined {
  const [first] = routes;
  if (first?.path === path) return first;
  const address = path.replace(/:(\w+)/g, (_, part: string) => params[part] ?? '');
  return routes.find((route) => route.path === address);
}
