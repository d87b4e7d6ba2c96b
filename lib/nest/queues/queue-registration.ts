import type { ModulesContainer } from '@nestjs/core';
import { importedIn } from '../discovery/container.js';
import type { ContainerModule } from '../nest-internals.js';
import type { RegisterQueueOptions } from '../options/index.js';

/**
 * One queue named in one `registerQueue` or `registerQueueAsync`. A module that registers queues carries its
 * registrations as a value, so that all of a container are known before the first queue is made: which of
 * five modules comes first never decides which options count.
 */
export interface QueueRegistration {
  readonly name: string;
  readonly root: string;
  /** Missing when they are known only later (`registerQueueAsync`). */
  readonly options: RegisterQueueOptions | undefined;
}

/** Under this token a module carries its registrations. */
export const QUEUE_REGISTRATIONS = Symbol.for('nestjs-rq:queue-registrations');

/** All registrations of a container, with the module that asked for each, as errors name it. */
export function registrationsOf(
  modules: ModulesContainer,
): { registration: QueueRegistration; where: string }[] {
  return [...modules.values()].flatMap((module) => {
    const carried = module.providers.get(QUEUE_REGISTRATIONS)?.instance;
    const registrations = (carried ?? []) as readonly QueueRegistration[];
    return registrations.map((registration) => ({
      registration,
      where: registrationPlace(registration, module, modules),
    }));
  });
}

/** Where a registration was written, for errors: `RqModule.registerQueue("mail") in MailModule`. */
export function registrationPlaceOf(
  wanted: QueueRegistration,
  modules: ModulesContainer,
): string | undefined {
  return registrationsOf(modules).find(({ registration }) => registration === wanted)?.where;
}

function registrationPlace(
  registration: QueueRegistration,
  module: ContainerModule,
  modules: ModulesContainer,
): string {
  const call = registration.options ? 'registerQueue' : 'registerQueueAsync';
  return `RqModule.${call}("${registration.name}")${importedIn(module, modules)}`;
}
