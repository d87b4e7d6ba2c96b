import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { RunningJob } from 'nestjs-rq';
import { type BinderSettings, HandlerBinder } from '../../../lib/nest/handlers/apply-enhancers.js';
import { HandlerExplorer } from '../../../lib/nest/root/handler-explorer.js';
import { ProviderMethods } from '../../../lib/nest/discovery/provider-methods.js';
import type { HandlerRegistry } from '../../../lib/worker/index.js';

/** An application whose handlers were found, and are called as the worker calls them; no Redis is needed. */
export interface Explored {
  readonly app: INestApplication;
  readonly handlers: HandlerRegistry;
  /** Calls the handler of this name on queue `q`. */
  run(name: string, data?: unknown, id?: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts an application and finds its handlers. */
export async function explored(
  metadata: ModuleMetadata,
  options: Partial<BinderSettings> & { prepare?: (app: INestApplication) => void } = {},
): Promise<Explored> {
  const { prepare, ...settings } = options;
  const app = await started(metadata, prepare);
  const handlers = explorerOf(app, settings).handlers();
  return {
    app,
    handlers,
    run: async (name, data, id = '1') =>
      handlers.find('q', name)!.run(data, jobFor({ name, data, id })),
    close: () => app.close(),
  };
}

/** The error with which exploring stops. */
export async function refusal(metadata: ModuleMetadata): Promise<Error> {
  const app = await started(metadata);
  try {
    explorerOf(app).handlers();
  } catch (error) {
    return error as Error;
  } finally {
    await app.close();
  }
  throw new Error('nothing was wrong');
}

/** As much of a running job as handlers and enhancers look at. */
export function jobFor(fields: { name: string; data: unknown; id?: string }): RunningJob {
  const { signal } = new AbortController();
  return { id: '1', signal, meta: {}, ...fields } as unknown as RunningJob;
}

async function started(
  metadata: ModuleMetadata,
  prepare?: (app: INestApplication) => void,
): Promise<INestApplication> {
  const imports = [DiscoveryModule, ...(metadata.imports ?? [])];
  const module = await Test.createTestingModule({ ...metadata, imports }).compile();
  const app = module.createNestApplication({ logger: false });
  prepare?.(app);
  await app.init();
  return app;
}

function explorerOf(
  app: INestApplication,
  settings: Partial<BinderSettings> = {},
): HandlerExplorer {
  return new HandlerExplorer(
    'default',
    ['default'],
    new ProviderMethods(app.get(DiscoveryService, { strict: false })),
    new HandlerBinder(app.get(ExternalContextCreator), app.get(ModuleRef), {
      globalEnhancers: false,
      tellsCurrentJob: true,
      ...settings,
    }),
  );
}
