import { ModuleRef, type ModulesContainer } from '@nestjs/core';
import type { ContainerModule } from '../nest-internals.js';
import { rootOfToken } from '../tokens.js';

/**
 * Where something stands in an application: which module a provider is in, who imports it, which roots there
 * are. All of it is asked of Nest's container each time, so that nothing is shared between two applications.
 */

/** The module whose own `ModuleRef` this is. */
export function moduleOf(
  moduleRef: ModuleRef,
  modules: ModulesContainer,
): ContainerModule | undefined {
  return [...modules.values()].find(
    (module) => module.providers.get(ModuleRef)?.instance === moduleRef,
  );
}

/** Who imports a module that is not global, to end the place that an error names: ` in AppModule`. */
export function importedIn(module: ContainerModule, modules: ModulesContainer): string {
  const names = [...modules.values()]
    .filter((other) => other.imports.has(module))
    .map((importer) => importer.name);
  return names.length > 0 ? ` in ${names.join(', ')}` : '';
}

/** The names of all roots of an application, as often as each is imported. */
export function rootsOf(modules: ModulesContainer): string[] {
  return [...modules.values()].flatMap((module) =>
    [...module.providers.keys()].map(rootOfToken).filter((root) => root !== undefined),
  );
}
