import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ModuleRef } from '@nestjs/core';
import { type RqInspector, getRqInspectorToken } from '../../index.js';
import { dashboardController } from './dashboard-controller.js';
import { DashboardHost } from './dashboard-host.js';
import { type RqDashboardOptions, assertDoor } from './dashboard-options.js';

/**
 * The dashboard as a part of an application: a controller, to which prefix, host, guards and proxies apply as to any
 * other.
 *
 * @example
 * RqDashboardModule.forRoot({ path: 'rq', guards: [AdminGuard], environment: 'production' })
 */
@Module({})
export class RqDashboardModule {
  /** @throws InvalidOptionError when nothing keeps the door, or an option is impossible */
  static forRoot<User = unknown>(options: RqDashboardOptions<User>): DynamicModule {
    const known = options as unknown as RqDashboardOptions;
    assertDoor(known);
    const host = {
      provide: DashboardHost,
      inject: [getRqInspectorToken(options.root), ModuleRef, DiscoveryService],
      useFactory: (inspector: RqInspector, moduleRef: ModuleRef, discovery: DiscoveryService) =>
        new DashboardHost(inspector, known, moduleRef, discovery),
    };
    return {
      module: RqDashboardModule,
      imports: [DiscoveryModule, ...(options.imports ?? [])],
      controllers: [dashboardController(known)],
      providers: [host],
    };
  }
}
