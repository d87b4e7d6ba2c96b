import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { InvalidOptionError } from '../../index.js';
import type {
  DashboardSettings,
  PermissionCheck,
  PermissionContext,
  RqPermission,
} from '../server/index.js';

/** Options of `RqDashboardModule.forRoot`. */
export interface RqDashboardOptions<User = unknown> extends Omit<
  DashboardSettings,
  'can' | 'onAudit' | 'onError'
> {
  /** Where it is, below the application's own prefix; default `rq`. */
  readonly path?: string;
  /**
   * Guards that let people in: classes or instances, as `@UseGuards` takes them. `'global'`: the application's own global
   * guards see to it. Without any, the application does not start (see `allowAnonymous`).
   */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[] | 'global';
  /** Everybody who reaches the address may do everything that `can` allows. Default false. */
  readonly allowAnonymous?: boolean;
  /** Put on the controller, for the application's own global guards: `[Public(), SkipThrottle()]`. */
  readonly decorators?: readonly ClassDecorator[];
  /** Who asks; default `request.user`, where guards leave it. */
  readonly user?: (request: { readonly user?: User }) => User;
  /** How the audit names a user; default their `email`, `username`, `name` or `id`. */
  readonly nameOf?: (user: User) => string;
  /** Who may do what: a function, or a class with a method `can` that is made with its dependencies. Default: all may. */
  readonly can?: PermissionCheck<User> | Type<RqPermissionPolicy<User>>;
  /** Name of the `RqModule.forRoot` that it shows; default: the one without a name. */
  readonly root?: string;
  /** Modules that guards and `can` need. */
  readonly imports?: ModuleMetadata['imports'];
}

/** Says who may do what; its class is given as `can`. */
export interface RqPermissionPolicy<User = unknown> {
  can(action: RqPermission, context: PermissionContext<User>): boolean | Promise<boolean>;
}

const KEYS: Readonly<Record<keyof RqDashboardOptions, true>> = {
  path: true,
  guards: true,
  allowAnonymous: true,
  decorators: true,
  user: true,
  nameOf: true,
  can: true,
  root: true,
  imports: true,
  redact: true,
  readOnly: true,
  links: true,
  environment: true,
  origins: true,
};

/** What is needed before anything is made: where it is, and who keeps the door. @throws InvalidOptionError */
export function assertDoor(options: RqDashboardOptions): void {
  const where = 'RqDashboardModule.forRoot';
  const { path, guards, allowAnonymous } = options;
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(KEYS, option)) continue;
    throw new InvalidOptionError({ option, problem: 'is no option', where });
  }
  if (path !== undefined && (typeof path !== 'string' || /[:*?{}()\s]/.test(path))) {
    const problem = 'must be a plain path such as "admin/rq"';
    throw new InvalidOptionError({ option: 'path', problem, value: path, where });
  }
  const hasGuards = guards === 'global' || (Array.isArray(guards) && guards.length > 0);
  if (hasGuards || allowAnonymous === true) return;
  const problem =
    "is missing: whoever reaches the dashboard could run and delete jobs. Give guards, 'global' if the application's own guards keep the door, or allowAnonymous: true";
  throw new InvalidOptionError({ option: 'guards', problem, where });
}
