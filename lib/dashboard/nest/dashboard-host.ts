import { Logger, type OnModuleDestroy, type Type } from '@nestjs/common';
import type { DiscoveryService, ModuleRef } from '@nestjs/core';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RqInspector } from '../../index.js';
import {
  DashboardServer,
  type PermissionCheck,
  type Route,
  readSettings,
} from '../server/index.js';
import { AuditListeners } from './audit-listeners.js';
import type { RqDashboardOptions, RqPermissionPolicy } from './dashboard-options.js';

/** The dashboard inside an application: finds out who asks, and hands raw requests to the server. */
export class DashboardHost implements OnModuleDestroy {
  readonly #server: DashboardServer;
  readonly #logger = new Logger('RqDashboard');

  constructor(
    inspector: RqInspector,
    private readonly options: RqDashboardOptions,
    moduleRef: ModuleRef,
    discovery: DiscoveryService,
  ) {
    const onError = (error: unknown) => {
      this.#logger.error(error instanceof Error ? error.message : String(error));
    };
    const listeners = new AuditListeners(discovery, onError);
    const { redact, readOnly, links, environment, origins } = options;
    const settings = readSettings(
      {
        can: checkOf(options.can, moduleRef) as PermissionCheck<never>,
        onAudit: (entry) => listeners.tell(entry),
        onError,
        ...given({ redact, readOnly, links, environment, origins }),
      },
      'RqDashboardModule.forRoot',
    );
    this.#server = new DashboardServer(inspector, settings);
  }

  /** Before the server closes: it would wait for open streams. */
  onModuleDestroy(): void {
    this.#server.close();
  }

  /**
   * Answers by the raw response, which no interceptor, serializer or filter of the application touches.
   * @param route undefined: there is none of this address
   */
  async handle(
    route: Route | undefined,
    request: FrameworkRequest,
    response: FrameworkResponse,
  ): Promise<void> {
    const isFastify = typeof response.hijack === 'function';
    if (isFastify) response.hijack?.();
    const raw = request.raw ?? (request as unknown as IncomingMessage);
    const user = this.options.user ? this.options.user(request) : request.user;
    const asker = { user, who: this.nameOf(user), ip: request.ip };
    const { params = {}, body } = request;
    const out = isFastify ? response.raw : (response as unknown as ServerResponse);
    await this.#server.handle(route, raw, out as ServerResponse, asker, { params, body });
  }

  private nameOf(user: unknown): string {
    if (user === undefined || user === null) return 'anonymous';
    if (this.options.nameOf) return this.options.nameOf(user);
    if (typeof user === 'string' || typeof user === 'number') return String(user);
    const { email, username, name, id } = user as Record<string, unknown>;
    const found = [email, username, name, id].find(
      (one) => typeof one === 'string' || typeof one === 'number',
    );
    return found === undefined ? 'somebody' : String(found);
  }
}

/** What Express's and Fastify's requests have in common, and what only Fastify's has. */
export interface FrameworkRequest {
  readonly user?: unknown;
  readonly ip?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly raw?: IncomingMessage;
}

export interface FrameworkResponse {
  readonly raw?: ServerResponse;
  hijack?(): void;
}

function checkOf(can: RqDashboardOptions['can'], moduleRef: ModuleRef): PermissionCheck {
  if (can === undefined) return () => true;
  if (!isPolicy(can)) return can;
  let policy: Promise<RqPermissionPolicy> | undefined;
  return async (action, context) => {
    policy ??= made(can, moduleRef);
    return (await policy).can(action, context);
  };
}

/** One that the application provides itself is taken as it is. */
async function made(
  policy: Type<RqPermissionPolicy>,
  moduleRef: ModuleRef,
): Promise<RqPermissionPolicy> {
  try {
    return moduleRef.get(policy, { strict: false });
  } catch {
    return moduleRef.create(policy);
  }
}

function isPolicy(can: NonNullable<RqDashboardOptions['can']>): can is Type<RqPermissionPolicy> {
  const { prototype } = can as { prototype?: { can?: unknown } };
  return typeof prototype?.can === 'function';
}

function given<Values extends object>(
  values: Values,
): { [Key in keyof Values]: Exclude<Values[Key], undefined> } {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [Key in keyof Values]: Exclude<Values[Key], undefined> };
}
